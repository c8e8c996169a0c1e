/**
 * Moves the keys of open slots, batch by batch, with one batch outstanding per source: while it handles MIGRATE, a server
 * answers nobody. A batch is one or more MIGRATEs (each can take keys of one slot only) in one pipeline, followed by the
 * questions for the keys of the next batch, so that a batch costs one round trip. The server's own clock, asked before
 * and behind, tells how long clients had to wait, whatever the way to the server costs.
 */
import { AppError } from '../../errors.ts';
import { nextBatch } from './batch-size.ts';
import type { BatchSize } from './batch-size.ts';
import type { MoveContext } from './context.ts';
import type { KeysInSlot } from './own.ts';
import { readMigrateReply } from './migrate-reply.ts';
import type { MigrateOutcome } from './migrate-reply.ts';
import { isWireList, stringsOf } from '../resp.ts';
import type { WireCommand, WireList } from '../resp.ts';

/** Longest wait for one read or write between source and target; much less than cluster-node-timeout. */
const MIGRATE_IO_MS = 1_500;
const BATCH_DEADLINE_MS = 60_000;

/** Some or all keys of one slot, as many as one MIGRATE takes. */
interface KeysOfSlot {
  readonly slot: number;
  readonly keys: WireList;
}

export interface Drained {
  readonly size: BatchSize;
  /** Slots with a reply that was not `moved`, and the worst of them. */
  readonly troubles: ReadonlyMap<number, { readonly outcome: MigrateOutcome; readonly reply: Error }>;
}

/**
 * @param counts keys by slot; slots without keys left out
 * @param sureOf slots in which the source's copy of a key replaces the target's (law L6)
 */
export async function drain(
  context: MoveContext,
  counts: readonly KeysInSlot[],
  sureOf: (slot: number) => boolean,
  first: BatchSize,
): Promise<Drained> {
  const { source, turns, limits } = context;
  const rest = counts.map(({ slot, count }) => ({ slot, count }));
  const troubles = new Map<number, { outcome: MigrateOutcome; reply: Error }>();
  let size = first;
  let batch: readonly KeysOfSlot[] = [];
  for (;;) {
    // The caller hands over what is empty before it stops.
    if (context.signal.aborted) return { size, troubles };
    const wanted = takeNext(rest, size.keys);
    if (batch.length === 0 && wanted.length === 0) return { size, troubles };
    const sending = batch;
    const { replies, fetched, pausedMs } = await turns.take(source.end.nodeId, () =>
      exchange(context, sending, wanted, sureOf),
    );
    let moved = 0;
    sending.forEach(({ slot, keys }, i) => {
      const reply = replies[i];
      const outcome = readMigrateReply(reply);
      if (outcome === 'moved') moved += keys.count;
      else if (reply instanceof Error) troubles.set(slot, { outcome, reply });
    });
    context.count({ keys: moved });
    if (sending.length > 0) size = nextBatch(size, keysIn(sending), pausedMs, limits.maxPauseMs);
    if (isHopeless(troubles)) return { size, troubles };
    batch = fetched;
  }
}

function isHopeless(troubles: Drained['troubles']): boolean {
  return [...troubles.values()].some(({ outcome }) => outcome !== 'busy');
}

function keysIn(batch: readonly KeysOfSlot[]): number {
  return batch.reduce((sum, { keys }) => sum + keys.count, 0);
}

/** Takes up to `limit` keys off the front of `rest`. */
function takeNext(rest: { readonly slot: number; count: number }[], limit: number): KeysInSlot[] {
  const wanted: KeysInSlot[] = [];
  let left = limit;
  while (left > 0) {
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
  sureOf: (slot: number) => boolean,
): Promise<{ replies: readonly unknown[]; fetched: KeysOfSlot[]; pausedMs: number }> {
  const startedAt = performance.now();
  const commands: WireCommand[] = [
    ['TIME'],
    ...batch.map((keys) => migrate(context, keys, sureOf(keys.slot))),
    ['TIME'],
    ...wanted.map(({ slot, count }): WireCommand => ['CLUSTER', 'GETKEYSINSLOT', slot, count]),
  ];
  const replies = await context.source.send(commands, BATCH_DEADLINE_MS);
  const elapsedMs = performance.now() - startedAt;
  const [before, after] = [serverMs(replies[0]), serverMs(replies[batch.length + 1])];
  const fetched = wanted.map(({ slot }, i) => ({ slot, keys: keysOf(replies[batch.length + 2 + i]) }));
  return {
    replies: replies.slice(1, batch.length + 1),
    fetched: fetched.filter(({ keys }) => keys.count > 0),
    pausedMs: before === null || after === null ? elapsedMs : after - before,
  };
}

function migrate({ target, targetLogin }: MoveContext, { keys }: KeysOfSlot, replace: boolean): WireCommand {
  const login =
    targetLogin === null
      ? []
      : targetLogin.username === undefined
        ? ['AUTH', targetLogin.password]
        : ['AUTH2', targetLogin.username, targetLogin.password];
  const { ip, port } = target.end;
  return ['MIGRATE', ip, port, '', 0, MIGRATE_IO_MS, ...(replace ? ['REPLACE'] : []), ...login, 'KEYS', keys];
}

function keysOf(reply: unknown): WireList {
  if (isWireList(reply)) return reply;
  throw new AppError('The source did not list the keys of a slot', { code: 'step-failed', cause: reply });
}

/** TIME is seconds and microseconds; null where it may not be asked. */
function serverMs(reply: unknown): number | null {
  if (!isWireList(reply)) return null;
  const [seconds, microseconds] = stringsOf(reply).map(Number);
  return seconds === undefined || microseconds === undefined ? null : seconds * 1000 + microseconds / 1000;
}
