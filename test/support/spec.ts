/** A ClusterSpec for tests: what `create redis` makes, but for what the test is about. */
import type { ClusterSpec } from '../../pkg/cluster/model/spec.ts';

export function specOf(change: Partial<ClusterSpec> = {}): ClusterSpec {
  return {
    cluster: change.cluster ?? { namespace: 'default', name: 'redis' },
    masters: change.masters ?? 3,
    replicas: change.replicas ?? 1,
    image: change.image ?? 'redis:8',
    imagePullPolicy: change.imagePullPolicy ?? null,
    storage: change.storage ?? '1Gi',
    storageClass: change.storageClass ?? null,
    memory: change.memory ?? null,
    cpu: change.cpu ?? null,
    config: change.config ?? {},
    auth: change.auth ?? false,
    antiAffinity: change.antiAffinity ?? 'hard',
    networkPolicy: change.networkPolicy ?? false,
    nodes: change.nodes ?? null,
    scaling: change.scaling ?? null,
    restarted: change.restarted ?? null,
  };
}
