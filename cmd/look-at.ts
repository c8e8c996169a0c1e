/** What every view does first: choose the cluster, read it, interpret it. */
import type { Observation } from '../pkg/cluster/model/observation.ts';
import type { ClusterState } from '../pkg/cluster/model/state.ts';
import { observe, type ObservePorts } from '../pkg/engine/observe.ts';
import type { FactsPart } from '../pkg/engine/ports.ts';
import { chooseCluster, exists, notFound } from './clusters.ts';
import type { Deps, Session } from './deps.ts';
import { nodeTimeoutMsOf } from './global-flags.ts';
import type { Globals } from './global-flags.ts';
import { oneLine } from './view/format.ts';

export interface LookOptions {
  /** Also what only the checks compare; costs the nodes some work. */
  readonly thorough: boolean;
  /** What the view does not show. */
  readonly leaveOut?: readonly FactsPart[];
}

export interface Seen {
  readonly observation: Observation;
  readonly state: ClusterState;
}

/** Opens a session for the time of `use`, which ends at once on Ctrl-C. */
export function withSession<T>(deps: Deps, globals: Globals, use: (session: Session) => Promise<T>): Promise<T> {
  return inSession(deps, globals, (session) => untilAborted(use(session), deps.signal));
}

/** The same for what changes something: on Ctrl-C it is waited for, because it gives its lease back first. */
export async function inSession<T>(deps: Deps, globals: Globals, use: (session: Session) => Promise<T>): Promise<T> {
  const session = await deps.openSession(globals);
  try {
    return await use(session);
  } finally {
    session.close();
  }
}

/** What the engine looks through. */
export function portsOf({ clock }: Deps, { kube, redis }: Session): ObservePorts {
  return { kube, redis, clock };
}

/** @throws {AppError} `cluster-not-found`, and whatever Kubernetes refuses. */
export async function lookAt(
  deps: Deps,
  session: Session,
  request: { readonly name: string | undefined; readonly globals: Globals },
  options: LookOptions,
): Promise<Seen> {
  session.prepare();
  const cluster = await chooseCluster(session, request.name);
  const observation = await observe(portsOf(deps, session), cluster, {
    deadlineMs: nodeTimeoutMsOf(request.globals),
    withConfig: options.thorough,
    countKeys: options.thorough,
    ...(options.thorough ? { explain: session.kube } : {}),
    signal: deps.signal,
    leaveOut: options.leaveOut ?? [],
  });
  if (!exists(cluster, observation.kube)) throw await notFound(session, cluster);
  const { interpret } = await import('../pkg/cluster/interpret.ts');
  return { observation, state: interpret(observation) };
}

/** Says on stderr what could not be read, so that an empty column is not a riddle. */
export function sayGaps(deps: Deps, state: ClusterState): void {
  for (const { what, why } of state.gaps) deps.terminal.say(`note: ${what} could not be read: ${oneLine(why)}\n`);
}

/** The promise, or a rejection when the signal aborts: nobody waits for a deadline after Ctrl-C. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('interrupted'));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
