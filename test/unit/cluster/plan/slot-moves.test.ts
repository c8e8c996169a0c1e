import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  countSlots,
  formatRanges,
  normalizeRanges,
  splitSlots,
  subtractRanges,
  unionRanges,
} from '../../../../pkg/cluster/model/slots.ts';
import type { SlotRanges } from '../../../../pkg/cluster/model/slots.ts';
import { planTransfers, shareSlots, type Holder } from '../../../../pkg/cluster/plan/slot-moves.ts';

/** All slots over a few holders, in any number of pieces; holders without any are among them. */
const someHolders: fc.Arbitrary<Holder[]> = fc
  .record({
    count: fc.integer({ min: 1, max: 8 }),
    cuts: fc.array(fc.nat({ max: 16383 }), { maxLength: 20 }),
    whose: fc.array(fc.nat(), { minLength: 21, maxLength: 21 }),
  })
  .map(({ count, cuts, whose }) => {
    const starts = [...new Set([0, ...cuts])].sort((a, b) => a - b);
    const slots: SlotRanges[] = Array.from({ length: count }, () => []);
    starts.forEach((start, i) => {
      const owner = (whose[i] ?? 0) % count;
      slots[owner] = normalizeRanges([...(slots[owner] ?? []), { start, end: (starts[i + 1] ?? 16384) - 1 }]);
    });
    return slots.map((ranges, i) => ({ id: `n${i}`, slots: ranges }));
  });

function after(holders: readonly Holder[], transfers: ReturnType<typeof planTransfers>): Map<string, SlotRanges> {
  const now = new Map(holders.map(({ id, slots }) => [id, slots]));
  for (const { from, to, ranges } of transfers) {
    expect(subtractRanges(ranges, now.get(from) ?? [])).toEqual([]);
    now.set(from, subtractRanges(now.get(from) ?? [], ranges));
    now.set(to, unionRanges(now.get(to) ?? [], ranges));
  }
  return now;
}

describe('planTransfers', () => {
  test('everybody ends with its share, every slot once, and no more moves than must', () => {
    fc.assert(
      fc.property(someHolders, fc.nat({ max: 7 }), (holders, going) => {
        const stay = holders.length > 1 ? holders.filter((_, i) => i !== going) : holders;
        const shares = shareSlots(stay.map((holder) => ({ ...holder, weight: 1 })));
        expect([...shares.values()].reduce((sum, share) => sum + share, 0)).toBe(16384);
        const transfers = planTransfers(holders, shares);
        const end = after(holders, transfers);
        for (const { id } of holders) expect(countSlots(end.get(id) ?? [])).toBe(shares.get(id) ?? 0);
        const moved = transfers.reduce((sum, { ranges }) => sum + countSlots(ranges), 0);
        const surplus = holders.map(({ id, slots }) => Math.max(0, countSlots(slots) - (shares.get(id) ?? 0)));
        expect(moved).toBe(surplus.reduce((sum, one) => sum + one, 0));
        const ends = new Set(transfers.map(({ to }) => to));
        expect(transfers.some(({ from }) => ends.has(from))).toBe(false);
        expect(transfers.length).toBeLessThan(holders.length + 1);
      }),
    );
  });

  test('by weight of slots: nobody is farther off than the heaviest slot that it could not split', () => {
    fc.assert(
      fc.property(someHolders, fc.integer({ min: 1, max: 50 }), (holders, spread) => {
        const weigh = (slot: number): number => 1 + ((slot * 7919) % spread);
        const of = (ranges: SlotRanges): number => {
          let sum = 0;
          for (const { start, end } of ranges) for (let slot = start; slot <= end; slot++) sum += weigh(slot);
          return sum;
        };
        const share = of([{ start: 0, end: 16383 }]) / holders.length;
        const transfers = planTransfers(holders, new Map(holders.map(({ id }) => [id, share])), weigh);
        for (const [, slots] of after(holders, transfers))
          expect(Math.abs(of(slots) - share)).toBeLessThanOrEqual(spread * holders.length);
      }),
    );
  });

  test('three even primaries to five: whole ranges from their ends', () => {
    const holders = [
      ...splitSlots(3).map((range, i) => ({ id: `n${i + 1}`, slots: [range] })),
      { id: 'n4', slots: [] },
      { id: 'n5', slots: [] },
    ];
    const transfers = planTransfers(holders, shareSlots(holders.map((holder) => ({ ...holder, weight: 1 }))));
    expect(transfers.map(({ from, to, ranges }) => `${from} ${to} ${formatRanges(ranges)}`)).toEqual([
      'n1 n4 3277-5460',
      'n2 n4 8738-9830',
      'n2 n5 9831-10922',
      'n3 n5 14200-16383',
    ]);
  });

  test('a weight of half gets half', () => {
    const holders = splitSlots(3).map((range, i) => ({ id: `n${i + 1}`, slots: [range], weight: i === 2 ? 0.5 : 1 }));
    expect([...shareSlots(holders).values()]).toEqual([6553, 6554, 3277]);
  });
});
