/**
 * Who owns which slot.
 *
 *  1. Of two that claim one slot the higher config epoch has it, as the cluster itself will decide; then who answers, then the smaller id.
 *     A claim is what an answering primary says of itself; of one that does not answer, what the views say: the highest epoch that any of
 *     them has of it, then what most say. Silence does not weaken a claim: who is silent comes back with its epoch, and its rival then
 *     deletes the keys.
 *  2. A slot whose only named owners answered and deny it has no owner; it is contested, not uncovered.
 */
import type { GossipNode } from '../model/observation.ts';
import type { SlotRange } from '../model/slots.ts';
import type { ClusterState } from '../model/state.ts';
import { cutSlots } from './cells.ts';
import type { Cells } from './cells.ts';
import { isHandshake } from './gossip.ts';
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
  const cells = cutSlots([...gossip.ownLines.values(), ...gossip.majorityLines.values(), ...gossip.distinctLines]);
  const owners = ownersByCell(gossip, cells, indexOf);
  const named = namedByCell(gossip, cells, indexOf);
  return {
    slotsById: slotsByOwner(owners, cells, ids),
    uncovered: uncoveredRanges(named, cells),
    contested: contestedRanges(owners, named, cells, ids),
  };
}

function ownersByCell(gossip: Gossip, cells: Cells, indexOf: (id: string) => number): Int32Array {
  const owners = new Int32Array(cells.count).fill(-1);
  const answers = (id: string): number => Number(gossip.ownLines.has(id));
  // Weakest claim first, so that the strongest is written last.
  const ordered = [...gossip.ownLines, ...claimsOfSilent(gossip)].sort(
    ([a, x], [b, y]) => x.configEpoch - y.configEpoch || answers(a) - answers(b) || (a < b ? 1 : -1),
  );
  for (const [id, line] of ordered) cells.forEachOf(line, (cell) => (owners[cell] = indexOf(id)));
  return owners;
}

/** What the views say of each node that does not answer: the line with the highest epoch; of several, the one that most have. */
function claimsOfSilent({ ownLines, majorityLines, distinctLines }: Gossip): Map<string, GossipNode> {
  const claims = new Map([...majorityLines].filter(([id]) => !ownLines.has(id)));
  for (const line of distinctLines) {
    const best = claims.get(line.nodeId);
    if (best === undefined || line.role !== 'primary' || line.slots.length === 0) continue;
    if (line.configEpoch > best.configEpoch) claims.set(line.nodeId, line);
  }
  return claims;
}

/** Which owners the views name for each cell, as numbers of sets: nearly all cells share a few sets. */
interface Named {
  /** 0 = nobody. */
  readonly setOf: Int32Array;
  readonly sets: readonly (readonly number[])[];
}

function namedByCell(gossip: Gossip, cells: Cells, indexOf: (id: string) => number): Named {
  const setOf = new Int32Array(cells.count);
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
    cells.forEachOf(line, (cell) => {
      const set = setOf[cell] ?? 0;
      if (sets[set]?.includes(owner) !== true) setOf[cell] = grow(set, owner);
    });
  }
  return { setOf, sets };
}

function slotsByOwner(owners: Int32Array, cells: Cells, ids: readonly string[]): Map<string, SlotRange[]> {
  const out = new Map<string, SlotRange[]>();
  let first = 0;
  for (let cell = 1; cell <= cells.count; cell++) {
    if (cell < cells.count && owners[cell] === owners[first]) continue;
    const id = ids[owners[first] ?? -1];
    if (id !== undefined) appendTo(out, id, cells.rangeOf(first, cell - 1));
    first = cell;
  }
  return out;
}

function appendTo(map: Map<string, SlotRange[]>, id: string, range: SlotRange): void {
  const list = map.get(id);
  if (list === undefined) map.set(id, [range]);
  else list.push(range);
}

function uncoveredRanges({ setOf }: Named, cells: Cells): SlotRange[] {
  const out: SlotRange[] = [];
  let first = 0;
  for (let cell = 0; cell <= cells.count; cell++) {
    if (cell < cells.count && setOf[cell] === 0) continue;
    if (cell > first) out.push(cells.rangeOf(first, cell - 1));
    first = cell + 1;
  }
  return out;
}

function contestedRanges(
  owners: Int32Array,
  { setOf, sets }: Named,
  cells: Cells,
  ids: readonly string[],
): ClusterState['contested'] {
  const names = sets.map((set) => set.map((index) => ids[index] ?? '').sort());
  const out: { range: SlotRange; ownerIds: readonly string[] }[] = [];
  for (let cell = 0; cell < cells.count; cell++) {
    const ownerIds = names[setOf[cell] ?? 0] ?? [];
    const denied = ownerIds.length === 1 && owners[cell] === -1;
    if (ownerIds.length < 2 && !denied) continue;
    const range = cells.rangeOf(cell, cell);
    const last = out.at(-1);
    if (last?.range.end === range.start - 1 && isEqual(last.ownerIds, ownerIds)) {
      last.range = { start: last.range.start, end: range.end };
    } else out.push({ range, ownerIds });
  }
  return out;
}

function isEqual(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((one, i) => one === b[i]));
}
