/**
 * Moves of slots that stop because the cluster changed under them: a failover of an end, a tunnel that broke, a node that came back as
 * another pod. What was moved stays moved, so the cure is to look again and plan what is left, for as long as it gets on.
 */
import { AppError } from '../errors.ts';
import type { Plan, Step } from '../cluster/model/plan.ts';
import type { Clock } from './ports.ts';
import { queueUntilFailure } from './side-by-side.ts';

/** What is otherwise after a while, or after another plan. Anything else needs a person. */
export const PASSING: ReadonlySet<string> = new Set([
  'role-changed',
  'slots-elsewhere',
  'source-doubted',
  'node-changed',
  'target-not-ready',
  'cluster-down',
  'not-verified',
  'epochs-unsettled',
  'migration-failed',
  'migration-refused',
  // An owner fell silent since the plan was made.
  'stray-without-owner',
  'tunnel',
  'refused',
  'timeout',
  'loading',
  'error',
]);
/** A failover takes the node timeout and an election; a pod that moves to another host takes longer. */
const CALM_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 500;
/** Failures of one pair. */
const MOST_FAILURES = 5;

export interface PatienceDeps {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Looks and plans; a refusal is what is waited out. */
  readonly planAgain: () => Promise<Plan>;
  /** Pairs of nodes at a time. */
  readonly parallel: number;
  readonly tell: (sentence: string) => void;
}

type MoveStep = Extract<Step, { kind: 'move-slots' }>;

/** @returns runs a move; when it stops for what passes, it waits until a plan can be made again, and leaves the rest to that */
export function patientMoves(deps: PatienceDeps): (step: MoveStep, move: () => Promise<void>) => Promise<void> {
  const queue = queueUntilFailure(deps.parallel);
  const failures = new Map<string, number>();
  return (step, move) =>
    queue(async () => {
      const pair = `${step.source.pod} ${step.target.pod}`;
      try {
        await move();
      } catch (error) {
        const count = (failures.get(pair) ?? 0) + 1;
        failures.set(pair, count);
        const passes = error instanceof AppError && PASSING.has(error.code);
        if (!passes || deps.signal.aborted || count > MOST_FAILURES) throw error;
        deps.tell(`${error.message}; looking again`);
        await untilCalm(deps, error);
      }
    });
}

async function untilCalm({ clock, signal, planAgain }: PatienceDeps, error: AppError): Promise<void> {
  const deadline = clock.monotonic() + CALM_WITHIN_MS;
  for (;;) {
    await clock.sleep(LOOK_EVERY_MS, signal);
    const plan = await planAgain().catch(() => null);
    if (plan !== null && plan.kind !== 'refused') return;
    if (clock.monotonic() > deadline) throw error;
  }
}

/**
 * Refusals that a failover, or a node that was only slow to answer, ends by itself. Whoever was failed over while it was away claims
 * its slots until somebody tells it: after a restart of everything, for a second or two.
 */
const WAITED_OUT: ReadonlySet<string> = new Set([
  'owner-silent',
  'node-silent',
  'not-in-step',
  // One command tells replicas to drop any number of keys: for a moment who heard it later has more.
  'primary-incomplete',
  'replica-incomplete',
  'slots-uncovered',
  'slots-contested',
  'not-converged',
  // Who is stopped while the others know it at another address than its Service's is nobody of ours, until it counts as failed.
  'ghost-node',
]);

export interface LookDeps<O> {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly look: () => Promise<O>;
  readonly plan: (seen: O) => Plan;
  readonly tell: (sentence: string) => void;
}

/** @returns looks again, for at most a minute, while a node that matters is silent: what was begun is not given up for that */
export function patientLook<O>({ clock, signal, look, plan, tell }: LookDeps<O>): () => Promise<O> {
  return async () => {
    const deadline = clock.monotonic() + CALM_WITHIN_MS;
    let said = '';
    for (;;) {
      const seen = await look();
      const made = plan(seen);
      const waits = made.kind === 'refused' && WAITED_OUT.has(made.code) && !signal.aborted;
      if (!waits || clock.monotonic() > deadline) return seen;
      if (made.sentence !== said) tell(`${made.sentence}; waiting`);
      said = made.sentence;
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  };
}
