/** How far the webhook's Deployment is, and what keeps a pod of it from being ready. */
import type { KubeObject, KubePort, PodTrouble } from '../../pkg/engine/ports.ts';
import { CLUSTER_LABEL, INJECTED_ANNOTATION, NODE_LABEL } from '../../pkg/cluster/model/labels.ts';
import { AppError, reasonOf } from '../../pkg/errors.ts';
import type { RawPod } from '../../pkg/kube/api-json.ts';
import { podFacts } from '../../pkg/kube/facts.ts';
import { WEBHOOK_NAME } from '../../webhook/settings.ts';

interface DeploymentStatus {
  readonly observedGeneration?: number;
  readonly replicas?: number;
  readonly updatedReplicas?: number;
  readonly readyReplicas?: number;
}

/** Selects the webhook's pods. */
export const PODS = `app.kubernetes.io/name=${WEBHOOK_NAME}`;

/** What its pods are, wanted and ready; of no Deployment, none. */
export function podCounts(deployment: KubeObject | null): { readonly wanted: number; readonly ready: number } {
  const spec = (deployment?.['spec'] ?? {}) as { readonly replicas?: number };
  return { wanted: spec.replicas ?? 0, ready: statusOf(deployment).readyReplicas ?? 0 };
}

/**
 * What is missing until all pods are of the version that was applied last, and ready; null when nothing is. The order is that of
 * `kubectl rollout status`: pods of the version before count as ready, too.
 */
export function whyNotRolledOut(deployment: KubeObject | null): string | null {
  if (deployment === null) return 'it has no Deployment';
  const { wanted, ready } = podCounts(deployment);
  if (wanted === 0) return 'its Deployment wants no pods';
  const { generation = 0 } = deployment.metadata as { readonly generation?: number };
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0 } = statusOf(deployment);
  if (observedGeneration < generation) return 'Kubernetes has not looked at its Deployment yet';
  if (updatedReplicas < wanted) return `${updatedReplicas} of ${wanted} pods are of this version`;
  if (replicas > updatedReplicas) return `of the version before, ${replicas - updatedReplicas} still there`;
  return ready < wanted ? `${ready} of ${wanted} pods are ready` : null;
}

function statusOf(deployment: KubeObject | null): DeploymentStatus {
  return deployment?.['status'] ?? {};
}

/** What is missing, and of which pod it hangs. */
export function withTrouble(missing: string, trouble: PodTrouble | null): string {
  return trouble === null ? missing : `${missing}: pod ${trouble.pod} ${trouble.sentence}`;
}

/** What keeps the first pod from being ready that is not; null when nothing does that Kubernetes tells, or lets us see. */
export async function podTrouble(kube: Pick<KubePort, 'list' | 'whyNotReady'>): Promise<PodTrouble | null> {
  try {
    const pods = (await kube.list('v1', 'Pod', { selector: PODS })).map((pod) => podFacts(pod as RawPod));
    const late = pods.find(({ ready, terminating }) => !ready && !terminating);
    return late === undefined ? null : await kube.whyNotReady(late);
  } catch (error) {
    if (error instanceof AppError && error.code === 'forbidden') return null;
    throw error;
  }
}

/**
 * A pod that is never made: the API server asks the webhook about it and forgets it.
 * @param kube of another namespace than the webhook's, which is not asked about its own
 * @returns what it met; null = it was completed
 */
export async function tryOut(kube: Pick<KubePort, 'apply'>): Promise<string | null> {
  const labels = { [CLUSTER_LABEL]: 'kubectl-redis-try-out', [NODE_LABEL]: 'kubectl-redis-try-out-1' };
  const spec = { containers: [{ name: 'redis', image: 'redis' }] };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'kubectl-redis-try-out', labels }, spec };
  try {
    const seen = await kube.apply(pod, { dryRun: true });
    return seen.metadata.annotations?.[INJECTED_ANNOTATION] === 'webhook' ? null : 'a pod that asked was left as it is';
  } catch (error) {
    return error instanceof AppError && error.cause !== undefined ? reasonOf(error.cause) : reasonOf(error);
  }
}
