/**
 * Pods that could not be asked, and that nobody who answers knows: which node each of them is, whom it knows and what it owns is not known, and
 * unknown is never zero. Pure.
 */
import type { ClusterNode, ClusterState } from '../model/state.ts';
import { readGuard } from '../wire/guard.ts';

export function unheardNodes({ nodes }: Pick<ClusterState, 'nodes'>): ClusterNode[] {
  return nodes.filter(
    (node) =>
      node.pod !== null &&
      node.nodeId === null &&
      node.reply?.kind !== 'answered' &&
      // Nothing can be on it.
      readGuard(node.reply)?.emptyVolume !== true,
  );
}

/**
 * Whose silence leaves open whether nodes of others were joined: of ours a record says it, or it was seen that nothing is on the volumes
 * (interpret/formed.ts). A guard that waits without such a record has not started its server yet.
 */
export function mayBeJoined(state: ClusterState): ClusterNode[] {
  if (state.formed || state.origin === 'ours') return [];
  return unheardNodes(state).filter(({ unreachable }) => unreachable?.why !== 'guard-waiting');
}
