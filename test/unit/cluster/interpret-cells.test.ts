import { describe, expect, test } from '@jest/globals';
import { array, assert, integer, property, record } from 'fast-check';
import { cutSlots } from '../../../pkg/cluster/interpret/cells.ts';
import { SLOT_COUNT } from '../../../pkg/cluster/model/slots.ts';
import type { SlotRange } from '../../../pkg/cluster/model/slots.ts';

const line = (...slots: SlotRange[]): { slots: SlotRange[] } => ({ slots });

/** Also slots that do not exist, and ranges that end before they begin: servers are not believed. */
const anyLine = array(
  record({ start: integer({ min: -3, max: SLOT_COUNT + 3 }), length: integer({ min: -2, max: 900 }) }),
  {
    maxLength: 6,
  },
).map((ranges) => line(...ranges.map(({ start, length }) => ({ start, end: start + length }))));

describe('slots are cut', () => {
  test('where lines begin and end', () => {
    const cells = cutSlots([line({ start: 0, end: 99 }), line({ start: 50, end: 99 }, { start: 200, end: 200 })]);
    const all = Array.from({ length: cells.count }, (_, cell) => cells.rangeOf(cell, cell));
    expect(all).toEqual([
      { start: 0, end: 49 },
      { start: 50, end: 99 },
      { start: 100, end: 199 },
      { start: 200, end: 200 },
      { start: 201, end: SLOT_COUNT - 1 },
    ]);
  });

  test('into one cell when nobody names any', () => {
    const cells = cutSlots([line()]);
    expect([cells.count, cells.rangeOf(0, 0)]).toEqual([1, { start: 0, end: SLOT_COUNT - 1 }]);
  });

  test('so that the cells of a line are its slots', () => {
    assert(
      property(array(anyLine, { maxLength: 5 }), (lines) => {
        const cells = cutSlots(lines);
        expect(cells.rangeOf(0, cells.count - 1)).toEqual({ start: 0, end: SLOT_COUNT - 1 });
        for (const one of lines) {
          const seen = new Set<number>();
          cells.forEachOf(one, (cell) => {
            const { start, end } = cells.rangeOf(cell, cell);
            for (let slot = start; slot <= end; slot++) seen.add(slot);
          });
          const named = new Set<number>();
          for (const { start, end } of one.slots)
            for (let slot = Math.max(0, start); slot <= Math.min(end, SLOT_COUNT - 1); slot++) named.add(slot);
          expect([...seen].sort((a, b) => a - b)).toEqual([...named].sort((a, b) => a - b));
        }
      }),
      { numRuns: 60 },
    );
  });
});
