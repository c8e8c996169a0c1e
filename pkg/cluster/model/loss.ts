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
  return rest.reduce(
    (sum, { slots, keys, seconds, sentence }) => ({
      slots: unionRanges(sum.slots, slots),
      keys: sum.keys === null || keys === null ? null : sum.keys + keys,
      seconds: sum.seconds === null || seconds === null ? null : Math.max(sum.seconds, seconds),
      sentence: `${sum.sentence}; ${sentence}`,
    }),
    first,
  );
}

/** `1,234 keys`, `1 key`, `an unknown number of keys`. */
export function keysInWords(keys: number | null): string {
  if (keys === null) return 'an unknown number of keys';
  return `${keys.toLocaleString('en-US')} ${keys === 1 ? 'key' : 'keys'}`;
}
