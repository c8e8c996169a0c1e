/**
 * The mover for servers that can only MIGRATE: slots go in chunks, each opened on both sides, drained and handed over. The
 * flags of open slots are the only record (ADR 10): whoever comes next sees them and goes on.
 */
import { AppError } from '../../errors.ts';
import { firstBatch } from './batch-size.ts';
import type { BatchSize } from './batch-size.ts';
import { FIRST_CHUNK, nextChunk, slotsAtOnce } from './chunk-size.ts';
import type { MoveContext } from './context.ts';
import { pauseMs, stopIfAborted } from './context.ts';
import { refuseOtherDatabases } from './databases.ts';
import { drain } from './drain.ts';
import { handOver, openSlots, tellOthers, tellSource } from './own.ts';
import { overcome } from './troubles.ts';
import type { Survey } from './survey.ts';

const MAX_ROUNDS = 20;

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
      const slots = rest.splice(0, slotsAtOnce(chunk, pauseMs(context)));
      const startedAt = performance.now();
      size = await moveChunk(context, slots, found.open, size);
      background.push(tellOthers(context, slots));
      chunk = nextChunk(chunk, performance.now() - startedAt);
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
    const kept = await handOver(context, found.claim);
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
  open: ReadonlySet<number>,
  first: BatchSize,
): Promise<BatchSize> {
  const sureOf = (slot: number): boolean => open.has(slot);
  let counts = await openSlots(context, slots, sureOf);
  let left: readonly number[] = slots;
  let size = first;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const drained = await drain(context, counts, size);
    size = drained.troubles.size > 0 ? await overcome(context, drained, round) : drained.size;
    counts = await handOver(context, left);
    if (counts.length === 0) return size;
    left = counts.map(({ slot }) => slot);
    stopIfAborted(context);
  }
  throw keysLeft(context, left);
}

function keysLeft({ source }: MoveContext, slots: readonly number[]): AppError {
  return new AppError(`Slot ${slots[0]} still holds keys on ${source.end.pod.name} after ${MAX_ROUNDS} rounds`, {
    code: 'keys-left',
    hint: 'Run the same command again: it goes on from where things stand',
  });
}
