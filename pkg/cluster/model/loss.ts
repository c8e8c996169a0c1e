/** What a plan loses for good, and what a person agreed to lose. Agreement is always by slots: nobody agrees to what was not named. */
import { formatRanges, subtractRanges, unionRanges, type SlotRanges } from './slots.ts';

export interface Loss {
  readonly slots: SlotRanges;
  /** Keys that are known to be gone; null = nobody can know how many. */
  readonly keys: number | null;
  /** Seconds of writes, at most; null = nobody can know, or it is not a matter of time. */
  readonly seconds: number | null;
  /** As the object of `would lose`. */
  readonly sentence: string;
  /** What it was joined from: an agreement is held against each, because the sum of several says little about any one. */
  readonly parts?: readonly Loss[];
}

/** The flag that agrees to lose keys of these slots, as it is typed. */
export function lossFlag(slots: SlotRanges): string {
  return `--accept-data-loss ${formatRanges(slots)}`;
}

/** Whether everything that would be lost was agreed to. */
export function isAgreed(loss: Pick<Loss, 'slots'>, agreed: SlotRanges): boolean {
  return subtractRanges(loss.slots, agreed).length === 0;
}

/** Seconds are measured, and differ a little from look to look. */
const SLACK = { factor: 1.5, seconds: 5 };

/** The single losses that were named, one for each shard where it was joined from several. */
export function partsOf(loss: Loss | null): readonly Loss[] {
  return loss === null ? [] : (loss.parts ?? [loss]);
}

/** Whether each part of what would be lost now is within one that was named: of the same slots, and no more. */
export function isWithin(now: Loss | null, named: readonly Loss[]): boolean {
  const all = named.flatMap(partsOf);
  return partsOf(now).every((part) => all.some((one) => isAgreed(part, one.slots) && isNoMore(part, one)));
}

/** Nobody who agreed to the writes of 30 s agreed to every key. */
export function isNoMore(now: Loss, agreed: Loss): boolean {
  if (isUnbounded(agreed)) return true;
  if (isUnbounded(now)) return false;
  if (now.seconds !== null) {
    if (agreed.seconds === null || now.seconds > agreed.seconds * SLACK.factor + SLACK.seconds) return false;
    return now.keys === null || agreed.keys === null || now.keys <= agreed.keys;
  }
  return now.keys !== null && agreed.keys !== null && now.keys <= agreed.keys;
}

function isUnbounded({ keys, seconds }: Loss): boolean {
  return keys === null && seconds === null;
}

/** null = none. */
export function joinLosses(losses: readonly Loss[]): Loss | null {
  const [first, ...rest] = losses;
  if (first === undefined) return null;
  const parts = losses.flatMap(partsOf);
  return rest.reduce(
    (sum, { slots, keys, seconds, sentence }) => ({
      slots: unionRanges(sum.slots, slots),
      keys: sum.keys === null || keys === null ? null : sum.keys + keys,
      seconds: sum.seconds === null || seconds === null ? null : Math.max(sum.seconds, seconds),
      sentence: `${sum.sentence}; ${sentence}`,
      parts,
    }),
    first,
  );
}

/** `1,234 keys`, `1 key`, `an unknown number of keys`. */
export function keysInWords(keys: number | null): string {
  if (keys === null) return 'an unknown number of keys';
  return `${keys.toLocaleString('en-US')} ${keys === 1 ? 'key' : 'keys'}`;
}
