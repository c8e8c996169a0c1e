/** From a key or a slot number to those who hold it. Pure. */
import type { ClusterNode, ClusterState, OpenSlot, Shard } from '../pkg/cluster/model/state.ts';
import { SLOT_COUNT, containsSlot } from '../pkg/cluster/model/slots.ts';

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

/**
 * The slot of a key (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags). Written here
 * because the package cluster-key-slot looks for a second tag behind an empty one: it says 4015 for `foo{}{bar}`, servers
 * say 8363.
 */
export function slotOfKey(key: string): number {
  return crc16(Buffer.from(hashTagOf(key) ?? key)) % SLOT_COUNT;
}

/** What is between the first `{` and the next `}`, if anything is; else null, and the whole key counts. */
export function hashTagOf(key: string): string | null {
  const open = key.indexOf('{');
  const close = open === -1 ? -1 : key.indexOf('}', open + 1);
  return close > open + 1 ? key.slice(open + 1, close) : null;
}

/** CRC-16/XMODEM: polynomial 0x1021, starts at 0, no reflection. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021) & 0xffff;
  }
  return crc;
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
