import { describe, expect, test } from '@jest/globals';
import type { Plan, Step } from '../../../pkg/cluster/model/plan.ts';
import { patientLook, patientMoves } from '../../../pkg/engine/patience.ts';
import { AppError } from '../../../pkg/errors.ts';

const STEP: Extract<Step, { kind: 'move-slots' }> = {
  kind: 'move-slots',
  source: { nodeId: 'a', pod: 'redis-1-0' },
  target: { nodeId: 'b', pod: 'redis-2-0' },
  ranges: [{ start: 0, end: 9 }],
  reason: 'a test',
};
const REFUSED: Plan = { kind: 'refused', code: 'owner-silent', sentence: 'redis-1-0 is silent', hint: 'wait' };
const NOTHING: Plan = { kind: 'nothing', remarks: [] };

function setUp(plans: readonly Plan[]): { run: (code: string) => Promise<void>; said: string[]; looks: () => number } {
  let now = 0;
  let looks = 0;
  const said: string[] = [];
  const patient = patientMoves({
    clock: {
      now: () => now,
      monotonic: () => now,
      sleep: (milliseconds) => {
        now += milliseconds;
        return Promise.resolve();
      },
    },
    signal: new AbortController().signal,
    planAgain: () => Promise.resolve(plans[Math.min(looks++, plans.length - 1)] ?? NOTHING),
    parallel: 2,
    tell: (sentence) => said.push(sentence),
  });
  const run = (code: string): Promise<void> =>
    patient(STEP, () => Promise.reject(new AppError('it stopped', { code })));
  return { run, said, looks: () => looks };
}

describe('a move that stops', () => {
  test('for a failover: waits until a plan can be made, says so, and leaves the rest to that', async () => {
    const { run, said, looks } = setUp([REFUSED, REFUSED, NOTHING]);
    await run('role-changed');
    expect([said, looks()]).toEqual([['it stopped; looking again'], 3]);
  });

  test('for what a person must mend: ends at once', async () => {
    const { run, looks } = setUp([NOTHING]);
    await expect(run('target-out-of-memory')).rejects.toMatchObject({ code: 'target-out-of-memory' });
    expect(looks()).toBe(0);
  });

  test('and nobody takes over within a minute: ends with the first error', async () => {
    await expect(setUp([REFUSED]).run('role-changed')).rejects.toMatchObject({ message: 'it stopped' });
  });

  test('again and again: ends', async () => {
    const { run } = setUp([NOTHING]);
    for (let i = 0; i < 5; i++) await run('timeout');
    await expect(run('timeout')).rejects.toMatchObject({ code: 'timeout' });
  });
});

describe('a look at a cluster', () => {
  const setUpLook = (plans: readonly Plan[]): { look: () => Promise<number>; said: string[] } => {
    let now = 0;
    let looks = 0;
    const said: string[] = [];
    const look = patientLook<number>({
      clock: {
        now: () => now,
        monotonic: () => now,
        sleep: (milliseconds) => {
          now += milliseconds;
          return Promise.resolve();
        },
      },
      signal: new AbortController().signal,
      look: () => Promise.resolve(looks++),
      plan: (seen) => plans[Math.min(seen, plans.length - 1)] ?? NOTHING,
      tell: (sentence) => said.push(sentence),
    });
    return { look, said };
  };

  test.each(['owner-silent', 'node-silent', 'slots-uncovered', 'slots-contested', 'ghost-node'])(
    'which is refused for what passes (%s): again until it has passed, and it is said once',
    async (code) => {
      const silent: Plan = { ...REFUSED, code };
      const { look, said } = setUpLook([silent, silent, NOTHING]);
      expect([await look(), said]).toEqual([2, ['redis-1-0 is silent; waiting']]);
    },
  );

  test('which is refused for what does not pass: at once', async () => {
    expect(await setUpLook([{ ...REFUSED, code: 'foreign-node' }, NOTHING]).look()).toBe(0);
  });

  test('for no longer than a minute', async () => {
    expect(await setUpLook([REFUSED]).look()).toBe(121);
  });
});
