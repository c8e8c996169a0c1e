/** How many keys go in one go, so that the source is blocked neither for long nor often. Pure. */

export const FIRST_BATCH = 100;
const SMALLEST_BATCH = 10;
/** Of a MIGRATE that may block for 20 ms; more where it may block longer. */
const LARGEST_BATCH = 1000;
const USUAL_PAUSE_MS = 20;
/**
 * Slots of which keys go in one pipeline, each by a MIGRATE of its own. Those that are sent can't be called back: with a target that falls
 * silent the source waits for each of them in turn, so they share the time for one (migrate-command.ts).
 */
export const SLOTS_TOGETHER = 3;

export interface BatchSize {
  readonly keys: number;
  readonly largest: number;
  /** MIGRATEs in one pipeline. */
  readonly slots: number;
}

export function firstBatch(maxPauseMs: number): BatchSize {
  const largest = Math.max(LARGEST_BATCH, Math.round((LARGEST_BATCH * maxPauseMs) / USUAL_PAUSE_MS));
  return { keys: FIRST_BATCH, largest, slots: SLOTS_TOGETHER };
}

/** After the target gave no answer in time: few keys, and no MIGRATE behind one that may be waited for. */
export function batchAfterSilence(maxPauseMs: number): BatchSize {
  return { ...firstBatch(maxPauseMs), keys: SMALLEST_BATCH, slots: 1 };
}

/** Halved after a pause that was too long, doubled after one that was less than half of what may be. The target answered, however long it took. */
export function nextBatch(size: BatchSize, moved: number, pausedMs: number, maxPauseMs: number): BatchSize {
  const next = { ...size, slots: SLOTS_TOGETHER };
  if (pausedMs > maxPauseMs)
    return { ...next, keys: Math.max(SMALLEST_BATCH, Math.floor(Math.min(size.keys, moved) / 2)) };
  // A batch that was small for want of keys says nothing about a large one.
  if (pausedMs < maxPauseMs / 2 && moved * 2 >= size.keys)
    return { ...next, keys: Math.min(size.largest, size.keys * 2) };
  return next;
}
