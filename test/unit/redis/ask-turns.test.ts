import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { AskTurns } from '../../../pkg/redis/ask-turns.ts';

const FROZEN_MS = 2_000;
const HEALTHY_MS = 20;

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** @returns when the last of so many nodes was done, by the fake clock, and how many were being asked at most */
async function askAll(turns: AskTurns, nodes: readonly number[]): Promise<{ doneMs: number; most: number }> {
  const startedAt = Date.now();
  let [asking, most] = [0, 0];
  const all = Promise.all(
    nodes.map(async (ms) => {
      const turn = await turns.take();
      most = Math.max(most, ++asking);
      await new Promise((resolve) => setTimeout(resolve, ms));
      asking--;
      turn.end();
    }),
  );
  const ended = all.then(() => Date.now() - startedAt);
  await jest.advanceTimersByTimeAsync(60_000);
  return { doneMs: await ended, most };
}

test('C6: 40 frozen nodes of 300 cost little more than one of them', async () => {
  const frozenFirst = Array.from({ length: 300 }, (_, i) => (i < 40 ? FROZEN_MS : HEALTHY_MS));
  const { doneMs, most } = await askAll(new AskTurns(32, 32), frozenFirst);
  expect(doneMs).toBeLessThan(2_800);
  expect(most).toBeLessThanOrEqual(64);
});

test('C6: 300 frozen nodes of 300: as many as may wait beside do so, no more', async () => {
  const { doneMs, most } = await askAll(
    new AskTurns(32, 32),
    Array.from({ length: 300 }, () => FROZEN_MS),
  );
  expect(doneMs).toBeLessThan((Math.ceil(300 / 64) + 1) * FROZEN_MS);
  expect(most).toBe(64);
});

test('healthy nodes are asked so many at once, in turn', async () => {
  const { doneMs, most } = await askAll(
    new AskTurns(4, 4),
    Array.from({ length: 12 }, () => HEALTHY_MS),
  );
  expect([doneMs, most]).toEqual([3 * HEALTHY_MS, 4]);
});

test('a turn that was given away comes back only when its node is done', async () => {
  const turns = new AskTurns(1, 1);
  const silent = await turns.take();
  const order: string[] = [];
  const second = turns.take().then((turn) => {
    order.push('second');
    return turn;
  });
  const third = turns.take().then(() => order.push('third'));
  await jest.advanceTimersByTimeAsync(400);
  expect(order).toEqual([]);
  await jest.advanceTimersByTimeAsync(200);
  expect(order).toEqual(['second']);
  // Nobody else may wait beside: the second keeps its turn however long it takes.
  await jest.advanceTimersByTimeAsync(5_000);
  expect(order).toEqual(['second']);
  silent.end();
  // Now there is room for it.
  await third;
  (await second).end();
  expect(order).toEqual(['second', 'third']);
});
