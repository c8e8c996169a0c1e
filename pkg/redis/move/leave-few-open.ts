/**
 * A move that stops for want of room leaves no slot open but those that have keys on both sides. Whose keys have all gone is handed over, and
 * of which none has gone is closed again: clients are redirected no more, and `fix` has less to decide about.
 */
import type { SlotRanges } from '../../cluster/model/slots.ts';
import type { WireCommand } from '../wire.ts';
import { COMMAND_DEADLINE_MS } from './context.ts';
import type { MoveContext } from './context.ts';
import { countTellable, inTurn } from './fit.ts';
import { viewsOfEnds } from './look.ts';
import { mustAll, type NodeLine } from './node-line.ts';
import { countIn, countKeys, handOver, setSlots, stable, tellOthers } from './own.ts';
import { survey } from './survey.ts';

/**
 * @returns how many stay open
 * @throws AppError; what is then still open is properly open, or its target alone has a mark
 */
export async function leaveFewOpen(context: MoveContext, ranges: SlotRanges): Promise<number> {
  const ends = { sourceId: context.source.end.nodeId, targetId: context.target.end.nodeId };
  // No other move hands over while it is counted for how many there is room.
  return inTurn(context, async () => {
    const views = await viewsOfEnds(context);
    const open = [...survey(ranges, ends, views.source, views.target).open];
    if (open.length === 0) return 0;
    const empty = await without(context.source, open);
    const told = empty.slice(0, await countTellable(context, empty.length));
    if (told.length > 0) {
      // An open slot that is empty stays empty (law L3).
      await handOver(context, told, 'open');
      await tellOthers(context, told);
    }
    const done = new Set(told);
    const closed = await closeUntouched(
      context,
      open.filter((slot) => !done.has(slot)),
    );
    return open.length - told.length - closed;
  });
}

/** Those of which the node has no key. */
async function without(line: NodeLine, slots: readonly number[]): Promise<readonly number[]> {
  const full = new Set((await countIn(line, slots)).map(({ slot }) => slot));
  return slots.filter((slot) => !full.has(slot));
}

/**
 * The source first: from then on it sends nobody to the target. A client that it had sent on just before may still write there, so the
 * target counts once more around its end of it, and what has keys by then is opened again. (Counted before, too: servers from 8.4 on show
 * no key of a slot that is closed.)
 */
async function closeUntouched({ source, target }: MoveContext, slots: readonly number[]): Promise<number> {
  const untouched = await without(target, slots);
  if (untouched.length === 0) return 0;
  mustAll(source, await source.send(stable(untouched), COMMAND_DEADLINE_MS), 'its slots back');
  const counts: readonly WireCommand[] = countKeys(untouched);
  const replies = await target.send([...counts, ...stable(untouched), ...counts], COMMAND_DEADLINE_MS);
  mustAll(target, replies, 'that slots are not open');
  const { length } = untouched;
  const written = untouched.filter((_, i) => replies[i] !== 0 || replies[2 * length + i] !== 0);
  if (written.length === 0) return untouched.length;
  const again = setSlots(written, 'IMPORTING', source.end.nodeId);
  mustAll(target, await target.send(again, COMMAND_DEADLINE_MS), 'slots to import');
  const gives = setSlots(written, 'MIGRATING', target.end.nodeId);
  mustAll(source, await source.send(gives, COMMAND_DEADLINE_MS), 'slots to hand over');
  return untouched.length - written.length;
}
