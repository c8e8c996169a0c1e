/** What a server with a limit has left, what keys and slots that come would need there, and how many of them fit. Pure. */
import { keysOfAll } from '../../cluster/wire/keyspace.ts';
import { fieldOf, numberOf } from '../parse/fields.ts';

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

/**
 * @param info sections memory, replication and keyspace, and CLUSTER INFO
 * @param anyLimit also of one that refuses writes when it is full
 * @returns null = it evicts nothing
 */
export function roomIn(info: string, anyLimit = false): Room | null {
  const maxBytes = numberOf(info, 'maxmemory') ?? 0;
  const policy = fieldOf(info, 'maxmemory_policy') ?? 'noeviction';
  if (maxBytes === 0 || (policy === 'noeviction' && !anyLimit)) return null;
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

export const NOTHING: Load = { keys: 0, bytes: 0, largest: 0, slots: 0 };

/** Rather too much. */
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

/** How many of them, from the first on, besides what is to come in any case. */
export function countFitting(loads: readonly Load[], room: Room, reserved: Load = NOTHING): number {
  let sum = reserved;
  for (const [i, load] of loads.entries()) {
    sum = add(sum, load);
    if (needOf(sum, room) > room.leftBytes) return i;
  }
  return loads.length;
}

export function add(one: Load, other: Load): Load {
  return {
    keys: one.keys + other.keys,
    bytes: one.bytes + other.bytes,
    largest: Math.max(one.largest, other.largest),
    slots: one.slots + other.slots,
  };
}

/** By how much a limit must grow for so many bytes more to be left. */
export function raiseFor(bytes: number): number {
  return Math.ceil(bytes / (1 - SPARE));
}

export function mib(bytes: number): string {
  return `${Math.max(0, bytes / 2 ** 20).toFixed(1)} MiB`;
}
