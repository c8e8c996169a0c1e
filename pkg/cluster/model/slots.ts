/**
 * Hash slots and ranges of them (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/).
 *
 * A set of slots is a list of ranges that is sorted, disjoint and has no two ranges that touch ("normal").
 */

export const SLOT_COUNT = 16384;

/** Slots `start` to `end`, both included. Printed `0-5460`, or `7` when it is one slot. */
export interface SlotRange {
  readonly start: number;
  readonly end: number;
}

export type SlotRanges = readonly SlotRange[];

export const ALL_SLOTS: SlotRanges = [{ start: 0, end: SLOT_COUNT - 1 }];

/** Sorts and joins ranges that overlap or touch. */
export function normalizeRanges(ranges: SlotRanges): SlotRange[] {
  const sorted = [...ranges].sort((a, b) => a.start - b.start);
  const out: { start: number; end: number }[] = [];
  for (const range of sorted) {
    const last = out.at(-1);
    if (last !== undefined && range.start <= last.end + 1) last.end = Math.max(last.end, range.end);
    else out.push({ start: range.start, end: range.end });
  }
  return out;
}

/** The ranges of single slots, in any order, repeated or not. */
export function rangesFromSlots(slots: Iterable<number>): SlotRange[] {
  return normalizeRanges([...slots].map((slot) => ({ start: slot, end: slot })));
}

/** Every slot of the ranges, in their order. */
export function slotsFromRanges(ranges: SlotRanges): number[] {
  return ranges.flatMap(({ start, end }) => Array.from({ length: end - start + 1 }, (_, i) => start + i));
}

/** How many slots disjoint ranges hold. */
export function countSlots(ranges: SlotRanges): number {
  let count = 0;
  for (const range of ranges) count += range.end - range.start + 1;
  return count;
}

export function containsSlot(ranges: SlotRanges, slot: number): boolean {
  return ranges.some((range) => range.start <= slot && slot <= range.end);
}

/** Slots of `a` that are not in `b`. */
export function subtractRanges(a: SlotRanges, b: SlotRanges): SlotRange[] {
  const out: SlotRange[] = [];
  const cuts = normalizeRanges(b);
  for (const range of normalizeRanges(a)) {
    let start = range.start;
    for (const cut of cuts) {
      if (cut.end < start) continue;
      if (cut.start > range.end) break;
      if (cut.start > start) out.push({ start, end: cut.start - 1 });
      start = Math.max(start, cut.end + 1);
    }
    if (start <= range.end) out.push({ start, end: range.end });
  }
  return out;
}

/** Slots that are in both. */
export function intersectRanges(a: SlotRanges, b: SlotRanges): SlotRange[] {
  return subtractRanges(a, subtractRanges(a, b));
}

export function unionRanges(a: SlotRanges, b: SlotRanges): SlotRange[] {
  return normalizeRanges([...a, ...b]);
}

export function formatRange(range: SlotRange): string {
  return range.start === range.end ? String(range.start) : `${range.start}-${range.end}`;
}

/** `0-5460,7000`; the empty set is the empty string. */
export function formatRanges(ranges: SlotRanges): string {
  return ranges.map(formatRange).join(',');
}

/**
 * All 16384 slots over `parts` primaries, contiguous, sizes that differ by at most one. The borders are those of
 * `redis-cli --cluster create` (0-5460, 5461-10922, 10923-16383 for three), which people know by heart.
 */
export function splitSlots(parts: number): SlotRange[] {
  if (!Number.isInteger(parts) || parts < 1 || parts > SLOT_COUNT)
    throw new RangeError(`cannot split slots over ${parts} primaries`);
  const per = SLOT_COUNT / parts;
  const out: SlotRange[] = [];
  let start = 0;
  for (let i = 0; i < parts; i++) {
    const end = i === parts - 1 ? SLOT_COUNT - 1 : Math.max(start, Math.round((i + 1) * per - 1));
    out.push({ start, end });
    start = end + 1;
  }
  return out;
}
