/**
 * Waits for pods, shows how many are ready, and says why one is stuck. Ends early when waiting can't help: somebody has to
 * change something first; and when all others answer: a replica that can't find its primary is never ready by itself.
 */
import { AppError } from '../../errors.ts';
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
}

export async function waitPods(deps: WaitPodsDeps, names: readonly string[]): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([deps.signal, stop.signal]);
  const waiting: Waiting = { pods: [], troubles: [], fatalLooks: new Map() };
  const tell = (): void => {
    const ready = readyOf(waiting.pods, names).length;
    deps.report({ kind: 'pods', ready, total: names.length, troubles: waiting.troubles });
  };
  const allReady = new Promise<void>((resolve, reject) => {
    const onChange = (pods: readonly PodFacts[]): void => {
      waiting.pods = pods;
      tell();
      if (readyOf(pods, names).length === names.length) resolve();
    };
    deps.kube.watchPods(deps.selector, onChange, signal).catch(reject);
  });
  try {
    await Promise.race([allReady, lookForTrouble(deps, names, waiting, tell, signal)]);
  } finally {
    stop.abort();
  }
}

function readyOf(pods: readonly PodFacts[], names: readonly string[]): PodFacts[] {
  const wanted = new Set(names);
  return pods.filter((pod) => wanted.has(pod.name) && pod.ready && !pod.terminating);
}

/** Ends when all pods are up without being ready, or by throwing. */
async function lookForTrouble(
  deps: WaitPodsDeps,
  names: readonly string[],
  waiting: Waiting,
  tell: () => void,
  signal: AbortSignal,
): Promise<void> {
  const deadline = deps.clock.now() + deps.timeoutMs;
  await pause(deps, Math.min(PATIENCE_MS, deps.timeoutMs), signal);
  for (;;) {
    if (await allAnswer(deps, names, waiting.pods)) return;
    waiting.troubles = await troublesOf(deps.kube, names, waiting.pods);
    tell();
    const fatal = waiting.troubles.find((trouble) => trouble.fatal && seenOften(waiting.fatalLooks, trouble));
    if (fatal !== undefined) throw stuck(fatal, deps.resume);
    if (deps.clock.now() >= deadline) throw timedOut(deps, names, waiting);
    await pause(deps, LOOK_EVERY_MS, signal);
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

async function pause(deps: WaitPodsDeps, milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await deps.clock.sleep(milliseconds, signal);
  } catch (error) {
    if (!deps.signal.aborted) throw error;
    throw new AppError('Interrupted while waiting for pods', {
      code: 'interrupted',
      exitCode: 130,
      hint: `${deps.resume} goes on from here`,
    });
  }
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
  const key = `${trouble.pod} ${trouble.code}`;
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
  const why = first === undefined ? undefined : `${first.pod}: ${first.sentence}`;
  return new AppError(`${ready} of ${names.length} pods were ready after ${Math.round(deps.timeoutMs / 1000)} s`, {
    code: 'pods-timeout',
    cause: why === undefined ? undefined : new Error(why),
    hint: `${deps.resume} goes on from here; --timeout gives it more time`,
  });
}
