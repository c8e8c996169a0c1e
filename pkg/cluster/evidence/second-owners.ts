/**
 * Owners of slots in a shard that another one leads: a replica by the record that was given slots, or kept some that were set on it by hand.
 * Nobody can make it a replica again while it owns them; `scale` to the shape that is recorded takes them away.
 */
import { countSlots } from '../model/slots.ts';
import type { ClusterNode, ClusterState } from '../model/state.ts';

/**
 * Of those who are of one shard by their labels: all but the one that has most, which leads it. Where there are as many owners as were asked
 * for, each leads a shard, and a label that says otherwise is only stale.
 */
export function secondOwners(
  { nodes, desired }: Pick<ClusterState, 'nodes' | 'desired'>,
  shard?: string,
): ClusterNode[] {
  const owners = nodes.filter(({ slots }) => slots.length > 0);
  if (desired !== null && owners.length <= desired.masters) return [];
  const ordered = owners
    .filter(({ pod, shardLabel }) => pod !== null && shardLabel !== null && (shard ?? shardLabel) === shardLabel)
    .toSorted((a, b) => countSlots(b.slots) - countSlots(a.slots));
  return ordered.filter((node, at) => ordered.findIndex(({ shardLabel }) => shardLabel === node.shardLabel) !== at);
}

/** What takes its slots away, with what its node then is. `scale` changes what was recorded, and nothing else. */
export function takesSlotsAway({ cluster, desired, formed }: ClusterState, pod: string): string {
  if (!formed) return `CLUSTER FLUSHSLOTS on ${pod}, if it may give them up`;
  return desired === null
    ? `kubectl redis rebalance ${cluster.name} --weight ${pod}=0 takes its slots away`
    : `kubectl redis scale ${cluster.name} --masters ${desired.masters} takes its slots away and makes it a replica again`;
}
