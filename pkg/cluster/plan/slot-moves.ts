/**
 * Which slots go from whom to whom, so that everybody ends with its share. Deterministic, and as little as possible moves: only
 * what somebody has too much, straight to one who has too little, in few and long ranges.
 */
import { compareNatural } from '../natural-order.ts';
import { countSlots, rangesFromSlots, SLOT_COUNT, type SlotRanges } from '../model/slots.ts';

/** Who holds slots or shall hold some. */
export interface Holder {
  /** Anything that tells holders apart: a node id, or the name of a shard that has no node yet. */
  readonly id: string;
  readonly slots: SlotRanges;
}

export interface SlotTransfer {
  readonly from: string;
  readonly to: string;
  readonly ranges: SlotRanges;
}

/** What a slot weighs: 1, its keys or its bytes. */
export type SlotWeight = (slot: number) => number;

const EQUAL: SlotWeight = () => 1;

/**
 * @param shares what each holder ends with, by id, in units of `weight`; one that is not named ends with nothing. Together they are
 * what all slots weigh
 * @returns one transfer for each pair that has to do with each other
 */
export function planTransfers(
  holders: readonly Holder[],
  shares: ReadonlyMap<string, number>,
  weight: SlotWeight = EQUAL,
): SlotTransfer[] {
  const ordered = holders.toSorted((a, b) => firstSlot(a) - firstSlot(b) || compareNatural(a.id, b.id));
  const lacks = ordered.map((holder) => (shares.get(holder.id) ?? 0) - weightOf(holder.slots, weight));
  // Neighbours by slot numbers, so that what is handed on often continues what the receiver has.
  const receivers = ordered.flatMap((holder, at) =>
    (lacks[at] ?? 0) > 0 ? [{ id: holder.id, lack: lacks[at] ?? 0 }] : [],
  );
  // Giver by giver, so that there are fewer pairs than givers and receivers together.
  const given = ordered.flatMap((holder, at) =>
    surplusOf(holder, -(lacks[at] ?? 0), shares.has(holder.id), weight)
      .sort((a, b) => a - b)
      .map((slot) => ({ from: holder.id, slot })),
  );
  const pairs = new Map<string, { from: string; to: string; slots: number[] }>();
  let at = 0;
  for (const { from, slot } of given) {
    const heavy = weight(slot);
    while (at < receivers.length - 1 && (receivers[at]?.lack ?? 0) < heavy / 2) at += 1;
    const receiver = receivers[at];
    if (receiver === undefined) break;
    receiver.lack -= heavy;
    const key = `${from} ${receiver.id}`;
    const pair = pairs.get(key) ?? { from, to: receiver.id, slots: [] };
    pair.slots.push(slot);
    pairs.set(key, pair);
  }
  return [...pairs.values()].map(({ from, to, slots }) => ({ from, to, ranges: rangesFromSlots(slots) }));
}

function firstSlot({ slots }: Holder): number {
  return slots[0]?.start ?? SLOT_COUNT;
}

function weightOf(ranges: SlotRanges, weight: SlotWeight): number {
  let sum = 0;
  for (const { start, end } of ranges) for (let slot = start; slot <= end; slot++) sum += weight(slot);
  return sum;
}

/** Everything of one that ends with nothing; else fragments first, then the end of the longest range. */
function surplusOf({ slots }: Holder, surplus: number, stays: boolean, weight: SlotWeight): number[] {
  const bySize = slots.toSorted((a, b) => a.end - a.start - (b.end - b.start) || b.start - a.start);
  const all = bySize.flatMap(({ start, end }) => Array.from({ length: end - start + 1 }, (_, i) => end - i));
  if (!stays) return all;
  const out: number[] = [];
  let sum = 0;
  for (const slot of all) {
    const heavy = weight(slot);
    if (sum + heavy / 2 > surplus) break;
    sum += heavy;
    out.push(slot);
  }
  return out;
}

/**
 * Whole numbers of slots in proportion to the weights, 16384 together. Those that have most already get what does not divide, so
 * that less moves.
 */
export function shareSlots(holders: readonly (Holder & { readonly weight: number })[]): Map<string, number> {
  const sum = holders.reduce((all, { weight }) => all + weight, 0);
  const exact = holders.map((holder) => {
    const share = (SLOT_COUNT * holder.weight) / sum;
    return { holder, least: Math.floor(share), rest: share - Math.floor(share), has: countSlots(holder.slots) };
  });
  const over = SLOT_COUNT - exact.reduce((all, { least }) => all + least, 0);
  const favoured = exact
    .filter(({ rest }) => rest > 1e-9)
    .toSorted(
      (a, b) =>
        Number(b.has > b.least) - Number(a.has > a.least) ||
        b.rest - a.rest ||
        b.has - a.has ||
        compareNatural(a.holder.id, b.holder.id),
    )
    .slice(0, over);
  return new Map(exact.map((one) => [one.holder.id, one.least + (favoured.includes(one) ? 1 : 0)]));
}
