/** A run that was killed after its last step leaves nothing to go on with but its lease, and whoever finds nothing to do gives that back. */
import { expect, test } from '@jest/globals';
import type { ClusterState } from '../../../../pkg/cluster/model/state.ts';
import { giveBackLapsed, type OperationPorts } from '../../../../pkg/engine/operation.ts';
import { BOB, CLUSTER, during, scene } from './scene.ts';

const operation = { verb: 'create', holder: 'ann@laptop (pid 7)' } as ClusterState['operation'];

async function leftBehind(silentMs: number, seen = operation): Promise<readonly [lease: unknown, error: unknown]> {
  const { ann, bob, clock, lease } = scene();
  await during(clock, ann.acquire('create'));
  if (silentMs > 0) ann.network = 'hung';
  await clock.pass(silentMs);
  const ports = {
    kube: { ...bob.kube, readFacts: () => Promise.resolve({ pods: [] }) },
    redis: {},
    clock: bob.clock,
    identity: BOB,
  } as unknown as OperationPorts;
  const given = { report: () => undefined, signal: new AbortController().signal };
  const error = await during(clock, giveBackLapsed(ports, { cluster: CLUSTER, operation: seen }, given)).then(
    () => null,
    (caught: unknown) => caught,
  );
  return [lease(), error];
}

test('it is gone afterwards', async () => {
  expect(await leftBehind(60_000)).toEqual([undefined, null]);
});

test('whoever may still be there keeps it, and nothing fails for it', async () => {
  const [lease, error] = await leftBehind(0);
  expect(lease).toMatchObject({ spec: { holderIdentity: 'ann@laptop (pid 7)' } });
  expect(error).toBeNull();
});

test('where nobody was seen nothing is written', async () => {
  const [lease] = await leftBehind(60_000, null);
  expect(lease).toMatchObject({ spec: { holderIdentity: 'ann@laptop (pid 7)' } });
});
