/**
 * Whether enough primaries are up to elect a replica: more than half of those that own slots (Redis counts `size` of CLUSTER INFO).
 * The one place where that is decided.
 */
import type { ClusterNode } from '../model/state.ts';
import type { Life } from './life.ts';

export interface Majority {
  /** `unknown`: it hangs on nodes that can't be asked and that nobody else hears. */
  readonly is: 'there' | 'unknown' | 'gone';
  readonly owners: readonly ClusterNode[];
  /** Owners that are surely down. */
  readonly down: readonly ClusterNode[];
}

/** @param isHeard whether the other nodes hear one that we can't ask: then it votes, too */
export function majorityOf(
  nodes: readonly ClusterNode[],
  lifeOf: (node: ClusterNode) => Life,
  isDown: (node: ClusterNode) => boolean,
  isHeard: (node: ClusterNode) => boolean,
): Majority {
  const owners = nodes.filter((node) => node.slots.length > 0);
  const down = owners.filter(isDown);
  const up = owners.filter((node) => lifeOf(node).kind === 'answers' || (!down.includes(node) && isHeard(node)));
  const most = owners.length - down.length;
  if (up.length * 2 > owners.length || owners.length === 0) return { is: 'there', owners, down };
  return { is: most * 2 > owners.length ? 'unknown' : 'gone', owners, down };
}
