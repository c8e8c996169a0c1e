/** What `fix` waits for, on a clock of its own. */
import { describe, expect, test } from '@jest/globals';
import type { Problem } from '../../../pkg/cluster/model/problem.ts';
import type { FixPlan, LeftReason, Repair } from '../../../pkg/cluster/plan/fix/fix-plan.ts';
import { AppError } from '../../../pkg/errors.ts';
import type { Step } from '../../../pkg/cluster/model/plan.ts';
import { fixPatience, forgiving } from '../../../pkg/engine/fix-patience.ts';

const repairOf = (code: string): Repair => ({
  code,
  severity: 'warning',
  title: code,
  titles: [code],
  why: '',
  nodes: [],
  slots: [],
  batches: [{ title: code, steps: [] }],
  loses: null,
});
const problemOf = (code: string): Problem => ({
  code,
  subject: null,
  severity: 'warning',
  sentence: `${code}.`,
  nodes: [],
  slots: [],
  repair: '',
});
const planOf = (repairs: readonly string[], left: readonly (readonly [string, LeftReason])[] = []): FixPlan => ({
  repairs: repairs.map(repairOf),
  left: left.map(([code, why]) => ({ problem: problemOf(code), why, flag: null, hint: '' })),
});

/** Looks until it is content; each look of `plans` is half a second after the one before, the last one for ever. */
function waiting(plans: readonly FixPlan[]): { next: () => Promise<{ plan: FixPlan; atMs: number }>; said: string[] } {
  let now = 0;
  let looks = 0;
  const said: string[] = [];
  const clock = {
    now: () => now,
    monotonic: () => now,
    sleep: (milliseconds: number) => {
      now += milliseconds;
      return Promise.resolve();
    },
  };
  const patient = fixPatience<{ plan: FixPlan }>({
    clock,
    signal: new AbortController().signal,
    tell: (sentence) => said.push(sentence),
  });
  const look = () => Promise.resolve({ plan: plans[Math.min(looks++, plans.length - 1)] ?? planOf([]) });
  return {
    said,
    next: async () => {
      const { plan } = await patient(look, (seen) => seen.plan.repairs[0]);
      return { plan, atMs: now };
    },
  };
}

describe('fix', () => {
  test('repairs at once what does not pass, and after ten seconds what may', async () => {
    expect((await waiting([planOf(['slots-open'])]).next()).atMs).toBe(0);
    const { next, said } = waiting([planOf(['stray-keys'])]);
    expect((await next()).atMs).toBe(10_000);
    expect(said).toEqual(['stray-keys: looking for 10 s whether it settles by itself']);
  });

  test('does not repair what settled meanwhile', async () => {
    const views = planOf(['views-differ']);
    const { plan, atMs } = await waiting([views, views, planOf([])]).next();
    expect([plan.repairs, atMs]).toEqual([[], 1_000]);
  });

  test('waits for the end of what ends by itself, but not for ever', async () => {
    const handshake = planOf([], [['handshake', 'by-itself']]);
    expect((await waiting([handshake, handshake, planOf([])]).next()).atMs).toBe(1_000);
    expect((await waiting([handshake]).next()).atMs).toBe(30_000);
  });

  test('waits for why a cluster says that it is down', async () => {
    const down = planOf([], [['cluster-state-fail', 'by-hand']]);
    const { plan, atMs } = await waiting([down, down, planOf(['address-unknown'])]).next();
    expect([plan.repairs[0]?.code, atMs]).toEqual(['address-unknown', 1000]);
    expect((await waiting([down]).next()).atMs).toBe(15_000);
  });

  test('waits for links and nodes to settle behind a repair, and only there', async () => {
    const links = planOf([], [['link-down', 'by-hand']]);
    expect((await waiting([links]).next()).atMs).toBe(0);
    const afterwards = waiting([planOf(['address-mismatch']), links, links, planOf([])]);
    await afterwards.next();
    expect((await afterwards.next()).atMs).toBe(1_000);
  });
});

describe('a step that moves keys while the cluster says that it is down', () => {
  const strays = { kind: 'settle-strays' } as Step;
  const failing = (times: number, code: string) => {
    const at = { now: 0, runs: 0, said: [] as string[] };
    const clock = {
      now: () => at.now,
      monotonic: () => at.now,
      sleep: (ms: number) => Promise.resolve(void (at.now += ms)),
    };
    const { signal } = new AbortController();
    const forgive = forgiving({ clock, signal, tell: (sentence) => void at.said.push(sentence) });
    const done = forgive(strays, () =>
      ++at.runs > times ? Promise.resolve() : Promise.reject(new AppError('redis-1-0 did not take a key', { code })),
    );
    return { at, done };
  };

  test('is run again until it is not', async () => {
    const { at, done } = failing(4, 'cluster-down');
    await done;
    expect(at).toEqual({
      now: 4_000,
      runs: 5,
      said: ['redis-1-0 did not take a key: the cluster says that it is down; waiting'],
    });
  });

  test('but for half a minute only, and the next look decides', async () => {
    const { at, done } = failing(1_000, 'cluster-down');
    await done;
    expect([at.now, at.said.length]).toEqual([30_000, 2]);
  });

  test('and nothing else is run again', async () => {
    const { at, done } = failing(1, 'step-failed');
    await expect(done).rejects.toThrow('did not take a key');
    expect(at.runs).toBe(1);
  });
});
