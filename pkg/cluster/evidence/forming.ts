/** Whether the pods are still to be joined: by evidence, not by a mark (interpret/formed.ts). */
import type { ClusterState } from '../model/state.ts';

export function isForming(state: ClusterState): boolean {
  return !state.formed || isApart(state);
}

/**
 * Pods that were given slots, by `create` or by hand, and have not been introduced to each other: none knows another, and none holds a
 * key. Together they name an owner for every slot, and none of them serves.
 */
export function isApart({ nodes }: ClusterState): boolean {
  const answers = nodes.flatMap(({ reply }) => (reply?.kind === 'answered' ? [reply.answer] : []));
  return answers.length > 1 && answers.every(({ view, info }) => view.length === 1 && info.keys === 0);
}
