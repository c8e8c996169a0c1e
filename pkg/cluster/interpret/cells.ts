/**
 * The slots, cut wherever any line of any view begins or ends: within a cell every line says the same of every slot. A
 * cluster has a handful of cells, so that what is computed for each need not be computed 16384 times.
 */
import type { GossipNode } from '../model/observation.ts';
import { SLOT_COUNT } from '../model/slots.ts';
import type { SlotRange } from '../model/slots.ts';

export interface Cells {
  readonly count: number;
  /** The slots of consecutive cells, from `first` to `last`. */
  rangeOf(first: number, last: number): SlotRange;
  /** Calls `visit` with each cell of the line, which must be one of those that the slots were cut by. */
  forEachOf(line: Pick<GossipNode, 'slots'>, visit: (cell: number) => void): void;
}

/** Together the cells are all slots, in order. Slots that do not exist are left out. */
export function cutSlots(lines: readonly Pick<GossipNode, 'slots'>[]): Cells {
  const cuts = new Set([0]);
  for (const { slots } of lines) {
    for (const range of slots) {
      const { from, to } = within(range);
      if (from >= to) continue;
      cuts.add(from);
      cuts.add(to);
    }
  }
  cuts.delete(SLOT_COUNT);
  const starts = [...cuts].sort((a, b) => a - b);
  const cellAt = new Map(starts.map((start, cell) => [start, cell]));
  const startOf = (cell: number): number => starts[cell] ?? SLOT_COUNT;
  return {
    count: starts.length,
    rangeOf: (first, last) => ({ start: startOf(first), end: startOf(last + 1) - 1 }),
    forEachOf: (line, visit) => {
      for (const range of line.slots) {
        const { from, to } = within(range);
        for (let cell = cellAt.get(from) ?? starts.length; startOf(cell) < to; cell++) visit(cell);
      }
    },
  };
}

/** `to` is the slot after the last. */
function within({ start, end }: SlotRange): { readonly from: number; readonly to: number } {
  return { from: Math.max(0, start), to: Math.min(end + 1, SLOT_COUNT) };
}
