/**
 * The loop: observe, plan, run the first batch, observe again, until there is nothing to do.
 *
 * There is no journal. What a killed run left is seen by the next one's first observation.
 */
import { setMaxListeners } from 'node:events';
import pLimit from 'p-limit';
import { AppError, EXIT } from '../errors.ts';
import type { Observation } from '../cluster/model/observation.ts';
import type { Batch, Plan, Step } from '../cluster/model/plan.ts';
import type { HeldLease } from './lease.ts';
import type { Clock } from './ports.ts';
import type { Report } from './report.ts';

/** Steps of a batch that run at the same time. */
const STEPS_AT_ONCE = 20;
/** The very same batch this often means that it does not do what it should. */
const SAME_BATCH_LIMIT = 3;
/** Steps that change nothing. */
const WAITS: ReadonlySet<Step['kind']> = new Set(['wait-pods', 'await-convergence', 'wait-gone']);

/** `O`: what is observed; a plan and a step are given the latest. */
export interface ConvergeDeps<O = Observation> {
  readonly observe: () => Promise<O>;
  readonly plan: (observation: O) => Plan;
  /** Runs a step and verifies it against the cluster; throws when it can't be verified. */
  readonly apply: (step: Step, observation: O) => Promise<void>;
  readonly lease: Pick<HeldLease, 'assertHeld'>;
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
  let previous = '';
  let repeated = 0;
  for (;;) {
    stopIfAborted(deps.signal);
    const observation = await deps.observe();
    const plan = deps.plan(observation);
    if (plan.kind === 'refused')
      throw new AppError(plan.sentence, { code: plan.code, hint: plan.hint, exitCode: EXIT.refused });
    const batch = plan.kind === 'batches' ? plan.batches[0] : undefined;
    if (batch === undefined) return { batches, steps, changes, last: observation };
    const signature = JSON.stringify(batch);
    repeated = signature === previous ? repeated + 1 : 0;
    previous = signature;
    if (repeated >= SAME_BATCH_LIMIT) throw stuck(batch);
    await runBatch(deps, batch, observation);
    batches += 1;
    steps += batch.steps.length;
    changes += batch.steps.filter((step) => !WAITS.has(step.kind)).length;
  }
}

async function runBatch<O>(deps: ConvergeDeps<O>, batch: Batch, observation: O): Promise<void> {
  const { lease, report, clock, signal } = deps;
  const limit = pLimit(STEPS_AT_ONCE);
  const startedAt = clock.now();
  let done = 0;
  report({ kind: 'batch', batch });
  const results = await Promise.allSettled(
    batch.steps.map((step) =>
      limit(async () => {
        stopIfAborted(signal);
        lease.assertHeld();
        await deps.apply(step, observation);
        done += 1;
        report({ kind: 'step-done', step, done, total: batch.steps.length });
      }),
    ),
  );
  // All steps are over before anything is thrown: nothing goes on behind the back of whoever reads the error.
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  report({ kind: 'batch-done', batch, elapsedMs: clock.now() - startedAt });
}

function stopIfAborted(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new AppError('Interrupted', {
    code: 'interrupted',
    exitCode: EXIT.interrupted,
    hint: 'Run the same command again: it goes on from here',
  });
}

function stuck(batch: Batch): AppError {
  const first = batch.steps[0];
  return new AppError(`"${batch.title}" was done ${SAME_BATCH_LIMIT} times and the cluster did not change`, {
    code: 'no-progress',
    cause: first === undefined ? undefined : new Error(first.reason),
    hint: 'Look at kubectl redis status; run the same command again when it is mended',
  });
}
