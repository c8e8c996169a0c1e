/**
 * In which slots a node holds keys that it does not own. Older servers count them when asked. Newer ones (Redis from 8.4 on) hide
 * them: only the number of all keys tells that they are there, until the slot is marked as importing.
 */
import { SLOT_COUNT } from '../../cluster/model/slots.ts';
import { integerOf } from '../parse/replies.ts';
import { countIn, stable, sumOf } from '../move/own.ts';
import type { KeysInSlot } from '../move/own.ts';
import { COMMAND_DEADLINE_MS } from '../move/context.ts';
import { mustAll, type NodeLine } from '../move/node-line.ts';
import type { WireCommand } from '../wire.ts';

/** Each costs the node a rewrite of nodes.conf for all together, and a line of it each while they are marked. */
const SUSPECTS_AT_ONCE = 512;

export interface SlotsOfHolder {
  readonly own: ReadonlySet<number>;
  /** Marked as importing on it. */
  readonly importing: ReadonlySet<number>;
}

/**
 * Slots that others own and of which the node holds keys, with their counts. Slots that it imports are left out: they are half of
 * a move. Hidden ones are marked as importing when this returns, which is what makes them visible.
 *
 * @param ownerOf id of the node to name in such a mark: the owner, or any other that the holder knows
 */
export async function findStrays(
  holder: NodeLine,
  slots: SlotsOfHolder,
  ownerOf: (slot: number) => string,
): Promise<KeysInSlot[]> {
  const foreign = allSlots().filter((slot) => !slots.own.has(slot) && !slots.importing.has(slot));
  const seen = await countIn(holder, foreign);
  const hidden = await hiddenKeys(holder, slots, seen);
  return hidden <= 0 ? seen : [...seen, ...(await openSuspects(holder, foreign, seen, hidden, ownerOf))];
}

/** Keys that no slot accounts for, neither its own nor the others'. Clients write meanwhile: what counts is the smaller size. */
async function hiddenKeys(holder: NodeLine, slots: SlotsOfHolder, seen: readonly KeysInSlot[]): Promise<number> {
  const [before] = await holder.ask([['DBSIZE']], COMMAND_DEADLINE_MS);
  const counted = await countIn(holder, [...slots.own, ...slots.importing]);
  const [after] = await holder.ask([['DBSIZE']], COMMAND_DEADLINE_MS);
  return Math.min(integerOf(before), integerOf(after)) - sumOf(counted) - sumOf(seen);
}

/** A mark is local to the node and harmless where there is no key; it is taken away again there (law L4). */
async function openSuspects(
  holder: NodeLine,
  foreign: readonly number[],
  seen: readonly KeysInSlot[],
  hidden: number,
  ownerOf: (slot: number) => string,
): Promise<KeysInSlot[]> {
  const known = new Set(seen.map(({ slot }) => slot));
  const suspects = foreign.filter((slot) => !known.has(slot));
  const found: KeysInSlot[] = [];
  for (let i = 0; i < suspects.length && sumOf(found) < hidden; i += SUSPECTS_AT_ONCE) {
    const part = suspects.slice(i, i + SUSPECTS_AT_ONCE);
    const marks = part.map((slot): WireCommand => ['CLUSTER', 'SETSLOT', slot, 'IMPORTING', ownerOf(slot)]);
    mustAll(holder, await holder.send(marks, COMMAND_DEADLINE_MS), 'slots to look into');
    const counts = await countIn(holder, part);
    found.push(...counts);
    const withKeys = new Set(counts.map(({ slot }) => slot));
    await closeEmpty(
      holder,
      part.filter((slot) => !withKeys.has(slot)),
    );
  }
  return found;
}

/** The marks of slots without keys. @throws AppError where a node does not take that */
export async function closeEmpty(holder: NodeLine, slots: readonly number[]): Promise<void> {
  mustAll(holder, await holder.send(stable(slots), COMMAND_DEADLINE_MS), 'that slots are not open');
}

function allSlots(): number[] {
  return Array.from({ length: SLOT_COUNT }, (_, slot) => slot);
}
