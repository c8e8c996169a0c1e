/**
 * Moves the keys of open slots, batch by batch, with one batch outstanding per source: while it handles MIGRATE, a server
 * answers nobody. A batch is one or more MIGRATEs (each can take keys of one slot only) in one pipeline, followed by the
 * questions for the keys of the next batch, so that a batch costs one round trip. The server's own clock, asked before
 * and behind, tells how long clients had to wait, whatever the way to the server costs.
 */
import { AppError } from '../../errors.ts';
import { nextBatch } from './batch-size.ts';
import type { BatchSize } from './batch-size.ts';
import { pauseMs } from './context.ts';
import type { MoveContext } from './context.ts';
import { sendFitting } from './fit.ts';
import { migrateCommand } from './migrate-command.ts';
import type { KeysOfSlot } from './migrate-command.ts';
import type { KeysInSlot } from './own.ts';
import { keepPace } from './pace.ts';
import { moveAlone, weigh } from './weigh.ts';
import { readMigrateReply } from './migrate-reply.ts';
import type { MigrateOutcome } from './migrate-reply.ts';
import { isWireList } from '../wire.ts';
import type { WireCommand, WireList } from '../wire.ts';

const BATCH_DEADLINE_MS = 60_000;

export interface Trouble {
  readonly outcome: MigrateOutcome;
  readonly reply: Error;
  /** Of the MIGRATE that was answered so. */
  readonly keys: WireList;
}

export interface Drained {
  readonly size: BatchSize;
  /** By slot: the first reply that was not `moved`, or the one that never came. What else is wrong, the next round meets. */
  readonly troubles: ReadonlyMap<number, Trouble>;
}

/** Called within withRoom. @param counts keys by slot; slots without keys left out */
export async function drain(context: MoveContext, counts: readonly KeysInSlot[], first: BatchSize): Promise<Drained> {
  const { source, turns } = context;
  const rest = counts.map(({ slot, count }) => ({ slot, count }));
  const troubles = new Map<number, Trouble>();
  let size = first;
  let batch: readonly KeysOfSlot[] = [];
  for (;;) {
    // The caller hands over what is empty before it stops.
    if (context.signal.aborted) return { size, troubles };
    const wanted = takeNext(rest, size);
    if (batch.length === 0 && wanted.length === 0) return { size, troubles };
    const weighed = batch;
    const { sending, replies, fetched, pausedMs } = await turns.take(source.end.nodeId, () =>
      sendFitting(context, weighed, (fitting) => exchange(context, fitting, wanted)),
    );
    sending.forEach((keys, i) => note(context, troubles, keys, replies[i]));
    if (sending.length > 0) size = nextBatch(size, keysIn(sending), pausedMs, pauseMs(context));
    if (troubles.size > 0) return { size, troubles };
    await keepPace(context, sending);
    batch = fetched;
    const { weighAll, guard } = context.weights;
    if ((!weighAll && guard == null) || fetched.length === 0) continue;
    const { light, heavy } = await weigh(context, fetched);
    batch = light;
    for (const key of heavy) {
      // Its neighbours are still in the source: the next run finds them.
      if (context.signal.aborted) return { size, troubles };
      note(context, troubles, key, await moveAlone(context, key));
      // Behind one that was waited for in vain, none is sent before the target was heard.
      if (troubles.get(key.slot)?.outcome === 'unknown') return { size, troubles };
      await keepPace(context, [key]);
    }
    if (troubles.size > 0) return { size, troubles };
  }
}

function note(
  context: MoveContext,
  troubles: Map<number, Trouble>,
  { slot, keys, bytes }: KeysOfSlot,
  reply: unknown,
): void {
  if (reply instanceof Error) {
    const outcome = readMigrateReply(reply);
    // A target that fell silent comes before all else: nothing more goes there.
    if (!troubles.has(slot) || outcome === 'unknown') troubles.set(slot, { outcome, reply, keys });
  } else context.count({ keys: keys.length, bytes: bytes > 0 ? bytes : keys.length * context.weights.meanBytes });
}

function keysIn(batch: readonly KeysOfSlot[]): number {
  return batch.reduce((sum, { keys }) => sum + keys.length, 0);
}

/** Takes keys off the front of `rest`, of not more slots than one pipeline may have. */
function takeNext(rest: { readonly slot: number; count: number }[], { keys, slots }: BatchSize): KeysInSlot[] {
  const wanted: KeysInSlot[] = [];
  let left = keys;
  while (left > 0 && wanted.length < slots) {
    const [next] = rest;
    if (next === undefined) break;
    const count = Math.min(left, next.count);
    wanted.push({ slot: next.slot, count });
    left -= count;
    next.count -= count;
    if (next.count <= 0) rest.shift();
  }
  return wanted;
}

async function exchange(
  context: MoveContext,
  batch: readonly KeysOfSlot[],
  wanted: readonly KeysInSlot[],
): Promise<{ sending: readonly KeysOfSlot[]; replies: readonly unknown[]; fetched: KeysOfSlot[]; pausedMs: number }> {
  const startedAt = performance.now();
  const commands: WireCommand[] = [
    ['TIME'],
    ...batch.map((keys) => migrateCommand(context, keys, batch.length)),
    ['TIME'],
    ...wanted.map(({ slot, count }): WireCommand => ['CLUSTER', 'GETKEYSINSLOT', slot, count]),
  ];
  const replies = await context.source.send(commands, BATCH_DEADLINE_MS);
  const elapsedMs = performance.now() - startedAt;
  const [before, after] = [serverMs(replies[0]), serverMs(replies[batch.length + 1])];
  const fetched = wanted.map(({ slot }, i) => ({ slot, keys: keysOf(replies[batch.length + 2 + i]), bytes: 0 }));
  return {
    sending: batch,
    replies: replies.slice(1, batch.length + 1),
    fetched: fetched.filter(({ keys }) => keys.length > 0),
    pausedMs: before === null || after === null ? elapsedMs : after - before,
  };
}

function keysOf(reply: unknown): WireList {
  if (isWireList(reply)) return reply;
  throw new AppError('The source did not list the keys of a slot', { code: 'step-failed', cause: reply });
}

/** TIME is seconds and microseconds; null where it may not be asked. */
function serverMs(reply: unknown): number | null {
  if (!isWireList(reply)) return null;
  const [seconds, microseconds] = reply.map(Number);
  return seconds === undefined || microseconds === undefined ? null : seconds * 1000 + microseconds / 1000;
}
