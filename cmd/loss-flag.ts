/** `--accept-data-loss SLOTS`: the one flag by which a person agrees to lose keys, in every verb that could. `--yes` never does. */
import { refusal, usageError } from '../pkg/errors.ts';
import { isAgreed, lossFlag, type Loss } from '../pkg/cluster/model/loss.ts';
import { SLOT_COUNT, normalizeRanges, type SlotRange, type SlotRanges } from '../pkg/cluster/model/slots.ts';
import type { Flag } from './flags.ts';

export interface LossFlagValues {
  /** Empty when it was not given. */
  readonly 'accept-data-loss': SlotRanges;
}

/** @param summary which keys, in the words of the verb */
export function lossFlags(summary: string): { readonly 'accept-data-loss': Flag<SlotRanges> } {
  const read = ([typed]: readonly string[]): SlotRanges => (typed === undefined ? [] : readSlots(typed));
  return { 'accept-data-loss': { takes: 'one', placeholder: 'SLOTS', summary, read } };
}

/** @throws AppError usage */
function readSlots(typed: string): SlotRanges {
  const ranges = typed.split(',').map((word): SlotRange => {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(word.trim());
    const start = Number(match?.[1] ?? NaN);
    const end = Number(match?.[2] ?? start);
    if (start <= end && end < SLOT_COUNT) return { start, end };
    throw usageError(
      `--accept-data-loss ${JSON.stringify(typed)} does not name slots`,
      'write them as the plan does: 0-5460,7000',
    );
  });
  return normalizeRanges(ranges);
}

/** As it was typed, for the command that goes on. */
export function typedLoss({ 'accept-data-loss': slots }: LossFlagValues): string {
  return slots.length === 0 ? '' : ` ${lossFlag(slots)}`;
}

/**
 * Where nobody can be asked, the flag must have named what would be lost.
 * @param what the verb with what makes it lose something, as the subject of a sentence
 * @throws AppError `needs-consent`, exit code 3
 */
export function refuseUnagreed(what: string, loss: Loss | null, agreed: SlotRanges, command: string): void {
  if (loss === null || isAgreed(loss, agreed)) return;
  throw refusal('needs-consent', `${what} would lose ${loss.sentence}`, `To agree: ${command} ${lossFlag(loss.slots)}`);
}
