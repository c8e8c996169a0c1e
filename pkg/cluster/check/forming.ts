/** Whether the pods are still to be joined. The mark in the ConfigMap is believed, unless the cluster is plainly there. */
import type { ClusterState } from '../model/state.ts';

export function isForming(state: ClusterState): boolean {
  return (!state.formed && !isJoined(state)) || isApart(state);
}

/**
 * Pods without a record of ours that were given slots, by `create` or by hand, and have not been introduced to each other: none knows
 * another, and none holds a key. Together they name an owner for every slot, and none of them serves.
 */
function isApart({ origin, nodes }: ClusterState): boolean {
  const answers = nodes.flatMap(({ reply }) => (reply?.kind === 'answered' ? [reply.answer] : []));
  return (
    origin === 'foreign' &&
    answers.length > 1 &&
    answers.every(({ view, info }) => view.length === 1 && info.keys === 0)
  );
}

/** Every slot has an owner, and every node that answered sees the same nodes. */
function isJoined(state: ClusterState): boolean {
  return state.uncovered.length === 0 && state.views.length === 1 && (state.views[0]?.nodeIds.length ?? 0) > 1;
}
