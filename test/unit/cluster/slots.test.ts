import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  ALL_SLOTS,
  SLOT_COUNT,
  containsSlot,
  countSlots,
  formatRange,
  formatRanges,
  intersectRanges,
  normalizeRanges,
  rangesFromSlots,
  splitSlots,
  subtractRanges,
  unionRanges,
} from '../../../pkg/cluster/model/slots.ts';
import type { SlotRange, SlotRanges } from '../../../pkg/cluster/model/slots.ts';

function range(start: number, end = start): SlotRange {
  return { start, end };
}

describe('normalizeRanges', () => {
  test.each<[string, SlotRange[], SlotRange[]]>([
    ['nothing', [], []],
    ['sorts', [range(5, 6), range(1, 2)], [range(1, 2), range(5, 6)]],
    ['joins ranges that touch', [range(0, 4), range(5, 9)], [range(0, 9)]],
    ['joins ranges that overlap', [range(0, 6), range(4, 9)], [range(0, 9)]],
    ['swallows what is inside', [range(0, 9), range(3, 4)], [range(0, 9)]],
    ['keeps a gap of one', [range(0, 4), range(6, 9)], [range(0, 4), range(6, 9)]],
  ])('%s', (_name, input, expected) => {
    expect(normalizeRanges(input)).toEqual(expected);
  });

  test('does not touch its input', () => {
    const input = [range(5, 6), range(1, 5)];
    normalizeRanges(input);
    expect(input).toEqual([range(5, 6), range(1, 5)]);
  });
});

describe('subtractRanges', () => {
  test.each<[string, SlotRange[], SlotRange[], SlotRange[]]>([
    ['nothing', [range(0, 9)], [], [range(0, 9)]],
    ['the middle', [range(0, 9)], [range(3, 4)], [range(0, 2), range(5, 9)]],
    ['both ends', [range(0, 9)], [range(0, 1), range(8, 20)], [range(2, 7)]],
    ['everything', [range(3, 4), range(7)], [range(0, 9)], []],
    ['across two', [range(0, 4), range(6, 9)], [range(3, 7)], [range(0, 2), range(8, 9)]],
  ])('%s', (_name, a, b, expected) => {
    expect(subtractRanges(a, b)).toEqual(expected);
  });
});

describe('formatting', () => {
  test.each<[SlotRanges, string]>([
    [[], ''],
    [[range(7)], '7'],
    [[range(0, 5460)], '0-5460'],
    [[range(0, 5460), range(7000)], '0-5460,7000'],
  ])('%j is "%s"', (ranges, text) => {
    expect(formatRanges(ranges)).toBe(text);
  });

  test('of one range', () => {
    expect([formatRange(range(3)), formatRange(range(3, 4))]).toEqual(['3', '3-4']);
  });
});

describe('splitSlots', () => {
  test('has the borders of redis-cli', () => {
    expect(splitSlots(3)).toEqual([range(0, 5460), range(5461, 10922), range(10923, 16383)]);
    expect(splitSlots(1)).toEqual(ALL_SLOTS);
  });

  test.each([0, -1, 1.5, SLOT_COUNT + 1, Number.NaN])('refuses %p parts', (parts) => {
    expect(() => splitSlots(parts)).toThrow(RangeError);
  });

  test('always covers every slot once, in order, in parts that differ by at most one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), (parts) => {
        const split = splitSlots(parts);
        const sizes = split.map((one) => countSlots([one]));
        expect(split).toHaveLength(parts);
        expect(normalizeRanges(split)).toEqual(ALL_SLOTS);
        expect(sizes.reduce((a, b) => a + b, 0)).toBe(SLOT_COUNT);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

/** Small numbers, so that ranges meet often. */
const someSlots = fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 30 });
const someRanges = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 8 })), { maxLength: 8 })
  .map((pairs) => pairs.map(([start, size]) => range(start, start + size)));

function slotsOf(ranges: SlotRanges): Set<number> {
  return new Set(ranges.flatMap(({ start, end }) => Array.from({ length: end - start + 1 }, (_, i) => start + i)));
}

function sorted(slots: Iterable<number>): number[] {
  return [...slots].sort((a, b) => a - b);
}

describe('sets of slots behave like sets', () => {
  test('rangesFromSlots holds exactly these slots, in normal form', () => {
    fc.assert(
      fc.property(someSlots, (slots) => {
        const ranges = rangesFromSlots(slots);
        expect(sorted(slotsOf(ranges))).toEqual(sorted(slots));
        expect(normalizeRanges(ranges)).toEqual(ranges);
        expect(countSlots(ranges)).toBe(slots.length);
      }),
    );
  });

  test('union, difference, intersection and membership', () => {
    fc.assert(
      fc.property(someRanges, someRanges, fc.integer({ min: 0, max: 50 }), (a, b, slot) => {
        const [left, right] = [slotsOf(a), slotsOf(b)];
        expect(sorted(slotsOf(unionRanges(a, b)))).toEqual(sorted(new Set([...left, ...right])));
        expect(sorted(slotsOf(subtractRanges(a, b)))).toEqual(sorted([...left].filter((one) => !right.has(one))));
        expect(sorted(slotsOf(intersectRanges(a, b)))).toEqual(sorted([...left].filter((one) => right.has(one))));
        expect(containsSlot(a, slot)).toBe(left.has(slot));
      }),
    );
  });

  test('normal form is reached by every operation', () => {
    fc.assert(
      fc.property(someRanges, someRanges, (a, b) => {
        for (const result of [unionRanges(a, b), subtractRanges(a, b), intersectRanges(a, b)])
          expect(normalizeRanges(result)).toEqual(result);
      }),
    );
  });
});
