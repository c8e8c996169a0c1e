/**
 * What goes to a target that evicts (https://redis.io/docs/latest/develop/reference/eviction/) must fit, or keys are lost: those that
 * arrive, and its own. Sizes differ by thousands from key to key, so no mean tells; every key is weighed, and the target asked what it
 * has left, right before they go. One that evicts nothing says by itself when it is full (OOM), and nothing is lost.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../errors.ts';
import { keysOfAll } from '../../cluster/wire/keyspace.ts';
import type { RedisCommand } from '../../engine/ports.ts';
import { fieldOf, numberOf } from '../parse/fields.ts';
import { integerOf } from '../parse/replies.ts';
import { listKeys } from './conflicts.ts';
import { COMMAND_DEADLINE_MS, stopIfAborted } from './context.ts';
import type { MoveContext } from './context.ts';
import type { KeysOfSlot } from './migrate-command.ts';
import { mustAll } from './node-line.ts';
import { countKeys } from './own.ts';
import { SLOTS_TOGETHER as TOGETHER } from './batch-size.ts';
import { sizesOf } from './sizes.ts';

/** Of its limit, left to its clients, who write meanwhile, and to buffers. */
const SPARE = 0.05;
const LEAST_SPARE_BYTES = 256 * 1024;
/** What a key weighs at the source may be more at a target that packs it otherwise. */
const KEPT_FACTOR = 1.5;
/** Entries of tables that MEMORY USAGE leaves out: of keys that expire, of slots. */
const BYTES_A_KEY = 128;
/** Two tables, of keys and of those that expire, with a pointer in each place. */
const TABLE_BYTES = 16;
/** While a key arrives, the target holds what was sent of it, too. */
const SENT_FACTOR = 2;
/** A message on the bus: its head with a bit for each slot, and what it says of some nodes. */
const MESSAGE_BYTES = 2_700;
const BYTES_A_NODE_SAID = 104;
/** Buffers grow to twice what is in them. */
const BUFFER_FACTOR = 2;
/** Buffers of what has arrived are given back after some seconds. */
const WAIT_MS = 500;
const WAITS = 6;
const WEIGHED_AT_ONCE = 500;

/** A target that evicts gets nothing that was not weighed wholly, and what it has left is asked right before. */
export interface Guard {
  /** That are handed over when their keys have arrived. */
  readonly slots: number;
}

export interface Room {
  readonly maxBytes: number;
  /** Before it is as full as it may get; less than 0 where it is already. */
  readonly leftBytes: number;
  readonly policy: string;
  readonly keys: number;
  /** What its backlog for replicas will still grow by, and that counts. */
  readonly backlogBytes: number;
  /** What it takes for each slot that it gets, for a moment: it tells every node of each of them, and all of a chunk come in one go. */
  readonly slotBytes: number;
}

export interface Load {
  readonly keys: number;
  readonly bytes: number;
  /** The largest part that goes in one piece. */
  readonly largest: number;
  /** That are handed over in one go. */
  readonly slots: number;
}

/** Pure. @param info sections memory, replication and keyspace, and CLUSTER INFO. @returns null = it evicts nothing */
export function roomIn(info: string): Room | null {
  const maxBytes = numberOf(info, 'maxmemory') ?? 0;
  const policy = fieldOf(info, 'maxmemory_policy') ?? 'noeviction';
  if (maxBytes === 0 || policy === 'noeviction') return null;
  const used = (numberOf(info, 'used_memory') ?? maxBytes) - (numberOf(info, 'mem_not_counted_for_evict') ?? 0);
  const nodes = numberOf(info, 'cluster_known_nodes') ?? 0;
  const backlog = (numberOf(info, 'repl_backlog_size') ?? 0) - (numberOf(info, 'repl_backlog_histlen') ?? 0);
  return {
    maxBytes,
    leftBytes: Math.floor(maxBytes - Math.max(LEAST_SPARE_BYTES, maxBytes * SPARE) - used),
    policy,
    keys: keysOfAll(info),
    backlogBytes: fieldOf(info, 'repl_backlog_active') === '1' ? Math.max(0, backlog) : 0,
    slotBytes: Math.ceil(nodes * BUFFER_FACTOR * (MESSAGE_BYTES + (nodes / 10) * BYTES_A_NODE_SAID)),
  };
}

const NOTHING: Load = { keys: 0, bytes: 0, largest: 0, slots: 0 };

/** Pure; rather too much. */
export function needOf(
  { keys, bytes, largest, slots }: Load,
  room: Pick<Room, 'keys' | 'backlogBytes' | 'slotBytes'>,
): number {
  const table = tableOf(room.keys + keys);
  const grown = table > tableOf(room.keys) ? table * TABLE_BYTES : 0;
  const sent = largest * SENT_FACTOR + Math.min(bytes, room.backlogBytes);
  return Math.ceil(bytes * KEPT_FACTOR + keys * BYTES_A_KEY + sent + grown + slots * room.slotBytes);
}

/** Tables have as many places as a power of two, and grow all at once. */
function tableOf(keys: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, keys)));
}

/** Pure: how many of them, from the first on, besides what is to come in any case. */
export function countFitting(loads: readonly Load[], room: Room, reserved: Load = NOTHING): number {
  let sum = reserved;
  for (const [i, load] of loads.entries()) {
    sum = add(sum, load);
    if (needOf(sum, room) > room.leftBytes) return i;
  }
  return loads.length;
}

function add(one: Load, other: Load): Load {
  return {
    keys: one.keys + other.keys,
    bytes: one.bytes + other.bytes,
    largest: Math.max(one.largest, other.largest),
    slots: one.slots + other.slots,
  };
}

/** Whether the target evicts keys when it is full. @throws AppError where it does not tell */
export async function targetEvicts(context: Pick<MoveContext, 'target'>): Promise<boolean> {
  return (await askRoom(context)) !== null;
}

async function askRoom({ target }: Pick<MoveContext, 'target'>): Promise<Room | null> {
  const questions: readonly RedisCommand[] = [
    ['INFO', 'memory'],
    ['INFO', 'replication'],
    ['INFO', 'keyspace'],
    ['CLUSTER', 'INFO'],
  ];
  const replies = await target.ask(questions, COMMAND_DEADLINE_MS);
  mustAll(target, replies, 'a question for its memory');
  return roomIn(replies.map(String).join('\r\n'));
}

/**
 * How what goes to the target is guarded: it is, where the target evicts and has not twice the room for all that the source has. Asked for
 * each part of a move: limits are changed, and clients fill what was empty.
 *
 * @param slots that are handed over in one go
 */
export async function guardOf(context: MoveContext, slots: number): Promise<Guard | null> {
  return (await tightRoom(context, slots)) === null ? null : { slots };
}

async function tightRoom(context: MoveContext, slots: number): Promise<Room | null> {
  const room = await askRoom(context);
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
  return 2 * needOf(all, room) > room.leftBytes ? room : null;
}

/**
 * Sends as much of a batch as fits, from its first key on; what is left is found again by the next round. Others who send to the same
 * target wait: what it has left is told once.
 *
 * @throws AppError `target-out-of-memory` where not even the first fits
 */
export function sendFitting<T>(
  context: MoveContext,
  batch: readonly KeysOfSlot[],
  send: (fitting: readonly KeysOfSlot[]) => Promise<T>,
): Promise<T> {
  const { guard } = context.weights;
  if (guard == null || batch.length === 0) return send(batch);
  // Always taken last, so that no two wait for each other.
  return context.turns.take(`room of ${context.target.end.nodeId}`, async () => {
    const few = batch.slice(0, TOGETHER);
    const loads = few.map(({ keys, bytes }) => ({ keys: keys.length, bytes, largest: bytes, slots: 0 }));
    return send(few.slice(0, await untilFitting(context, loads, guard)));
  });
}

/** @returns how many fit, at least so many, with room left for what is handed over */
async function untilFitting(
  context: MoveContext,
  loads: readonly Load[],
  { slots }: Guard,
  least = 1,
): Promise<number> {
  const reserved = { ...NOTHING, slots: slots * Math.max(1, context.movesToTarget()) };
  for (let waits = 0; ; waits++) {
    const room = await askRoom(context);
    const count = room === null ? loads.length : countFitting(loads, room, reserved);
    if (count >= least || room === null) return count;
    if (waits >= WAITS) throw wouldEvict(context, room, loads.slice(0, least).reduce(add, reserved));
    await delay(WAIT_MS);
    stopIfAborted(context);
  }
}

/**
 * Before they are opened, so that a target that has no room for them leaves no open slot behind. Notes how what goes is guarded.
 *
 * @param slots whose keys the source shows
 * @param least so many, or none
 * @returns how many of them fit, from the first on
 * @throws AppError `target-out-of-memory` where not even the least fit, `size-unknown`
 */
export async function slotsThatFit(context: MoveContext, slots: readonly number[], least = 1): Promise<number> {
  const room = await tightRoom(context, slots.length);
  context.weights = { ...context.weights, guard: room === null ? null : { slots: slots.length } };
  if (room === null) return slots.length;
  const counts = await context.source.send(countKeys(slots), COMMAND_DEADLINE_MS);
  mustAll(context.source, counts, 'a count of its keys');
  const loads: Load[] = [];
  for (const [i, slot] of slots.entries()) {
    loads.push(await loadOf(context, slot, integerOf(counts[i])));
    if (countFitting(loads, room) < loads.length) break;
    stopIfAborted(context);
  }
  const count = await untilFitting(context, loads, { slots: 0 }, Math.min(least, loads.length));
  context.weights = { ...context.weights, guard: { slots: count } };
  return count;
}

async function loadOf(context: MoveContext, slot: number, count: number): Promise<Load> {
  const { source, movesToTarget } = context;
  // Other moves to it may hand over at the same moment.
  let load: Load = { ...NOTHING, slots: Math.max(1, movesToTarget()) };
  if (count === 0) return load;
  const keys = await listKeys(source, slot, count);
  for (let at = 0; at < keys.length; at += WEIGHED_AT_ONCE) {
    const sizes = await sizesOf(source, keys.slice(at, at + WEIGHED_AT_ONCE), { exact: true, mustTell: true });
    for (const bytes of sizes) load = add(load, { keys: 1, bytes, largest: bytes, slots: 0 });
    stopIfAborted(context);
  }
  return load;
}

function wouldEvict({ target }: MoveContext, room: Room, load: Load): AppError {
  const [need, left, max] = [needOf(load, room), room.leftBytes, room.maxBytes].map(mib);
  return new AppError(
    `${target.end.pod.name} is too full for what comes next: that needs up to ${need}, and ${left} of ${max} are left`,
    {
      code: 'target-out-of-memory',
      cause: new Error(`It would evict keys (${room.policy})`),
      hint: `Nothing is lost, and what was moved stays. Raise its maxmemory, or let it refuse writes instead of evicting keys for as long as this takes (kubectl exec ${target.end.pod.name} -- redis-cli CONFIG SET maxmemory-policy noeviction); then the same command goes on from here, and the policy is set back by hand`,
    },
  );
}

export function mib(bytes: number): string {
  return `${Math.max(0, bytes / 2 ** 20).toFixed(1)} MiB`;
}
