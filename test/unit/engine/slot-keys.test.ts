/** Keys that a node refused to count are not 0. */
import { expect, test } from '@jest/globals';
import { interpret } from '../../../pkg/cluster/interpret.ts';
import { countReplicaKeys } from '../../../pkg/engine/slot-keys.ts';
import { healthyObservation, nodeIdOf } from '../../support/observation.ts';

test('a replica whose user may not count, or may not count all, has no number', async () => {
  const observation = healthyObservation({ replicas: 2, hosts: 4 });
  const state = interpret(observation);
  const ask = (refusing: string): Promise<ReadonlyMap<string, number>> =>
    countReplicaKeys(
      {
        run: (pod, commands) =>
          Promise.resolve(commands.map((_, i) => (pod.name === refusing && i > 0 ? new Error('NOPERM') : 0))),
      },
      state,
      [nodeIdOf(1)],
    );
  expect(await ask('nobody')).toEqual(
    new Map([
      [nodeIdOf(4), 0],
      [nodeIdOf(7), 0],
    ]),
  );
  expect(await ask('redis-4-0')).toEqual(new Map([[nodeIdOf(7), 0]]));
});
