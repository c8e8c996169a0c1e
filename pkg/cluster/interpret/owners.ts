/**
 * Who owns which slot.
 *
 *  1. What an answering primary says of itself counts first. Two that claim one slot: the higher config epoch, as the
 *     cluster itself will decide (then the smaller id).
 *  2. A primary that does not answer owns what the majority of views says, unless 1 says otherwise.
 *  3. A slot whose only named owners answered and deny it has no owner; it is contested, not uncovered.
 */
import type { GossipNode } from '../model/observation.ts';
import { SLOT_COUNT, rangesFromSlots } from '../model/slots.ts';
import type { SlotRange } from '../model/slots.ts';
import type { ClusterState } from '../model/state.ts';
import { forEachSlot, isHandshake } from './gossip.ts';
import type { Gossip } from './gossip.ts';

export interface Ownership {
  readonly slotsById: ReadonlyMap<string, readonly SlotRange[]>;
  readonly uncovered: readonly SlotRange[];
  readonly contested: ClusterState['contested'];
}

export function mergeOwners(gossip: Gossip): Ownership {
  const ids: string[] = [];
  const indexes = new Map<string, number>();
  const indexOf = (id: string): number => {
    const known = indexes.get(id);
    if (known !== undefined) return known;
    indexes.set(id, ids.length);
    return ids.push(id) - 1;
  };
  const owners = ownersBySlot(gossip, indexOf);
  const named = namedBySlot(gossip, indexOf);
  return {
    slotsById: slotsByOwner(owners, ids),
    uncovered: emptySlots(named),
    contested: contestedRanges(owners, named, ids),
  };
}

function ownersBySlot(gossip: Gossip, indexOf: (id: string) => number): Int32Array {
  const owners = new Int32Array(SLOT_COUNT).fill(-1);
  const assign = (lines: readonly (readonly [string, GossipNode])[]): void => {
    const fresh = new Int32Array(SLOT_COUNT).fill(-1);
    // Weakest claim first, so that the strongest is written last.
    const ordered = [...lines].sort(([a, x], [b, y]) => x.configEpoch - y.configEpoch || (a < b ? 1 : -1));
    for (const [id, line] of ordered) forEachSlot(line, (slot) => (fresh[slot] = indexOf(id)));
    for (let slot = 0; slot < SLOT_COUNT; slot++) if (owners[slot] === -1) owners[slot] = fresh[slot] ?? -1;
  };
  assign([...gossip.ownLines]);
  assign([...gossip.majorityLines].filter(([id]) => !gossip.ownLines.has(id)));
  return owners;
}

/** Which owners the views name for each slot, as numbers of sets: nearly all slots share a few sets. */
interface Named {
  /** 0 = nobody. */
  readonly setOf: Int32Array;
  readonly sets: readonly (readonly number[])[];
}

function namedBySlot(gossip: Gossip, indexOf: (id: string) => number): Named {
  const setOf = new Int32Array(SLOT_COUNT);
  const sets: number[][] = [[]];
  const grown = new Map<string, number>();
  const grow = (set: number, owner: number): number => {
    const key = `${set}+${owner}`;
    const known = grown.get(key);
    if (known !== undefined) return known;
    const number = sets.push([...(sets[set] ?? []), owner]) - 1;
    grown.set(key, number);
    return number;
  };
  for (const line of gossip.distinctLines) {
    if (line.slots.length === 0 || isHandshake(line)) continue;
    const owner = indexOf(line.nodeId);
    forEachSlot(line, (slot) => {
      const set = setOf[slot] ?? 0;
      if (sets[set]?.includes(owner) !== true) setOf[slot] = grow(set, owner);
    });
  }
  return { setOf, sets };
}

function slotsByOwner(owners: Int32Array, ids: readonly string[]): Map<string, SlotRange[]> {
  const out = new Map<string, SlotRange[]>();
  let start = 0;
  for (let slot = 1; slot <= SLOT_COUNT; slot++) {
    if (slot < SLOT_COUNT && owners[slot] === owners[start]) continue;
    const id = ids[owners[start] ?? -1];
    if (id !== undefined) appendTo(out, id, { start, end: slot - 1 });
    start = slot;
  }
  return out;
}

function appendTo(map: Map<string, SlotRange[]>, id: string, range: SlotRange): void {
  const list = map.get(id);
  if (list === undefined) map.set(id, [range]);
  else list.push(range);
}

function emptySlots({ setOf }: Named): SlotRange[] {
  const out: number[] = [];
  setOf.forEach((set, slot) => {
    if (set === 0) out.push(slot);
  });
  return rangesFromSlots(out);
}

function contestedRanges(
  owners: Int32Array,
  { setOf, sets }: Named,
  ids: readonly string[],
): ClusterState['contested'] {
  const names = sets.map((set) => set.map((index) => ids[index] ?? '').sort());
  const out: { range: { start: number; end: number }; ownerIds: readonly string[] }[] = [];
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    const ownerIds = names[setOf[slot] ?? 0] ?? [];
    const denied = ownerIds.length === 1 && owners[slot] === -1;
    if (ownerIds.length < 2 && !denied) continue;
    const last = out.at(-1);
    if (last?.range.end === slot - 1 && isEqual(last.ownerIds, ownerIds)) last.range.end = slot;
    else out.push({ range: { start: slot, end: slot }, ownerIds });
  }
  return out;
}

function isEqual(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((one, i) => one === b[i]));
}
