/** Whether the pods are still to be joined: by evidence, not by a mark (interpret/formed.ts). */
import type { ClusterState } from '../model/state.ts';

export function isForming(state: ClusterState): boolean {
  return !state.formed;
}
