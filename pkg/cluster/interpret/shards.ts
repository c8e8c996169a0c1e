/**
 * Nodes as shards. By label where every pod has one and no two slot owners share one; else by who follows whom, named "1",
 * "2" … by first slot. Who is primary is always a matter of the moment: the label says only who belongs together.
 */
import { compareNatural } from '../natural-order.ts';
import { countSlots, unionRanges } from '../model/slots.ts';
import type { SlotRanges } from '../model/slots.ts';
import type { ClusterNode, Shard } from '../model/state.ts';

export function groupShards(nodes: readonly ClusterNode[]): Shard[] {
  const byLabel = groupBy(nodes, labelsOf(nodes));
  const pods = nodes.filter((node) => node.pod !== null);
  const labelled = pods.length > 0 && pods.every((node) => node.shardLabel !== null);
  const clear = [...byLabel.values()].every((members) => members.filter(ownsSlots).length <= 1);
  if (
    labelled &&
    clear &&
    nodes.filter(ownsSlots).every((node) => [...byLabel.values()].some((list) => list.includes(node)))
  )
    return [...byLabel].map(([name, members]) => shardOf(name, members)).sort((a, b) => compareNatural(a.name, b.name));
  return [...groupBy(nodes, primariesOf(nodes)).values()]
    .map((members) => shardOf('', members))
    .filter((shard) => shard.slots.length > 0 || shard.replicas.length > 0)
    .sort((a, b) => firstSlot(a.slots) - firstSlot(b.slots))
    .map((shard, index) => ({ ...shard, name: String(index + 1) }));
}

function ownsSlots(node: ClusterNode): boolean {
  return node.slots.length > 0;
}

function firstSlot(slots: SlotRanges): number {
  return slots[0]?.start ?? Number.MAX_SAFE_INTEGER;
}

function groupBy(
  nodes: readonly ClusterNode[],
  keyOf: (node: ClusterNode) => string | null,
): Map<string, ClusterNode[]> {
  const groups = new Map<string, ClusterNode[]>();
  for (const node of nodes) {
    const key = keyOf(node);
    if (key !== null) groups.set(key, [...(groups.get(key) ?? []), node]);
  }
  return groups;
}

/**
 * A replica belongs where its primary does (its own label may be stale after a re-attachment); an id without a pod belongs
 * to those who follow it.
 */
function labelsOf(nodes: readonly ClusterNode[]): (node: ClusterNode) => string | null {
  const byId = new Map(nodes.flatMap((node) => (node.nodeId === null ? [] : [[node.nodeId, node] as const])));
  const followers = new Map(
    nodes.flatMap((node) =>
      node.primaryId === null || node.shardLabel === null ? [] : [[node.primaryId, node.shardLabel] as const],
    ),
  );
  const ofPrimary = (node: ClusterNode): string | null => node.shardLabel ?? followers.get(node.nodeId ?? '') ?? null;
  return (node) => {
    const primary = node.role === 'replica' && node.primaryId !== null ? byId.get(node.primaryId) : undefined;
    return (primary === undefined || primary.role !== 'primary' ? null : ofPrimary(primary)) ?? ofPrimary(node);
  };
}

function primariesOf(nodes: readonly ClusterNode[]): (node: ClusterNode) => string | null {
  const byId = new Map(nodes.flatMap((node) => (node.nodeId === null ? [] : [[node.nodeId, node] as const])));
  return (node) => {
    let top = node;
    // A chain of replicas belongs to its top; the count ends a ring.
    for (let i = 0; i < nodes.length && top.primaryId !== null && top.role === 'replica'; i++) {
      const next = byId.get(top.primaryId);
      if (next === undefined) return top.primaryId;
      top = next;
    }
    return top.nodeId;
  };
}

function shardOf(name: string, members: readonly ClusterNode[]): Shard {
  const primaries = members
    .filter((node) => node.role === 'primary')
    .sort((a, b) => countSlots(b.slots) - countSlots(a.slots));
  const primary = primaries[0] ?? null;
  return {
    name,
    primary,
    replicas: members.filter((node) => node !== primary),
    slots: members.reduce<SlotRanges>((sofar, node) => unionRanges(sofar, node.slots), []),
  };
}
