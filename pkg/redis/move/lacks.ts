/** What lacks at the two ends of slots that are open, so that their keys can neither go on nor come back. Reads only. */
import type { NoRoom } from '../../cluster/model/no-room.ts';
import { loadsOf, ofAll, tightRoom, type Weighing } from './fit.ts';
import { add, needOf, NOTHING, raiseFor } from './need.ts';
import { countIn, sumOf } from './own.ts';

/**
 * @param slots that the source has open towards the target
 * @returns null = the target evicts nothing, or has room for what the source still has of them
 * @throws AppError where a node does not tell what it has left, or how large its keys are
 */
export async function lacksOf(context: Weighing, slots: readonly number[]): Promise<NoRoom | null> {
  const onward = await lackOf(context, slots, false);
  if (onward.bytes === 0) return null;
  const { source, target } = context;
  // Whose owner would only refuse keys when it is full can't have them back either.
  const back = await lackOf({ ...context, source: target, target: source }, slots, true);
  return { keysLeft: onward.keys, targetLacksBytes: onward.bytes, ownerLacksBytes: back.bytes };
}

async function lackOf(
  context: Weighing,
  slots: readonly number[],
  anyLimit: boolean,
): Promise<{ readonly keys: number; readonly bytes: number }> {
  const counts = await countIn(context.source, slots);
  const keys = sumOf(counts);
  const room = await tightRoom(context, 1, anyLimit);
  if (room === null) return { keys, bytes: 0 };
  // Those without keys are handed over in parts, as few at a time as can be told of.
  let load = { ...NOTHING, slots: 1 };
  const full = counts.map(({ slot }) => slot);
  for await (const one of loadsOf(context, full)) {
    load = add(load, { ...one, slots: 0 });
    // Enough is known: the target may be small, and the slots large.
    if (needOf(load, room) <= room.leftBytes) continue;
    load = ofAll(load, Math.max(keys, load.keys));
    break;
  }
  const lacks = needOf(load, room) - room.leftBytes;
  return { keys, bytes: lacks > 0 ? raiseFor(lacks) : 0 };
}
