/** What slots hold that are to move, from few questions. */
import { expect, test } from '@jest/globals';
import { contentOf } from '../../../pkg/engine/measure.ts';
import type { RedisCommand, RedisPort } from '../../../pkg/engine/ports.ts';
import { healthyObservation } from '../../support/observation.ts';

/** @param sizes of the keys, by slot */
function serverOf(sizes: ReadonlyMap<number, readonly number[]>): { redis: RedisPort; weighed: () => number } {
  let weighed = 0;
  const reply = ([verb, sub, slot, count]: RedisCommand): unknown => {
    if (verb === 'INFO') return 'db0:keys=1,expires=0';
    const held = sizes.get(Number(slot)) ?? [];
    if (sub === 'COUNTKEYSINSLOT') return held.length;
    if (sub === 'GETKEYSINSLOT') return held.slice(0, Number(count)).map(String);
    weighed++;
    return Number(slot) < 0 ? new Error('NOPERM') : Number(slot);
  };
  const redis: Partial<RedisPort> = { run: (_, commands) => Promise.resolve(commands.map(reply)) };
  return { redis: redis as RedisPort, weighed: () => weighed };
}

const [pod] = healthyObservation().kube.pods;
const measure = (redis: RedisPort, slots: readonly number[]): ReturnType<typeof contentOf> => {
  if (pod === undefined) throw new Error('no pod');
  return contentOf(redis, pod, slots);
};

test('each of few keys is weighed', async () => {
  const { redis } = serverOf(
    new Map([
      [1, [10, 150_000]],
      [3, [20]],
    ]),
  );
  expect(await measure(redis, [1, 2, 3])).toEqual({ keys: 3, bytes: 150_030 });
  expect(await measure(redis, [2])).toEqual({ keys: 0, bytes: 0 });
});

test('of many, some of all slots', async () => {
  const { redis, weighed } = serverOf(
    new Map(Array.from({ length: 100 }, (_, slot) => [slot, Array.from({ length: 1000 }, () => 50)])),
  );
  expect(await measure(redis, [...Array(100).keys()])).toEqual({ keys: 100_000, bytes: 5_000_000 });
  expect(weighed()).toBe(2000);
});

test('sizes that are not told are not known', async () => {
  expect(await measure(serverOf(new Map([[1, [-1]]])).redis, [1])).toBeNull();
});
