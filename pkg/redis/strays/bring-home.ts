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
import { slotsThatFit, withRoom } from '../move/fit.ts';
import { awaitTarget, viewOf } from '../move/look.ts';
import { mustAll, type NodeLine } from '../move/node-line.ts';
import { countIn, setSlots, stable, sumOf } from '../move/own.ts';
import type { KeysInSlot } from '../move/own.ts';
import { marksOf, movedByOthers } from '../move/survey.ts';
import { overcome } from '../move/troubles.ts';
import { portForKeys } from '../move/target-port.ts';
import { readWeights } from '../move/weigh.ts';
import { closeEmpty } from './find.ts';

/** Rounds in a row in which no key left. */
const MAX_IDLE_ROUNDS = 4;
const SLOTS_AT_ONCE = 64;

/**
 * @param context `source` holds the keys, `target` owns the slots
 * @param givenUp the owner has them open towards these nodes: a move is taken back, part by part; null = it has not
 * @throws AppError
 */
export async function bringHome(
  context: MoveContext,
  slots: readonly number[],
  givenUp: readonly string[] | null = null,
): Promise<void> {
  await refuseOtherDatabases(context.source);
  await awaitTarget(context);
  [context.weights, context.targetPort] = await Promise.all([readWeights(context), portForKeys(context)]);
  for (let i = 0; i < slots.length; i += SLOTS_AT_ONCE) {
    const part = slots.slice(i, i + SLOTS_AT_ONCE);
    for (const few of givenUp !== null ? await apart(context, part) : [part]) {
      stopIfAborted(context);
      // An owner that has closed a slot answers for all keys of it: they must fit, also where it would only refuse the rest.
      await withRoom(context, few.length, () => bringPart(context, few, givenUp), givenUp !== null);
    }
  }
}

/** From when its owner has closed a slot, nobody sees the keys that are still on their way: so those of one slot at a time. */
async function apart({ source }: MoveContext, slots: readonly number[]): Promise<readonly (readonly number[])[]> {
  const full = (await countIn(source, slots)).map(({ slot }) => slot);
  const empty = slots.filter((slot) => !full.includes(slot));
  return [...(empty.length === 0 ? [] : [empty]), ...full.map((slot) => [slot])];
}

async function bringPart(
  context: MoveContext,
  slots: readonly number[],
  givenUp: readonly string[] | null,
): Promise<void> {
  const { source, target } = context;
  await openSlotsOf(target.end.nodeId, source, slots);
  let counts = await countIn(source, slots);
  // Servers from 8.4 on hide these keys until here.
  await mustFit(context, counts).catch(async (error: unknown) => {
    // Clients that the owner sends here still find what is here.
    if (givenUp === null) await source.send(stable(slots), COMMAND_DEADLINE_MS);
    throw error;
  });
  if (givenUp !== null) {
    await takeBack(context, slots, givenUp);
    // Clients that the owner had sent here wrote until now.
    counts = await countIn(source, slots);
  }
  await empty(context, slots, counts).catch(async (error: unknown) => {
    // Filled by others meanwhile: clients that ask the owner for what is still here are sent here again.
    if (givenUp !== null && error instanceof AppError && error.code === 'target-out-of-memory')
      await target.send(setSlots(slots, 'MIGRATING', source.end.nodeId), COMMAND_DEADLINE_MS);
    throw error;
  });
  // Law L4: the counts were read again, and nobody writes here who was not sent by the owner.
  await closeEmpty(source, slots);
  context.count({ slots: slots.length });
}

async function empty(context: MoveContext, slots: readonly number[], first: readonly KeysInSlot[]): Promise<void> {
  const { source, limits } = context;
  let size = firstBatch(limits.maxPauseMs);
  let counts = first;
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
}

/** All of them, for those that do not are hidden again. */
async function mustFit(context: MoveContext, counts: readonly KeysInSlot[]): Promise<void> {
  const slots = counts.map(({ slot }) => slot);
  await slotsThatFit(context, slots, slots.length);
}

/**
 * While the owner gives slots away it takes no key of them (ASK); from here on it answers for all of them, also for those that are on their
 * way home. So it comes as late as it can: right before they leave.
 *
 * @throws AppError `moved-by-others`
 */
async function takeBack({ target }: MoveContext, slots: readonly number[], givenUp: readonly string[]): Promise<void> {
  const view = await viewOf(target);
  // A mark may name the node in whose place the holder leads.
  const followers = view.filter(({ primaryId }) => primaryId !== null && givenUp.includes(primaryId));
  const theirs = new Set([...givenUp, ...followers.map(({ nodeId }) => nodeId)]);
  const marks = marksOf(view, target.end.nodeId);
  for (const slot of slots) {
    const to = marks.get(slot);
    if (to !== undefined && !theirs.has(to)) throw movedByOthers(slot, to);
  }
  mustAll(target, await target.send(stable(slots), COMMAND_DEADLINE_MS), 'its slots back');
}

/** Marks slots as importing from their owner: keys of them that the node holds are visible from then on, and may leave. */
export async function openSlotsOf(ownerId: string, holder: NodeLine, slots: readonly number[]): Promise<void> {
  const marks = setSlots(slots, 'IMPORTING', ownerId);
  mustAll(holder, await holder.send(marks, COMMAND_DEADLINE_MS), 'slots whose keys shall leave');
}

function keysStay({ source, target }: MoveContext, counts: readonly KeysInSlot[], { troubles }: Drained): AppError {
  const [why] = troubles.values();
  return new AppError(`${sumOf(counts)} keys of slot ${counts[0]?.slot} do not leave ${source.end.pod.name}`, {
    code: 'keys-left',
    ...(why === undefined ? {} : { cause: why.reply }),
    hint: `${target.end.pod.name} owns it. Run the same command again: it goes on from where things stand`,
  });
}
