/** How many keys go in one go, so that the source is blocked neither for long nor often. Pure. */

export const FIRST_BATCH = 100;
const SMALLEST_BATCH = 10;
/** Of a MIGRATE that may block for 20 ms; more where it may block longer. */
const LARGEST_BATCH = 1000;
const USUAL_PAUSE_MS = 20;

export interface BatchSize {
  readonly keys: number;
  readonly largest: number;
}

export function firstBatch(maxPauseMs: number): BatchSize {
  const largest = Math.max(LARGEST_BATCH, Math.round((LARGEST_BATCH * maxPauseMs) / USUAL_PAUSE_MS));
  return { keys: FIRST_BATCH, largest };
}

/** Halved after a pause that was too long, doubled after one that was less than half of what may be. */
export function nextBatch(size: BatchSize, moved: number, pausedMs: number, maxPauseMs: number): BatchSize {
  if (pausedMs > maxPauseMs)
    return { ...size, keys: Math.max(SMALLEST_BATCH, Math.floor(Math.min(size.keys, moved) / 2)) };
  // A batch that was small for want of keys says nothing about a large one.
  if (pausedMs < maxPauseMs / 2 && moved * 2 >= size.keys)
    return { ...size, keys: Math.min(size.largest, size.keys * 2) };
  return size;
}
