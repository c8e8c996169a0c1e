/**
 * What goes to a target that evicts (https://redis.io/docs/latest/develop/reference/eviction/) must fit, or keys are lost: those that
 * arrive, and its own. Sizes differ by thousands from key to key, so no mean tells; every key is weighed, and the target asked what it
 * has left, right before they go. One that evicts nothing says by itself when it is full (OOM), and nothing is lost.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../errors.ts';
import { keysOfAll } from '../../cluster/wire/keyspace.ts';
import type { RedisCommand } from '../../engine/ports.ts';
import { numberOf } from '../parse/fields.ts';
import { integerOf } from '../parse/replies.ts';
import { listKeys } from './conflicts.ts';
import { COMMAND_DEADLINE_MS, stopIfAborted } from './context.ts';
import type { MoveContext } from './context.ts';
import type { KeysOfSlot } from './migrate-command.ts';
import { add, countFitting, mib, needOf, NOTHING, roomIn, type Load, type Room } from './need.ts';
import { mustAll } from './node-line.ts';
import { countKeys } from './own.ts';
import { SLOTS_TOGETHER as TOGETHER } from './batch-size.ts';
import { sizesOf } from './sizes.ts';

/** Buffers of what has arrived are given back after some seconds. */
const WAIT_MS = 500;
const WAITS = 6;
const WEIGHED_AT_ONCE = 500;
/**
 * Keys that are listed of one slot in one reply. GETKEYSINSLOT has no cursor, and begins with the same keys each time for as long as they
 * are there; and a reply of all keys of a huge slot counts for the limit of the node that makes it, which may be full. So of a slot that
 * has more, as many are weighed and the others taken for alike. They are weighed, too, before they go (sendFitting): by then the keys before
 * them have left, and the next list is a new one.
 */
const LISTED_OF_SLOT = 5_000;

/** A target that evicts gets nothing that was not weighed wholly, and what it has left is asked right before. */
export interface Guard {
  /** That are handed over when their keys have arrived. */
  readonly slots: number;
  /** Also where the target would only refuse what has no room. */
  readonly anyLimit: boolean;
}

/** What is needed to weigh keys of slots and to ask for the target's room. */
export type Weighing = Pick<MoveContext, 'source' | 'target' | 'signal' | 'movesToTarget'>;

/** Whether the target evicts keys when it is full. @throws AppError where it does not tell */
export async function targetEvicts(context: Pick<MoveContext, 'target'>): Promise<boolean> {
  return (await askRoom(context)) !== null;
}

async function askRoom({ target }: Pick<MoveContext, 'target'>, anyLimit = false): Promise<Room | null> {
  const questions: readonly RedisCommand[] = [
    ['INFO', 'memory'],
    ['INFO', 'replication'],
    ['INFO', 'keyspace'],
    ['CLUSTER', 'INFO'],
  ];
  const replies = await target.ask(questions, COMMAND_DEADLINE_MS);
  mustAll(target, replies, 'a question for its memory');
  return roomIn(replies.map(String).join('\r\n'), anyLimit);
}

/** null: the target evicts nothing, or has twice the room for all that the sources of all its moves could have. */
export async function tightRoom(context: Weighing, slots: number, anyLimit = false): Promise<Room | null> {
  const room = await askRoom(context, anyLimit);
  if (room === null) return null;
  const replies = await context.source.ask(
    [
      ['INFO', 'memory'],
      ['INFO', 'keyspace'],
    ],
    COMMAND_DEADLINE_MS,
  );
  mustAll(context.source, replies, 'a question for its memory');
  const bytes = numberOf(String(replies[0]), 'used_memory');
  const all = { keys: keysOfAll(String(replies[1])), bytes: bytes ?? Infinity, largest: bytes ?? Infinity, slots };
  return (1 + Math.max(1, context.movesToTarget())) * needOf(all, room) > room.leftBytes ? room : null;
}

/**
 * Runs the work that sends a part of a move. Where the target evicts and has little room, others that send to it wait until the work is done:
 * what was found to have room has arrived by then, so that no two count on the same room. Asked anew for each part: limits are changed, and
 * clients fill what was empty.
 *
 * @param slots that are handed over in one go
 * @param anyLimit see Guard
 */
export async function withRoom<T>(
  context: MoveContext,
  slots: number,
  work: () => Promise<T>,
  anyLimit = false,
): Promise<T> {
  const tight = (await tightRoom(context, slots, anyLimit)) !== null;
  context.weights = { ...context.weights, guard: tight ? { slots, anyLimit } : null };
  return tight ? inTurn(context, work) : work();
}

/** Turns of sources are taken within it and never around it, so that no two wait for each other. */
export function inTurn<T>(context: MoveContext, work: () => Promise<T>): Promise<T> {
  return context.turns.take(`room of ${context.target.end.nodeId}`, async () => {
    stopIfAborted(context);
    return work();
  });
}

/**
 * Sends as much of a batch as fits, from its first key on; what is left is found again by the next round. Called within withRoom.
 *
 * @throws AppError `target-out-of-memory` where not even the first fits
 */
export async function sendFitting<T>(
  context: MoveContext,
  batch: readonly KeysOfSlot[],
  send: (fitting: readonly KeysOfSlot[]) => Promise<T>,
): Promise<T> {
  const { guard } = context.weights;
  if (guard == null || batch.length === 0) return send(batch);
  const few = batch.slice(0, TOGETHER);
  const loads = few.map(({ keys, bytes }) => ({ keys: keys.length, bytes, largest: bytes, slots: 0 }));
  return send(few.slice(0, await untilFitting(context, loads, guard)));
}

/** @returns how many fit, at least so many, with room left for what is handed over */
async function untilFitting(
  context: MoveContext,
  loads: readonly Load[],
  { slots, anyLimit }: Guard,
  least = 1,
): Promise<number> {
  const reserved = { ...NOTHING, slots: slots * Math.max(1, context.movesToTarget()) };
  for (let waits = 0; ; waits++) {
    const room = await askRoom(context, anyLimit);
    const count = room === null ? loads.length : countFitting(loads, room, reserved);
    if (count >= least || room === null) return count;
    if (waits >= WAITS) throw tooFull(context, room, loads.slice(0, least).reduce(add, reserved));
    await delay(WAIT_MS);
    stopIfAborted(context);
  }
}

/**
 * Before they are opened, so that a target that has no room for them leaves no open slot behind. Called within withRoom.
 *
 * @param slots whose keys the source shows
 * @param least so many, or none
 * @returns how many of them fit, from the first on
 * @throws AppError `target-out-of-memory` where not even the least fit, `size-unknown`
 */
export async function slotsThatFit(context: MoveContext, slots: readonly number[], least = 1): Promise<number> {
  const { guard } = context.weights;
  if (guard == null) return slots.length;
  const room = await askRoom(context, guard.anyLimit);
  const loads: Load[] = [];
  for await (const load of loadsOf(context, slots)) {
    loads.push(load);
    if (room !== null && countFitting(loads, room) < loads.length) break;
  }
  const count = await untilFitting(context, loads, { ...guard, slots: 0 }, Math.min(least, loads.length));
  context.weights = { ...context.weights, guard: { ...guard, slots: count } };
  return count;
}

/** How many slots without keys the target can take now: it tells the others of each. Called within inTurn. */
export function countTellable(context: MoveContext, slots: number): Promise<number> {
  const loads = Array.from({ length: slots }, () => ({ ...NOTHING, slots: 1 }));
  return untilFitting(context, loads, { slots: 0, anyLimit: false }, 0);
}

/** Slot by slot, so that whoever has seen enough weighs no more. */
export async function* loadsOf(context: Weighing, slots: readonly number[]): AsyncGenerator<Load> {
  const counts = await context.source.send(countKeys(slots), COMMAND_DEADLINE_MS);
  mustAll(context.source, counts, 'a count of its keys');
  for (const [i, slot] of slots.entries()) {
    yield await loadOf(context, slot, integerOf(counts[i]));
    stopIfAborted(context);
  }
}

async function loadOf(context: Weighing, slot: number, count: number): Promise<Load> {
  const { source, movesToTarget } = context;
  // Other moves to it may hand over at the same moment.
  let load: Load = { ...NOTHING, slots: Math.max(1, movesToTarget()) };
  if (count === 0) return load;
  const keys = await listKeys(source, slot, Math.min(count, LISTED_OF_SLOT));
  for (let at = 0; at < keys.length; at += WEIGHED_AT_ONCE) {
    const sizes = await sizesOf(source, keys.slice(at, at + WEIGHED_AT_ONCE), { exact: true, mustTell: true });
    for (const bytes of sizes) load = add(load, { keys: 1, bytes, largest: bytes, slots: 0 });
    stopIfAborted(context);
  }
  return count > LISTED_OF_SLOT ? ofAll(load, count) : load;
}

/** Of so many keys, if the others are like those that were weighed. */
export function ofAll(load: Load, keys: number): Load {
  return load.keys === 0 ? load : { ...load, keys, bytes: (load.bytes * keys) / load.keys };
}

function tooFull({ target }: MoveContext, room: Room, load: Load): AppError {
  const [need, left, max] = [needOf(load, room), room.leftBytes, room.maxBytes].map(mib);
  const { name } = target.end.pod;
  const evicts = room.policy !== 'noeviction';
  const policy = evicts
    ? `, or let it refuse writes instead of evicting keys for as long as this takes (kubectl exec ${name} -- redis-cli CONFIG SET maxmemory-policy noeviction)`
    : '';
  return new AppError(
    `${name} is too full for what comes next: that needs up to ${need}, and ${left} of ${max} are left`,
    {
      code: 'target-out-of-memory',
      cause: new Error(`It would ${evicts ? 'evict' : 'refuse'} keys (${room.policy})`),
      hint: `Nothing is lost, and what was moved stays. Raise its maxmemory${policy}; then the same command goes on from here${evicts ? ', and the policy is set back by hand' : ''}`,
    },
  );
}
