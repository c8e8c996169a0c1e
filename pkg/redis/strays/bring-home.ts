/**
 * Keys go from a node that does not own their slots to the one that does (laws L4 and L6): the slot is marked as importing on the
 * holder, which makes its keys visible and lets them go; MIGRATE never replaces what the owner has; what both have is settled one by
 * one; the mark is taken away when nothing is left.
 */
import { AppError } from '../../errors.ts';
import { firstBatch } from '../move/batch-size.ts';
import { copiesOf } from '../move/conflicts.ts';
import { COMMAND_DEADLINE_MS, stopIfAborted } from '../move/context.ts';
import type { MoveContext } from '../move/context.ts';
import { refuseOtherDatabases } from '../move/databases.ts';
import { drain } from '../move/drain.ts';
import type { Drained } from '../move/drain.ts';
import { slotsThatFit } from '../move/fit.ts';
import { awaitTarget } from '../move/look.ts';
import { mustAll } from '../move/node-line.ts';
import { sumOf } from '../move/own.ts';
import type { KeysInSlot } from '../move/own.ts';
import { checkRoomFor } from '../move/room.ts';
import { overcome } from '../move/troubles.ts';
import { portForKeys } from '../move/target-port.ts';
import { readWeights } from '../move/weigh.ts';
import type { WireCommand } from '../wire.ts';
import { closeEmpty, countIn } from './find.ts';

/** Rounds in a row in which no key left. */
const MAX_IDLE_ROUNDS = 4;
const SLOTS_AT_ONCE = 64;

/** @param context `source` holds the keys, `target` owns the slots. @throws AppError */
export async function bringHome(context: MoveContext, slots: readonly number[]): Promise<void> {
  await refuseOtherDatabases(context.source);
  await awaitTarget(context);
  [context.weights, context.targetPort] = await Promise.all([readWeights(context), portForKeys(context)]);
  for (let i = 0; i < slots.length; i += SLOTS_AT_ONCE) {
    stopIfAborted(context);
    await bringPart(context, slots.slice(i, i + SLOTS_AT_ONCE));
  }
}

async function bringPart(context: MoveContext, slots: readonly number[]): Promise<void> {
  const { source, target, limits } = context;
  const marks = slots.map((slot): WireCommand => ['CLUSTER', 'SETSLOT', slot, 'IMPORTING', target.end.nodeId]);
  mustAll(source, await source.send(marks, COMMAND_DEADLINE_MS), 'slots whose keys shall leave');
  let size = firstBatch(limits.maxPauseMs);
  let counts = await countIn(source, slots);
  // Servers from 8.4 on hide these keys until here.
  await mustFit(context, counts).catch(async (error: unknown) => {
    await source.send(
      slots.map((slot): WireCommand => ['CLUSTER', 'SETSLOT', slot, 'STABLE']),
      COMMAND_DEADLINE_MS,
    );
    throw error;
  });
  // The owner's copy counts, and not the one of the node that the keys leave.
  const copies = copiesOf(context, 'target');
  for (let idle = 0; counts.length > 0;) {
    stopIfAborted(context);
    const drained = await drain(context, counts, size);
    size = await overcome(context, drained, copies, idle);
    const left = await countIn(source, slots);
    idle = sumOf(left) < sumOf(counts) ? 0 : idle + 1;
    counts = left;
    if (idle >= MAX_IDLE_ROUNDS) throw keysStay(context, counts, drained);
  }
  // Law L4: the counts were read again, and nobody writes here who was not sent by the owner.
  await closeEmpty(source, slots);
  context.count({ slots: slots.length });
}

/** All of them, for those that do not are hidden again. */
async function mustFit(context: MoveContext, counts: readonly KeysInSlot[]): Promise<void> {
  await checkRoomFor(context, 'migrate', () => Promise.resolve(sumOf(counts)));
  const slots = counts.map(({ slot }) => slot);
  await slotsThatFit(context, slots, slots.length);
}

function keysStay({ source, target }: MoveContext, counts: readonly KeysInSlot[], { troubles }: Drained): AppError {
  const [why] = troubles.values();
  return new AppError(`${sumOf(counts)} keys of slot ${counts[0]?.slot} do not leave ${source.end.pod.name}`, {
    code: 'keys-left',
    ...(why === undefined ? {} : { cause: why.reply }),
    hint: `${target.end.pod.name} owns it. Run the same command again: it goes on from where things stand`,
  });
}
