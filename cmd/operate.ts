/** What all verbs that change a cluster do alike: the width to draw in, one question, live progress, how to go on after Ctrl-C. */
import { AppError, EXIT, usageError } from '../pkg/errors.ts';
import type { Report } from '../pkg/engine/report.ts';
import type { ClusterRef } from '../pkg/cluster/model/observation.ts';
import type { ClusterState } from '../pkg/cluster/model/state.ts';
import type { ObservePorts } from '../pkg/engine/observe.ts';
import { giveBackLapsed } from '../pkg/engine/operation.ts';
import type { Deps } from './deps.ts';
import type { Globals } from './global-flags.ts';
import { createProgress } from './progress.ts';
import type { Output } from './output.ts';
import type { Look } from './terminal.ts';

/** A document shows a plan, so there must be nobody to run it. @throws usage error */
export function refuseBareOutput(flags: { readonly output: Output<string>; readonly 'dry-run': boolean }): void {
  if (flags.output !== 'table' && !flags['dry-run']) throw usageError(`-o ${flags.output} goes with --dry-run`);
}

/** Before it is said that nothing is to be done. */
export function endLapsed(
  ports: ObservePorts,
  state: Pick<ClusterState, 'cluster' | 'operation'>,
  { terminal, signal }: Deps,
): Promise<void> {
  const report: Report = (progress) => {
    if (progress.kind === 'trouble') terminal.say(`  ! ${progress.sentence}\n`);
  };
  return giveBackLapsed(ports, state, { report, signal });
}

/** How plans are drawn: on stderr, as wide as the terminal. */
export function planLook({ terminal }: Deps, globals: Globals): Look {
  return { ...terminal.look(globals.color), width: terminal.size()?.columns ?? null };
}

/** `--dry-run`: the plan on stdout, in words or as a document, which is made only when it is asked for. */
export async function writePlan(
  { terminal }: Deps,
  output: Output<'json' | 'yaml'>,
  linesOf: (look: Look) => readonly string[],
  documentOf: () => Promise<object>,
): Promise<void> {
  if (output === 'table') {
    terminal.write(`${linesOf({ width: terminal.size()?.columns ?? null, colour: false }).join('\n')}\n`);
    return;
  }
  const [{ printDocument }, document] = await Promise.all([import('./document/document.ts'), documentOf()]);
  terminal.write(await printDocument(document, output));
}

/** @throws AppError `declined`, exit code 3 */
export async function confirmOrStop(question: string, fallback: boolean): Promise<void> {
  const { createAsker } = await import('./ask.ts');
  const asker = createAsker(process.stdin, process.stderr);
  try {
    if (await asker.confirm(question, fallback)) return;
  } finally {
    asker.close();
  }
  throw new AppError('Nothing was changed', { code: 'declined', exitCode: EXIT.refused });
}

export interface Question {
  readonly text: string;
  /** What Enter means. */
  readonly fallback: boolean;
}

/**
 * Shows a plan, asks, and looks again: the person may have read for minutes. Where what they agreed to is not what would be done now, the
 * new plan is shown and asked for; so what runs is what was agreed to.
 *
 * @param question null: nobody is asked, and the plan is run as it was made
 * @param again makes the plan anew; null when nothing is left to do
 * @returns the plan to run, or null
 * @throws AppError `declined`, and what `again` throws
 */
export async function agreeOn<P extends { readonly fingerprint: string }>(
  first: P,
  deps: Pick<Deps, 'terminal'>,
  how: {
    readonly show: (prepared: P) => void;
    readonly question: ((prepared: P) => Question) | null;
    readonly again: () => Promise<P | null>;
    /** Asks one question. @throws AppError `declined` */
    readonly confirm?: (text: string, fallback: boolean) => Promise<void>;
  },
): Promise<P | null> {
  const { show, question, again, confirm = confirmOrStop } = how;
  for (let shown = first; ;) {
    show(shown);
    if (question === null) return shown;
    const { text, fallback } = question(shown);
    await confirm(text, fallback);
    const now = await again();
    if (now === null || now.fingerprint === shown.fingerprint) return now;
    deps.terminal.say('The cluster has changed since this plan was made. Now it is:\n\n');
    shown = now;
  }
}

/** @param pods that answer and are not ready, though all is done that was to be done */
export function sayUnready(
  pods: readonly string[],
  { name, namespace }: ClusterRef,
  { terminal }: Pick<Deps, 'terminal'>,
): void {
  if (pods.length === 0) return;
  const who = `${pods.slice(0, 3).join(', ')}${pods.length > 3 ? ` and ${pods.length - 3} more` : ''}`;
  const verb = pods.length === 1 ? 'answers and is' : 'answer and are';
  terminal.say(`note: ${who} ${verb} not ready yet: kubectl redis check ${name} -n ${namespace} says why\n`);
}

export interface Operated<T> {
  readonly result: T;
  /** `12.3` */
  readonly seconds: string;
}

const SAYS_HOW = /goes on|same command/;

/**
 * Whatever ends an operation in the middle, its error says how to go on: an API server that is away knows nothing of operations. Refusals
 * and sentences that say it already stay as they are.
 */
export function withResume(error: unknown, resume: string): unknown {
  if (!(error instanceof AppError) || error.exitCode !== EXIT.failed || SAYS_HOW.test(error.hint ?? '')) return error;
  const { code, exitCode, cause, stack } = error;
  const first = error.hint === undefined ? '' : `${error.hint.replace(/\.$/, '')}. Then `;
  const hint = `${first}${resume} goes on from here`;
  const resumed = new AppError(error.message, { code, exitCode, hint, ...(cause === undefined ? {} : { cause }) });
  return stack === undefined ? resumed : Object.assign(resumed, { stack });
}

/** @param resume the command that goes on from wherever it stops */
export async function operate<T>(
  { terminal, clock, signal }: Deps,
  { colour, resume }: { readonly colour: boolean; readonly resume: string },
  work: (report: Report) => Promise<T>,
): Promise<Operated<T>> {
  const startedAt = clock.monotonic();
  const progress = createProgress({
    say: terminal.say,
    live: terminal.live,
    width: terminal.size()?.columns ?? 80,
    colour: colour && terminal.live,
    now: () => clock.monotonic(),
  });
  // At once: whoever does not wait for the end must know, too.
  const onAbort = (): void => {
    progress.end();
    terminal.say(`Stopping at a clean point; Ctrl-C again stops at once. ${resume} goes on from there.\n`);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const result = await work(progress.report);
    progress.end();
    return { result, seconds: ((clock.monotonic() - startedAt) / 1000).toFixed(1) };
  } catch (error) {
    progress.end();
    if (signal.aborted) terminal.say(`Stopped. ${resume} goes on from here.\n`);
    throw withResume(error, resume);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
