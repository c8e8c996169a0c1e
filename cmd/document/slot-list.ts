/** Documents of `slots`: SlotList, and Slot for `--key` and `--slot`. */
import type { ClusterState, OpenSlot, Shard } from '../../pkg/cluster/model/state.ts';
import { countSlots } from '../../pkg/cluster/model/slots.ts';
import type { SlotLookup } from '../slot-lookup.ts';
import { keysOfShard, summarizeSlots } from '../view/slot-summary.ts';
import { API_VERSION, memberOf, metadataOf, rangesOf, referTo } from './document.ts';
import type { Member, Metadata, NodeReference, Range } from './document.ts';

export interface OpenSlotEntry {
  readonly slot: number;
  readonly migratingFrom: NodeReference | null;
  readonly importingTo: NodeReference | null;
}

export interface ShardEntry {
  readonly name: string;
  readonly slots: readonly Range[];
  readonly slotCount: number;
  readonly keys: number | null;
  readonly primary: Member | null;
  readonly replicas: readonly Member[];
}

export interface SlotListDocument {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: 'SlotList';
  readonly metadata: Metadata;
  readonly formed: boolean;
  readonly slotsTotal: number;
  readonly slotsCovered: number;
  readonly keys: number | null;
  readonly viewsAgree: boolean;
  readonly shards: readonly ShardEntry[];
  readonly nodesWithoutShard: readonly Member[];
  readonly uncovered: readonly Range[];
  readonly contested: readonly (Range & { readonly owners: readonly NodeReference[] })[];
  readonly openSlots: readonly OpenSlotEntry[];
}

export function slotListOf(state: ClusterState): SlotListDocument {
  const summary = summarizeSlots(state);
  const placed = new Set(state.shards.flatMap((shard) => [shard.primary, ...shard.replicas]));
  return {
    apiVersion: API_VERSION,
    kind: 'SlotList',
    metadata: metadataOf(state),
    formed: state.formed,
    slotsTotal: summary.total,
    slotsCovered: summary.covered,
    keys: summary.keys,
    viewsAgree: summary.viewsAgree,
    shards: state.shards.map((shard) => shardEntry(state, shard)),
    nodesWithoutShard: state.nodes.filter((node) => !placed.has(node)).map((node) => memberOf(state, node, null)),
    uncovered: rangesOf(state.uncovered),
    contested: state.contested.map(({ range, ownerIds }) => ({
      start: range.start,
      end: range.end,
      owners: ownerIds.map(referTo(state)),
    })),
    openSlots: state.openSlots.map((open) => openSlotEntry(state, open)),
  };
}

function shardEntry(state: ClusterState, shard: Shard): ShardEntry {
  return {
    name: shard.name,
    slots: rangesOf(shard.slots),
    slotCount: countSlots(shard.slots),
    keys: keysOfShard(shard),
    primary: shard.primary === null ? null : memberOf(state, shard.primary, shard),
    replicas: shard.replicas.map((node) => memberOf(state, node, shard)),
  };
}

function openSlotEntry(state: ClusterState, open: OpenSlot): OpenSlotEntry {
  const refer = referTo(state);
  return {
    slot: open.slot,
    migratingFrom: open.migratingFrom === null ? null : refer(open.migratingFrom),
    importingTo: open.importingTo === null ? null : refer(open.importingTo),
  };
}

export interface SlotDocument {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: 'Slot';
  readonly metadata: Metadata;
  readonly key: string | null;
  readonly hashTag: string | null;
  readonly slot: number;
  /** Name of the shard; null when nobody owns the slot. */
  readonly shard: string | null;
  readonly primary: Member | null;
  readonly replicas: readonly Member[];
  readonly contestedBy: readonly NodeReference[];
  readonly open: OpenSlotEntry | null;
}

export function slotDocumentOf(state: ClusterState, lookup: SlotLookup): SlotDocument {
  return {
    apiVersion: API_VERSION,
    kind: 'Slot',
    metadata: metadataOf(state),
    key: lookup.key,
    hashTag: lookup.hashTag,
    slot: lookup.slot,
    shard: lookup.shard?.name ?? null,
    primary: lookup.primary === null ? null : memberOf(state, lookup.primary, lookup.shard),
    replicas: lookup.replicas.map((node) => memberOf(state, node, lookup.shard)),
    contestedBy: lookup.contestedBy.map(referTo(state)),
    open: lookup.open === null ? null : openSlotEntry(state, lookup.open),
  };
}
