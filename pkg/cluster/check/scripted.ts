/** Whether our scripts run in a node's pod: start guard, probes and stop hook. */
import { INJECTED_ANNOTATION } from '../model/labels.ts';
import type { ClusterNode, ClusterState } from '../model/state.ts';

export function hasScripts(state: Pick<ClusterState, 'origin'>, node: ClusterNode): boolean {
  return state.origin === 'ours' || node.pod?.annotations[INJECTED_ANNOTATION] !== undefined;
}
