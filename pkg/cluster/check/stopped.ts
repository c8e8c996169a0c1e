/** Whether nobody wants the cluster to run just now: hibernated (scaled to zero), or deleted with its volumes kept. */
import { isUnread, type KubeFacts } from '../model/observation.ts';
import type { ClusterState } from '../model/state.ts';

export function isStopped(state: ClusterState, kube: KubeFacts): boolean {
  if (isUnread(kube, 'statefulsets') || state.origin !== 'ours' || !state.formed || kube.pods.length > 0) return false;
  return kube.statefulSets.every((set) => set.replicas === 0);
}
