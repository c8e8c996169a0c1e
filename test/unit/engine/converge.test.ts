import { describe, expect, test } from '@jest/globals';
import { AppError } from '../../../pkg/errors.ts';
import type { Observation } from '../../../pkg/cluster/model/observation.ts';
import type { Batch, Plan, Step } from '../../../pkg/cluster/model/plan.ts';
import { converge, type ConvergeDeps } from '../../../pkg/engine/converge.ts';
import type { Progress } from '../../../pkg/engine/report.ts';
import { healthyObservation } from '../../support/observation.ts';

function batch(title: string, count = 1): Batch {
  return {
    title,
    steps: Array.from({ length: count }, (_, i): Step => ({
      kind: 'wait-pods',
      pods: [String(i)],
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
    lease: { assertHeld: () => undefined },
    report: (progress) => void told.push(progress),
    clock: { now: () => 0, sleep: async () => undefined },
    signal: abort.signal,
    ...change,
  };
  return { deps, applied, told, abort };
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
        assertHeld: () => {
          throw new AppError('lost', { code: 'lease-lost' });
        },
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
