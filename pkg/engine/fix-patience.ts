/**
 * What `fix` waits for. Gossip takes seconds: a problem that it may settle counts only when it was there for ten of them. What
 * ends without help is given its time at the end, when nothing else is left to do.
 */
import { AppError } from '../errors.ts';
import type { Step } from '../cluster/model/plan.ts';
import type { FixPlan, Repair } from '../cluster/plan/fix/fix-plan.ts';
import { PASSING } from './patience.ts';
import type { Clock } from './ports.ts';

const LOOK_EVERY_MS = 500;
const COUNTS_AFTER_MS = 10_000;
/** Codes of problems that an election, gossip or the servers themselves may end. */
const UNSETTLED: ReadonlySet<string> = new Set([
  'primary-incomplete',
  'primary-down',
  'slots-without-node',
  'no-quorum',
  'views-differ',
  'slots-contested',
  'slots-unclaimed',
  'slots-uncovered',
  'stray-keys',
  'ghost-node',
  'unknown-node',
  'replica-orphaned',
]);
/** Of what ends by itself, what ends soon; a guard or a copy of data may take as long as they like. */
const ENDS_SOON_MS = 30_000;
const ENDS_SOON: ReadonlySet<string> = new Set([
  'node-starting',
  'handshake',
  'epoch-collision',
  'views-differ',
  'primary-down',
  'slots-without-node',
  'address-unknown',
  'address-mismatch',
]);
/** What a repair leaves behind for some seconds: links are made anew, nodes are not sure of the cluster yet, probes look every 5 s. */
const AFTERMATH_MS = 15_000;
const AFTERMATH: ReadonlySet<string> = new Set(['link-down', 'replica-link-down', 'epoch-collision', 'pod-not-ready']);
/** Whoever was cut off says so at once; why, others see a node timeout later: somebody may have failed over a moment ago. */
const NOT_YET_CLEAR = 'cluster-state-fail';
/** A node that comes back into its shard by itself has two minutes; after that it is helped. */
const REJOINS_MS = 130_000;
const REJOINS: ReadonlySet<string> = new Set(['ghost-node', 'node-not-joined', 'empty-primary']);
const MOST_FAILURES = 3;
/** A server that was down says so for two seconds after all have found each other, which an election may precede. */
const DOWN_MS = 30_000;
const DOWN_LOOK_EVERY_MS = 1_000;

export interface FixPatience {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly tell: (sentence: string) => void;
}

type Look<S> = (look: () => Promise<S>, nextOf: (seen: S) => Repair | undefined) => Promise<S>;

/** @returns looks until the next repair is one that counts, or nothing is left that is worth waiting for */
export function fixPatience<S extends { readonly plan: FixPlan }>({ clock, signal, tell }: FixPatience): Look<S> {
  const since = new Map<string, number>();
  let idleSince: number | null = null;
  let worked = false;
  let said = '';
  const say = (sentence: string): void => {
    if (sentence !== said) tell(sentence);
    said = sentence;
  };
  return async (look, nextOf) => {
    for (;;) {
      const seen = await look();
      const now = clock.monotonic();
      const codes = new Set(seen.plan.repairs.map(({ code }) => code));
      for (const code of since.keys()) if (!codes.has(code)) since.delete(code);
      for (const code of codes) if (!since.has(code)) since.set(code, now);
      const next = nextOf(seen);
      if (next === undefined) {
        idleSince ??= now;
        const passing = passingOf(seen.plan, now - idleSince, worked);
        if (passing === null || signal.aborted) return seen;
        say(`${passing}; waiting`);
      } else {
        idleSince = null;
        const seenForMs = now - (since.get(next.code) ?? now);
        if (!UNSETTLED.has(next.code) || seenForMs >= COUNTS_AFTER_MS || signal.aborted) {
          worked = true;
          return seen;
        }
        say(`${next.code}: looking for ${COUNTS_AFTER_MS / 1000} s whether it settles by itself`);
      }
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  };
}

/** The sentence of something that is worth waiting for; null = nothing is, any more. */
function passingOf({ left }: FixPlan, idleMs: number, worked: boolean): string | null {
  const waits = left.find(({ why, problem: { code } }) => {
    if (idleMs < AFTERMATH_MS && (code === NOT_YET_CLEAR || (worked && AFTERMATH.has(code)))) return true;
    const ms = REJOINS.has(code) ? REJOINS_MS : ENDS_SOON.has(code) ? ENDS_SOON_MS : 0;
    return why === 'by-itself' && idleMs < ms;
  });
  return waits?.problem.sentence ?? null;
}

/** Steps that move keys stop for the same things as `scale`; the others only for what another look would tell. */
const PASSING_ELSEWHERE: ReadonlySet<string> = new Set([
  'node-changed',
  'slots-not-empty',
  'slots-refused',
  'tunnel',
  'refused',
  'timeout',
  'loading',
]);
const MOVING: ReadonlySet<Step['kind']> = new Set(['move-slots', 'settle-strays']);

/** @returns runs a step; one that stops because the cluster changed under it is left to the next look, but not for ever */
export function forgiving({
  clock,
  signal,
  tell,
}: FixPatience): (step: Step, run: () => Promise<void>) => Promise<void> {
  const failures = new Map<string, number>();
  return async (step, run) => {
    try {
      await whenNotDown(run, { clock, signal, tell });
    } catch (error) {
      const key = `${step.kind} ${error instanceof AppError ? error.code : ''}`;
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      const passing = MOVING.has(step.kind) ? PASSING : PASSING_ELSEWHERE;
      const passes = error instanceof AppError && passing.has(error.code);
      if (!passes || signal.aborted || count > MOST_FAILURES) throw error;
      tell(`${error.message}; looking again`);
    }
  };
}

/** What moves keys looks at both ends itself before it begins, so it may be run again as it is. */
async function whenNotDown(run: () => Promise<void>, { clock, signal, tell }: FixPatience): Promise<void> {
  const deadline = clock.monotonic() + DOWN_MS;
  for (let said = false; ; said = true) {
    try {
      return await run();
    } catch (error) {
      const isDown = error instanceof AppError && error.code === 'cluster-down';
      if (!isDown || signal.aborted || clock.monotonic() >= deadline) throw error;
      if (!said) tell(`${error.message}: the cluster says that it is down; waiting`);
    }
    await clock.sleep(DOWN_LOOK_EVERY_MS, signal);
  }
}
