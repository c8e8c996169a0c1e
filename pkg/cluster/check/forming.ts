/** Whether the pods are still to be joined. The mark in the ConfigMap is believed, unless the cluster is plainly there. */
import type { ClusterState } from '../model/state.ts';

export function isForming(state: ClusterState): boolean {
  return !state.formed && !isJoined(state);
}

/** Every slot has an owner, and every node that answered sees the same nodes. */
function isJoined(state: ClusterState): boolean {
  return state.uncovered.length === 0 && state.views.length === 1 && (state.views[0]?.nodeIds.length ?? 0) > 1;
}
