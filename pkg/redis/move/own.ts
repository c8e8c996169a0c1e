/**
 * Whose a slot is: opening it between two nodes, and handing it over when it is empty. Every change costs each node one
 * rewrite and fsync of nodes.conf per turn of its event loop, however many commands it reads in that turn. So changes go in
 * pipelines over a chunk of slots, never slot by slot.
 */
import { AppError } from '../../errors.ts';
import { integerOf } from '../parse/replies.ts';
import { COMMAND_DEADLINE_MS } from './context.ts';
import type { MoveContext } from './context.ts';
import { mustAll } from './node-line.ts';
import type { WireCommand } from '../wire.ts';

export interface KeysInSlot {
  readonly slot: number;
  readonly count: number;
}

export interface OpenedSlot {
  readonly slot: number;
  readonly keys: number;
  /** Keys that the target holds already; they came with an earlier run, or from clients that were told ASK. */
  readonly keysAtTarget: number;
}

/** Target first: between the two, the source still answers for all keys. */
export async function openSlots(context: MoveContext, slots: readonly number[]): Promise<OpenedSlot[]> {
  const { source, target } = context;
  const atTarget = await target.send(
    [...setSlots(slots, 'IMPORTING', source.end.nodeId), ...countKeys(slots)],
    COMMAND_DEADLINE_MS,
  );
  mustAll(target, atTarget, 'slots to import');
  const atSource = await source.send(
    [...setSlots(slots, 'MIGRATING', target.end.nodeId), ...countKeys(slots)],
    COMMAND_DEADLINE_MS,
  );
  mustAll(source, atSource, 'slots to hand over');
  return slots.map((slot, i) => ({
    slot,
    keys: integerOf(atSource[slots.length + i]),
    keysAtTarget: integerOf(atTarget[slots.length + i]),
  }));
}

/**
 * Law L3: the source's count is read again and must be 0; then target, source, the others. An open slot whose source is
 * empty stays empty: for keys that are not there, clients are sent to the target.
 *
 * @returns slots that still hold keys, and so were not handed over
 */
export async function handOver(context: MoveContext, slots: readonly number[]): Promise<KeysInSlot[]> {
  const counts = await context.source.send(countKeys(slots), COMMAND_DEADLINE_MS);
  mustAll(context.source, counts, 'a count of its keys');
  const empty = slots.filter((_, i) => counts[i] === 0);
  if (empty.length > 0) {
    await tell(context, 'target', empty);
    await tellSource(context, empty);
  }
  return slots.map((slot, i) => ({ slot, count: integerOf(counts[i]) })).filter(({ count }) => count > 0);
}

/** What a server says that became a replica when its last slot went (cluster-allow-replica-migration). */
const NO_PRIMARY = /only with (masters|primaries)/i;

/** The source refuses while it holds keys of a slot. */
export async function tellSource(context: MoveContext, slots: readonly number[]): Promise<void> {
  await tell(context, 'source', slots);
  context.count({ slots: slots.length });
}

/** All at once. They would hear of it by gossip too, so one that does not answer is no failure. */
export async function tellOthers({ others, target }: MoveContext, slots: readonly number[]): Promise<void> {
  const news = setSlots(slots, 'NODE', target.end.nodeId);
  await Promise.allSettled(others.map((other) => other.send(news, COMMAND_DEADLINE_MS)));
}

async function tell(context: MoveContext, who: 'source' | 'target', slots: readonly number[]): Promise<void> {
  const line = context[who];
  const replies = await line.send(setSlots(slots, 'NODE', context.target.end.nodeId), COMMAND_DEADLINE_MS);
  const refusal = replies.find(
    (reply) => reply instanceof Error && !(who === 'source' && NO_PRIMARY.test(reply.message)),
  );
  if (refusal === undefined) return;
  const slot = slots[replies.indexOf(refusal)] ?? -1;
  throw new AppError(`${line.end.pod.name} did not take the new owner of slot ${slot}`, {
    code: 'step-failed',
    cause: refusal,
    hint: 'Run the same command again: it goes on from where things stand',
  });
}

function setSlots(slots: readonly number[], what: string, nodeId: string): WireCommand[] {
  return slots.map((slot) => ['CLUSTER', 'SETSLOT', slot, what, nodeId]);
}

export function countKeys(slots: readonly number[]): WireCommand[] {
  return slots.map((slot) => ['CLUSTER', 'COUNTKEYSINSLOT', slot]);
}
