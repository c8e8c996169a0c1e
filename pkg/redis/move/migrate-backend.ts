/**
 * The mover for servers that can only MIGRATE: slots go in chunks, each opened on both sides, drained and handed over. The
 * flags of open slots are the only record (ADR 10): whoever comes next sees them and goes on.
 */
import { AppError } from '../../errors.ts';
import { copiesOf } from './conflicts.ts';
import { firstBatch } from './batch-size.ts';
import type { BatchSize } from './batch-size.ts';
import { FIRST_CHUNK, nextChunk, slotsAtOnce } from './chunk-size.ts';
import type { MoveContext } from './context.ts';
import { pauseMs, stopIfAborted } from './context.ts';
import { slotsThatFit, withRoom } from './fit.ts';
import { refuseOtherDatabases } from './databases.ts';
import { drain } from './drain.ts';
import { handOver, openSlots, sumOf, tellOthers, tellSource } from './own.ts';
import type { Survey } from './survey.ts';
import { overcome } from './troubles.ts';

/** In a row, in which no key left. */
const MAX_IDLE_ROUNDS = 20;

/** @throws AppError */
export async function moveByMigrate(context: MoveContext, found: Survey): Promise<void> {
  const background: Promise<void>[] = [];
  let size = firstBatch(context.limits.maxPauseMs);
  let chunk = FIRST_CHUNK;
  // A slot that is claimed is handed over when it is empty, which only database 0 is asked for.
  if (found.drain.length + found.claim.length > 0) await refuseOtherDatabases(context.source);
  try {
    await settle(context, found, background);
    // Open ones first: they are what a person sees as a problem.
    const rest = [...found.drain].sort((a, b) => Number(found.open.has(b)) - Number(found.open.has(a)));
    while (rest.length > 0) {
      stopIfAborted(context);
      const next = rest.slice(0, slotsAtOnce(chunk, pauseMs(context)));
      await withRoom(context, next.length, async () => {
        const slots = rest.splice(0, await slotsThatFit(context, next));
        const startedAt = performance.now();
        size = await moveChunk(context, slots, found, size);
        background.push(tellOthers(context, slots));
        chunk = nextChunk(chunk, performance.now() - startedAt);
      });
    }
  } finally {
    await Promise.all(background);
  }
}

/** Slots that an earlier run left between two owners. */
async function settle(context: MoveContext, found: Survey, background: Promise<void>[]): Promise<void> {
  if (found.tell.length > 0) {
    await tellSource(context, found.tell);
    background.push(tellOthers(context, found.tell));
  }
  if (found.claim.length > 0) {
    const kept = await handOver(context, found.claim, 'denied');
    if (kept.length > 0)
      throw keysLeft(
        context,
        kept.map(({ slot }) => slot),
      );
    background.push(tellOthers(context, found.claim));
  }
}

async function moveChunk(
  context: MoveContext,
  slots: readonly number[],
  found: Survey,
  first: BatchSize,
): Promise<BatchSize> {
  let counts = await openSlots(context, slots, found);
  let left: readonly number[] = slots;
  let size = first;
  for (let idle = 0; idle < MAX_IDLE_ROUNDS;) {
    const drained = await drain(context, counts, size);
    size = await overcome(context, drained, copiesOf(context, 'source'), idle);
    const rest = await handOver(context, left, 'open');
    if (rest.length === 0) return size;
    idle = sumOf(rest) < sumOf(counts) ? 0 : idle + 1;
    counts = rest;
    left = counts.map(({ slot }) => slot);
    stopIfAborted(context);
  }
  throw keysLeft(context, left);
}

function keysLeft({ source }: MoveContext, slots: readonly number[]): AppError {
  return new AppError(`Slot ${slots[0]} still holds keys on ${source.end.pod.name} after ${MAX_IDLE_ROUNDS} rounds`, {
    code: 'keys-left',
    hint: 'Run the same command again: it goes on from where things stand',
  });
}
