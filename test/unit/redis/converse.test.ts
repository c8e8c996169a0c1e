/** C6: deadlines are of listening: what was there while this process did not look is still heard. */
import { stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { inSeconds, inTime, orNothing } from '../../../pkg/redis/converse.ts';

/** Nothing else happens in this process meanwhile. */
function blockFor(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

test('an answer that came while the process was busy is not too late', async () => {
  // (One call of the system: reading a file takes several turns of this process.)
  const asked = inTime(100, () => stat('package.json'));
  blockFor(400);
  expect((await asked).isFile()).toBe(true);
  const counted = orNothing(100, stat('package.json'));
  blockFor(400);
  expect((await counted)?.isFile()).toBe(true);
});

test('one that does not come is not waited for, however late it is noticed', async () => {
  const startedAt = performance.now();
  const asked = inTime(50, () => new Promise(() => undefined)).catch((error: Error) => error.message);
  blockFor(300);
  expect(await asked).toBe('the connection did not open in 0.05 s');
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  expect(await orNothing(20, delay(5_000, 'late', { ref: false }))).toBeNull();
});

test('who was heard has no deadline here any more', async () => {
  const slow = inTime(30, async (stage) => {
    stage.heard();
    await delay(120);
    return 'counted';
  });
  expect(await slow).toBe('counted');
});

test.each([
  [2_000, '2 s'],
  [300, '0.3 s'],
  [12_500, '13 s'],
  [1_500, '1.5 s'],
])('%d ms is %s', (milliseconds, words) => expect(inSeconds(milliseconds)).toBe(words));
