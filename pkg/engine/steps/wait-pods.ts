/**
 * Waits for pods, shows how many are ready, and says why one is stuck. Ends early when waiting can't help: somebody has to
 * change something first; and when all others answer: a replica that can't find its primary is never ready by itself.
 */
import { AppError } from '../../errors.ts';
import { TRIED_ANNOTATION } from '../../cluster/model/labels.ts';
import type { PodFacts } from '../../cluster/model/observation.ts';
import type { Clock, KubePort, PodTrouble } from '../ports.ts';
import type { Report } from '../report.ts';

/** A pod gets this long before we ask what is the matter with it. */
const PATIENCE_MS = 3_000;
const LOOK_EVERY_MS = 2_000;
/** A fatal trouble is looked at this often before it ends the wait: the first failed pull or crash may be a hiccup. */
const FATAL_LOOKS = 2;

export interface WaitPodsDeps {
  readonly kube: KubePort;
  readonly clock: Clock;
  readonly report: Report;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** Whether the Redis in a pod answers. */
  readonly answers: (pod: PodFacts) => Promise<boolean>;
  /** Label selector of the cluster's pods. */
  readonly selector: string;
  /** The command that goes on from here, for the error's hint. */
  readonly resume: string;
}

interface Waiting {
  pods: readonly PodFacts[];
  troubles: readonly PodTrouble[];
  readonly fatalLooks: Map<string, number>;
  /** Marks of what had happened before this wait began, by pod and code: it may have been mended since. */
  readonly history: Map<string, string>;
}

export async function waitPods(deps: WaitPodsDeps, names: readonly string[]): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([deps.signal, stop.signal]);
  const waiting: Waiting = { pods: [], troubles: [], fatalLooks: new Map(), history: new Map() };
  const tell = (): void => {
    const ready = readyOf(waiting.pods, names).length;
    deps.report({ kind: 'pods', ready, total: names.length, troubles: waiting.troubles });
  };
  let onListed = (): void => undefined;
  const listed = new Promise<void>((resolve) => (onListed = resolve));
  const allReady = new Promise<void>((resolve, reject) => {
    const onChange = (pods: readonly PodFacts[]): void => {
      waiting.pods = pods;
      tell();
      onListed();
      if (readyOf(pods, names).length === names.length) resolve();
    };
    deps.kube.watchPods(deps.selector, onChange, signal).catch(reject);
  });
  const look = async (): Promise<void> => {
    await listed;
    await readHistory(deps, names, waiting);
    await lookForTrouble(deps, names, waiting, tell, signal);
  };
  try {
    // First, so that it is what is told. Not only between two looks: a request that is under way, the first list of all, may never be
    // answered.
    await Promise.race([whenStopped(deps, stop.signal), allReady, look()]);
  } finally {
    stop.abort();
  }
}

function readyOf(pods: readonly PodFacts[], names: readonly string[]): PodFacts[] {
  const wanted = new Set(names);
  return pods.filter((pod) => wanted.has(pod.name) && pod.ready && !pod.terminating);
}

/** More would only ask the server about pods that are on their way. */
const MOST_LOOKED_BACK = 20;

/**
 * What went wrong before this wait, of pods that are not there and of those that fail. It ends no wait: a quota that was raised since
 * leaves the event that told of it, and a controller that has been refused for long tries again only after minutes. So the controllers
 * of missing pods are asked to try now, by a mark on their StatefulSet.
 */
async function readHistory({ kube, clock }: WaitPodsDeps, names: readonly string[], waiting: Waiting): Promise<void> {
  const byName = new Map(waiting.pods.map((pod) => [pod.name, pod]));
  const suspects = names.filter((name) => {
    const pod = byName.get(name);
    return pod === undefined || (!pod.ready && (pod.container.restarts > 0 || pod.container.state === 'waiting'));
  });
  for (const trouble of await pastTroubles(kube, suspects.slice(0, MOST_LOOKED_BACK), waiting.pods)) {
    if (trouble.mark === undefined) continue;
    waiting.history.set(keyOf(trouble), trouble.mark);
    if (trouble.code === 'rejected') await tryAgainNow(kube, trouble.pod.replace(/-0$/, ''), clock.now());
  }
}

/** Without the right to look back, all that is seen later counts. */
async function pastTroubles(
  kube: KubePort,
  names: readonly string[],
  pods: readonly PodFacts[],
): Promise<readonly PodTrouble[]> {
  try {
    return await troublesOf(kube, names, pods);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [];
  }
}

/** Any change makes the controller look at once. One that can't be made costs nothing but time. */
async function tryAgainNow(kube: KubePort, name: string, nowMs: number): Promise<void> {
  try {
    const set = await kube.get('apps/v1', 'StatefulSet', name);
    if (set === null) return;
    const annotations = { ...set.metadata.annotations, [TRIED_ANNOTATION]: new Date(nowMs).toISOString() };
    await kube.replace({
      ...set,
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { ...set.metadata, annotations },
    });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
  }
}

function keyOf({ pod, code }: PodTrouble): string {
  return `${pod} ${code}`;
}

/** Said, or happened, before this wait began. */
function isHistory({ history }: Waiting, trouble: PodTrouble): boolean {
  return trouble.mark !== undefined && history.get(keyOf(trouble)) === trouble.mark;
}

/** Ends when all pods are up without being ready, or by throwing. */
async function lookForTrouble(
  deps: WaitPodsDeps,
  names: readonly string[],
  waiting: Waiting,
  tell: () => void,
  signal: AbortSignal,
): Promise<void> {
  const deadline = deps.clock.monotonic() + deps.timeoutMs;
  await deps.clock.sleep(Math.min(PATIENCE_MS, deps.timeoutMs), signal);
  for (;;) {
    if (await allAnswer(deps, names, waiting.pods)) return;
    waiting.troubles = await troublesOf(deps.kube, names, waiting.pods);
    tell();
    const fatal = waiting.troubles.find(
      (trouble) => trouble.fatal && !isHistory(waiting, trouble) && seenOften(waiting.fatalLooks, trouble),
    );
    if (fatal !== undefined) throw stuck(fatal, deps.resume);
    if (deps.clock.monotonic() >= deadline) throw timedOut(deps, names, waiting);
    await deps.clock.sleep(LOOK_EVERY_MS, signal);
  }
}

/** Asks one after the other, and no further than the first that does not answer. */
async function allAnswer(deps: WaitPodsDeps, names: readonly string[], pods: readonly PodFacts[]): Promise<boolean> {
  const byName = new Map(pods.map((pod) => [pod.name, pod]));
  const running = names.flatMap((name) => byName.get(name) ?? []).filter((pod) => isRunning(pod));
  if (running.length < names.length) return false;
  for (const pod of running) if (!pod.ready && !(await deps.answers(pod))) return false;
  return true;
}

function isRunning(pod: PodFacts): boolean {
  return pod.phase === 'Running' && pod.container.state === 'running' && !pod.terminating;
}

/** Never resolves. @param over when nobody waits any more */
function whenStopped({ signal, resume }: WaitPodsDeps, over: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const onStop = (): void =>
      reject(
        new AppError('Interrupted while waiting for pods', {
          code: 'interrupted',
          exitCode: 130,
          hint: `${resume} goes on from here`,
        }),
      );
    if (signal.aborted) onStop();
    else signal.addEventListener('abort', onStop, { once: true, signal: over });
  });
}

async function troublesOf(kube: KubePort, names: readonly string[], pods: readonly PodFacts[]): Promise<PodTrouble[]> {
  const byName = new Map(pods.map((pod) => [pod.name, pod]));
  const found = await Promise.all(
    names.map(async (name) => {
      const pod = byName.get(name);
      if (pod === undefined) return kube.whyNoPod(name.replace(/-0$/, ''));
      return pod.ready ? null : kube.whyNotReady(pod);
    }),
  );
  return found.filter((trouble) => trouble !== null);
}

function seenOften(looks: Map<string, number>, trouble: PodTrouble): boolean {
  const key = keyOf(trouble);
  const count = (looks.get(key) ?? 0) + 1;
  looks.set(key, count);
  return count >= FATAL_LOOKS;
}

function stuck(trouble: PodTrouble, resume: string): AppError {
  return new AppError(`${trouble.pod}: ${trouble.sentence}`, {
    code: `pod-${trouble.code}`,
    cause: trouble.evidence.length === 0 ? undefined : new Error(trouble.evidence.join(' | ')),
    hint: `Mend that, then ${resume} goes on from here; what was made is listed by kubectl get all -l kubectl-redis.io/cluster`,
  });
}

function timedOut(deps: WaitPodsDeps, names: readonly string[], waiting: Waiting): AppError {
  const ready = readyOf(waiting.pods, names).length;
  const [first] = waiting.troubles;
  const past = first !== undefined && isHistory(waiting, first) ? ' (before this wait; not tried again since)' : '';
  const why = first === undefined ? undefined : `${first.pod}: ${first.sentence}${past}`;
  return new AppError(`${ready} of ${names.length} pods were ready after ${Math.round(deps.timeoutMs / 1000)} s`, {
    code: 'pods-timeout',
    cause: why === undefined ? undefined : new Error(why),
    hint: `${deps.resume} goes on from here; --timeout gives it more time`,
  });
}
