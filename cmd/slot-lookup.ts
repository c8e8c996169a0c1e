/** From a key or a slot number to those who hold it. Pure. */
import keySlot from 'cluster-key-slot';
import type { ClusterNode, ClusterState, OpenSlot, Shard } from '../pkg/cluster/model/state.ts';
import { containsSlot } from '../pkg/cluster/model/slots.ts';

export interface SlotLookup {
  readonly key: string | null;
  /** The part of the key between the first `{` and the next `}`, when only that decides. */
  readonly hashTag: string | null;
  readonly slot: number;
  /** null when no shard owns it. */
  readonly shard: Shard | null;
  readonly open: OpenSlot | null;
  /** More than one owner over all views: their ids; else empty. */
  readonly contestedBy: readonly string[];
  readonly primary: ClusterNode | null;
  readonly replicas: readonly ClusterNode[];
}

/** The slot of a key (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags). */
export function slotOfKey(key: string): number {
  return keySlot(key);
}

export function hashTagOf(key: string): string | null {
  const open = key.indexOf('{');
  const close = open === -1 ? -1 : key.indexOf('}', open + 1);
  return close > open + 1 ? key.slice(open + 1, close) : null;
}

export function lookUpSlot(state: ClusterState, slot: number, key: string | null): SlotLookup {
  const shard = state.shards.find((one) => containsSlot(one.slots, slot)) ?? null;
  const members = shard === null ? [] : [shard.primary, ...shard.replicas].filter((node) => node !== null);
  const owner = members.find((node) => containsSlot(node.slots, slot)) ?? shard?.primary ?? null;
  return {
    key,
    hashTag: key === null ? null : hashTagOf(key),
    slot,
    shard,
    open: state.openSlots.find((open) => open.slot === slot) ?? null,
    contestedBy: state.contested.find(({ range }) => containsSlot([range], slot))?.ownerIds ?? [],
    primary: owner,
    replicas: members.filter((node) => node !== owner && node.role === 'replica'),
  };
}
