import { describe, expect, test } from '@jest/globals';
import { AppError } from '../../../pkg/errors.ts';
import type { Observation } from '../../../pkg/cluster/model/observation.ts';
import type { Batch, Plan, Step } from '../../../pkg/cluster/model/plan.ts';
import { converge, type ConvergeDeps } from '../../../pkg/engine/converge.ts';
import type { Progress } from '../../../pkg/engine/report.ts';
import { movingClock } from '../../support/fake-clock.ts';
import { healthyObservation } from '../../support/observation.ts';

function batch(title: string, count = 1): Batch {
  return {
    title,
    steps: Array.from({ length: count }, (_, i): Step => ({
      kind: 'wait-pods',
      pods: [`${title}-${i}`],
      reason: `${title} ${i}`,
    })),
  };
}

interface World {
  readonly deps: ConvergeDeps;
  readonly applied: string[];
  readonly told: Progress[];
  readonly abort: AbortController;
}

/** Plans are played one after the other; the last one is repeated. */
function world(plans: readonly Plan[], change: Partial<ConvergeDeps> = {}): World {
  const applied: string[] = [];
  const told: Progress[] = [];
  const abort = new AbortController();
  let turn = 0;
  const observation: Observation = healthyObservation();
  const deps: ConvergeDeps = {
    observe: async () => observation,
    plan: () => plans[Math.min(turn++, plans.length - 1)] ?? { kind: 'nothing', remarks: [] },
    apply: async (step) => void applied.push(step.reason),
    lease: { pass: () => Promise.resolve() },
    report: (progress) => void told.push(progress),
    clock: movingClock(),
    signal: abort.signal,
    ...change,
  };
  return { deps, applied, told, abort };
}

/** Plans that come one after the other, and again from the first. */
function circle(plans: readonly Plan[]): World {
  const played = world(plans);
  let turn = 0;
  const next = (): Plan => {
    // A runaway must not run for ever here.
    if (turn > 1_000) throw new Error('for ever');
    return plans[turn++ % plans.length] ?? nothing;
  };
  return { ...played, deps: { ...played.deps, plan: next } };
}

const plan = (...batches: Batch[]): Plan => ({ kind: 'batches', batches, remarks: [] });
const nothing: Plan = { kind: 'nothing', remarks: [] };

describe('converge', () => {
  test('runs only the first batch of each plan, then plans again', async () => {
    const { deps, applied } = world([plan(batch('a', 2), batch('never')), plan(batch('b')), nothing]);
    expect(await converge(deps)).toMatchObject({ batches: 2, steps: 3, changes: 0 });
    expect(applied).toEqual(['a 0', 'a 1', 'b 0']);
  });

  test('nothing to do: no step, no report', async () => {
    const { deps, told } = world([nothing]);
    expect(await converge(deps)).toMatchObject({ batches: 0, steps: 0 });
    expect(told).toEqual([]);
  });

  test('a refused plan ends it with exit code 3', async () => {
    const { deps } = world([{ kind: 'refused', code: 'other-shape', sentence: 'It is another one', hint: 'scale' }]);
    await expect(converge(deps)).rejects.toMatchObject({ code: 'other-shape', exitCode: 3, hint: 'scale' });
  });

  test('the same batch for ever is given up, with its reason', async () => {
    const { deps, applied } = world([plan(batch('again'))]);
    await expect(converge(deps)).rejects.toMatchObject({ code: 'no-progress' });
    expect(applied).toHaveLength(3);
  });

  test.each([2, 3, 5, 8, 13])('C2: %d plans that come in turns for ever are given up', async (count) => {
    const { deps, applied } = circle(Array.from({ length: count }, (_, i) => plan(batch(`turn ${i}`))));
    await expect(converge(deps)).rejects.toMatchObject({ code: 'no-progress' });
    expect(applied.length).toBeGreaterThanOrEqual(3 * count);
    expect(applied.length).toBeLessThanOrEqual(4 * count);
  });

  test('C2: what comes in turns is named', async () => {
    const { deps } = circle([plan(batch('say yes')), plan(batch('say no'))]);
    await expect(converge(deps)).rejects.toThrow(/^"say (no|yes)", "say (no|yes)" were done in turns, 3 times each/);
  });

  test('C2: a pod that is replaced again and again is a circle, though it has another uid each time', async () => {
    const { deps, applied } = world([]);
    let turn = 0;
    const next = (): Plan => {
      turn += 1;
      if (turn > 1_000) throw new Error('for ever');
      const replace = {
        kind: 'replace-pod',
        pod: 'redis-1-0',
        podUid: `uid ${turn}`,
        reason: `${turn} is old`,
      } as const;
      return plan({ title: 'replace pods', steps: [replace] });
    };
    await expect(converge({ ...deps, plan: next })).rejects.toMatchObject({ code: 'no-progress' });
    expect(applied).toHaveLength(3);
  });

  test('C2: the same first batch in front of less and less is progress', async () => {
    const rest = Array.from({ length: 20 }, (_, i) => batch(`node ${i}`));
    const plans = rest.map((_, i) => plan(batch('wait'), ...rest.slice(i)));
    const { deps } = world([...plans, nothing]);
    expect(await converge(deps)).toMatchObject({ batches: 20 });
  });

  test('C2: waits between steps that are new are no circle', async () => {
    const plans = Array.from({ length: 30 }, (_, i) => [plan(batch('agree')), plan(batch(`node ${i}`))]).flat();
    const { deps } = world([...plans, nothing]);
    expect(await converge(deps)).toMatchObject({ batches: 60 });
  });

  test('C2: ghosts without pods are told apart by their ids', async () => {
    const ghosts = Array.from({ length: 9 }, (_, i) => {
      const forget = { kind: 'forget', victim: { nodeId: `ghost ${i}`, pod: '' }, nodes: [], reason: 'x' } as const;
      return plan({ title: 'forget', steps: [forget] });
    });
    const { deps } = world([...ghosts, nothing]);
    expect(await converge(deps)).toMatchObject({ batches: 9 });
  });

  test('C3: after a failed step those that wait for their turn are not begun, those that run end first', async () => {
    const begun: string[] = [];
    let ended = 0;
    const { deps } = world([plan(batch('a', 100))], {
      apply: async (step) => {
        begun.push(step.reason);
        if (step.reason === 'a 3') throw new AppError('broken', { code: 'step-failed' });
        for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
        ended += 1;
      },
    });
    await expect(converge(deps)).rejects.toMatchObject({ code: 'step-failed' });
    expect([begun.length, ended]).toEqual([20, 19]);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(begun).toHaveLength(20);
  });

  test('a failing step: the others of its batch end first, nothing after it is run', async () => {
    let ended = 0;
    const { deps } = world([plan(batch('a', 3)), plan(batch('b'))], {
      apply: async (step) => {
        if (step.reason === 'a 0') throw new AppError('broken', { code: 'step-failed' });
        await new Promise((resolve) => setImmediate(resolve));
        ended += 1;
      },
    });
    await expect(converge(deps)).rejects.toMatchObject({ code: 'step-failed' });
    expect(ended).toBe(2);
  });

  test('a lost lease stops it before the next step', async () => {
    const { deps, applied } = world([plan(batch('a'))], {
      lease: {
        pass: () => Promise.reject(new AppError('lost', { code: 'lease-lost' })),
      },
    });
    await expect(converge(deps)).rejects.toMatchObject({ code: 'lease-lost' });
    expect(applied).toEqual([]);
  });

  test('an abort stops it between steps with exit code 130', async () => {
    const played = world([plan(batch('a')), plan(batch('b')), nothing]);
    const deps = {
      ...played.deps,
      apply: async (step: Step) => {
        played.applied.push(step.reason);
        played.abort.abort();
      },
    };
    await expect(converge(deps)).rejects.toMatchObject({ code: 'interrupted', exitCode: 130 });
    expect(played.applied).toEqual(['a 0']);
  });
});
