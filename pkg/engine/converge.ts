/**
 * The loop: observe, plan, run the first batch, observe again, until there is nothing to do.
 *
 * There is no journal. What a killed run left is seen by the next one's first observation.
 */
import { setMaxListeners } from 'node:events';
import { AppError, EXIT } from '../errors.ts';
import type { Observation } from '../cluster/model/observation.ts';
import type { Batch, Plan, Step } from '../cluster/model/plan.ts';
import { MOST_ROUNDS, circleWatch } from './circles.ts';
import type { Clock, Fence } from './ports.ts';
import type { Report } from './report.ts';
import { allOrFirstFailure } from './side-by-side.ts';

/** Steps of a batch that run at the same time. */
const STEPS_AT_ONCE = 20;
/** Steps that change nothing. */
const WAITS: ReadonlySet<Step['kind']> = new Set(['wait-pods', 'await-convergence', 'wait-gone']);

/** `O`: what is observed; a plan and a step are given the latest. */
export interface ConvergeDeps<O = Observation> {
  readonly observe: () => Promise<O>;
  readonly plan: (observation: O) => Plan;
  /** Runs a step and verifies it against the cluster; throws when it can't be verified. */
  readonly apply: (step: Step, observation: O) => Promise<void>;
  /** Asked before each step; what a step sends asks again. */
  readonly lease: Pick<Fence, 'pass'>;
  readonly report: Report;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface Converged<O = Observation> {
  readonly batches: number;
  readonly steps: number;
  /** Steps that changed something; the others only waited. */
  readonly changes: number;
  readonly last: O;
}

/** @throws AppError when the plan is refused, a step fails, the lease is lost or nothing moves. */
export async function converge<O = Observation>(deps: ConvergeDeps<O>): Promise<Converged<O>> {
  // Every step that waits listens to it: a warning about many listeners would be wrong.
  setMaxListeners(0, deps.signal);
  let batches = 0;
  let steps = 0;
  let changes = 0;
  const circleOf = circleWatch();
  for (;;) {
    stopIfAborted(deps.signal);
    const observation = await deps.observe();
    const plan = deps.plan(observation);
    if (plan.kind === 'refused')
      throw new AppError(plan.sentence, { code: plan.code, hint: plan.hint, exitCode: EXIT.refused });
    const batch = plan.kind === 'batches' ? plan.batches[0] : undefined;
    if (batch === undefined) return { batches, steps, changes, last: observation };
    const circle = circleOf(plan.kind === 'batches' ? plan.batches : []);
    if (circle !== null) throw stuck(batch, circle);
    await runBatch(deps, batch, observation);
    batches += 1;
    steps += batch.steps.length;
    changes += batch.steps.filter((step) => !WAITS.has(step.kind)).length;
  }
}

async function runBatch<O>(deps: ConvergeDeps<O>, batch: Batch, observation: O): Promise<void> {
  const { lease, report, clock, signal } = deps;
  const startedAt = clock.monotonic();
  let done = 0;
  report({ kind: 'batch', batch });
  await allOrFirstFailure(batch.steps, STEPS_AT_ONCE, async (step) => {
    stopIfAborted(signal);
    await lease.pass();
    await deps.apply(step, observation);
    done += 1;
    report({ kind: 'step-done', step, done, total: batch.steps.length });
  });
  report({ kind: 'batch-done', batch, elapsedMs: clock.monotonic() - startedAt });
}

function stopIfAborted(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new AppError('Interrupted', {
    code: 'interrupted',
    exitCode: EXIT.interrupted,
    hint: 'Run the same command again: it goes on from here',
  });
}

/** @param titles of the batches that only come again */
function stuck(batch: Batch, titles: readonly string[]): AppError {
  const first = batch.steps[0];
  const alone = `"${batch.title}" was done ${MOST_ROUNDS} times and the cluster did not change`;
  const inTurns = `${titles.map((title) => `"${title}"`).join(', ')} were done in turns, ${MOST_ROUNDS} times each, and the cluster did not change`;
  return new AppError(titles.length > 1 ? inTurns : alone, {
    code: 'no-progress',
    cause: first === undefined ? undefined : new Error(first.reason),
    hint: 'Look at kubectl redis status; run the same command again when it is mended',
  });
}
