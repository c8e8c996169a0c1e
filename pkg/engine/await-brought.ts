/**
 * Pods of workloads that people brought come one after the other. Whoever runs `create` right after `kubectl apply` would see
 * some of them, or none, and would make a smaller cluster, or one of its own beside them.
 */
import { CLUSTER_LABEL } from '../cluster/model/labels.ts';
import type { ClusterRef } from '../cluster/model/observation.ts';
import { AppError } from '../errors.ts';
import { replicasOf, workloadsOf } from './brought-workloads.ts';
import type { Clock, KubeObject, KubePort } from './ports.ts';

const LOOK_EVERY_MS = 500;

export interface AwaitBroughtDeps {
  readonly kube: Pick<KubePort, 'list' | 'whyNoPod'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** A sentence each time that the number changes. */
  readonly say: (sentence: string) => void;
}

/**
 * Returns at once where nobody brought anything. Pods need not be ready; only there.
 * @throws AppError `pods-timeout`, with what a controller says
 */
export async function awaitBrought(cluster: ClusterRef, deps: AwaitBroughtDeps): Promise<void> {
  const { kube, clock, signal, timeoutMs, say } = deps;
  const until = clock.monotonic() + timeoutMs;
  for (let before: number | null = null; ;) {
    const workloads = await workloadsOf(kube, cluster.name);
    const wanted = workloads.reduce((sum, workload) => sum + replicasOf(workload), 0);
    const there = wanted === 0 ? 0 : await countPods(kube, cluster.name);
    if (there >= wanted) return;
    if (there !== before) say(`waiting for pods: ${there} of ${wanted} are there (${inWords(workloads)})`);
    before = there;
    if (clock.monotonic() >= until) throw await timedOut(cluster, deps, workloads, `${there} of ${wanted}`);
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}

async function timedOut(
  { name, namespace }: ClusterRef,
  { kube, timeoutMs }: AwaitBroughtDeps,
  workloads: readonly KubeObject[],
  howMany: string,
): Promise<AppError> {
  const set = workloads.find(({ kind }) => kind === 'StatefulSet');
  const trouble = set === undefined ? null : await kube.whyNoPod(set.metadata.name);
  return new AppError(`${howMany} pods of ${name} were there after ${Math.round(timeoutMs / 1000)} s`, {
    code: 'pods-timeout',
    ...(trouble === null ? {} : { cause: new Error([trouble.sentence, ...trouble.evidence].join(' | ')) }),
    hint: `kubectl get events -n ${namespace} --field-selector reason=FailedCreate says why; --timeout gives it more time`,
  });
}

function inWords(workloads: readonly KubeObject[]): string {
  const [first, ...more] = workloads.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  return more.length === 0 ? (first ?? '') : `${first} and ${more.length} more`;
}

async function countPods(kube: AwaitBroughtDeps['kube'], cluster: string): Promise<number> {
  const pods = await kube.list('v1', 'Pod', { selector: `${CLUSTER_LABEL}=${cluster}` });
  return pods.filter(({ metadata }) => metadata['deletionTimestamp'] === undefined).length;
}
