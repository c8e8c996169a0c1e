/** Whom nobody could ask. What they hold, lead and have marked is not known, which is never the same as nothing. Pure. */
import type { ClusterNode, ClusterState } from '../model/state.ts';

export interface UnknownNode {
  /** Of its pod, or the first letters of its id. */
  readonly name: string;
  /** `no answer in 2 s`, `it has no pod`. */
  readonly why: string;
}

/** Nodes of the cluster that did not answer, in their order. */
export function unknownNodes({ nodes }: Pick<ClusterState, 'nodes'>): UnknownNode[] {
  return nodes
    .filter(({ reply }) => reply?.kind !== 'answered')
    .map((node) => ({ name: nameOf(node), why: whyOf(node) }));
}

function whyOf({ unreachable }: ClusterNode): string {
  if (unreachable === null) return 'it has no pod';
  // What it waits for is a sentence of its own, and a long one.
  return unreachable.why === 'guard-waiting' ? 'it waits before it starts' : unreachable.detail;
}

function nameOf({ pod, nodeId }: ClusterNode): string {
  return pod?.name ?? `node ${nodeId?.slice(0, 8) ?? ''}`;
}
