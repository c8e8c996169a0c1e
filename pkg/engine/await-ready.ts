/**
 * The end of what made or joined nodes: a replica that has just found its primary is ready only at the next look of its readiness probe,
 * up to five seconds later (ten in clusters above 100 nodes). Until then the client Service leaves it out, and whoever was told "ready"
 * would find a problem with `check`.
 */
import { AppError } from '../errors.ts';
import { CLUSTER_LABEL } from '../cluster/model/labels.ts';
import type { Observation, PodFacts } from '../cluster/model/observation.ts';
import type { Clock, KubePort } from './ports.ts';

/** Two looks of the slowest probe. What takes longer is named, and no reason to fail: the nodes agree by then. */
const PATIENCE_MS = 20_000;

export interface AwaitReadyDeps {
  readonly kube: Pick<KubePort, 'watchPods'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Waits until the pods whose Redis answers are ready, for 20 s at most. Pods whose Redis does not answer are not waited for.
 * @param last what was seen last
 * @returns names of those that are not ready even then, or when they can't be watched
 */
export async function awaitReady({ kube, clock, signal }: AwaitReadyDeps, last: Observation): Promise<string[]> {
  const names = new Set(unreadyPods(last));
  if (names.size === 0) return [];
  let unready = [...names];
  const stop = new AbortController();
  const over = AbortSignal.any([signal, stop.signal]);
  const allReady = new Promise<void>((resolve, reject) => {
    const onChange = (pods: readonly PodFacts[]): void => {
      // (One that is gone, or on its way out, is nobody's to wait for.)
      unready = pods.filter((pod) => names.has(pod.name) && !pod.ready && !pod.terminating).map(({ name }) => name);
      if (unready.length === 0) resolve();
    };
    kube.watchPods(`${CLUSTER_LABEL}=${last.cluster.name}`, onChange, over).catch((error: unknown) => {
      if (error instanceof AppError) resolve();
      else reject(error instanceof Error ? error : new Error(String(error)));
    });
  });
  try {
    // Ctrl-C ends the wait and nothing else: what was to be done is done.
    await Promise.race([allReady, clock.sleep(PATIENCE_MS, over).catch(() => undefined)]);
  } finally {
    stop.abort();
  }
  return unready;
}

function unreadyPods({ kube, replies }: Observation): string[] {
  const answered = new Set(replies.flatMap(({ pod, reply }) => (reply.kind === 'answered' ? [pod] : [])));
  return kube.pods.flatMap(({ name, ready, terminating }) =>
    answered.has(name) && !ready && !terminating ? [name] : [],
  );
}
