/** How many slots are opened, drained and handed over together. Pure. */

export const FIRST_CHUNK = 64;
const LARGEST_CHUNK = 256;
const SMALLEST_CHUNK = 16;
/** A chunk that took longer is followed by a smaller one: fewer open slots at a time. */
const LONG_CHUNK_MS = 4_000;
const SHORT_CHUNK_MS = 1_500;
/**
 * A target tells all nodes at once of each slot that it takes, and that keeps each of them busy: 0.03 ms a slot where it was measured,
 * and their nodes.conf besides. Many slots in one go are one long pause of the whole cluster.
 */
const BUSY_MS_A_SLOT = 0.1;

/** No more than change hands within one pause. */
export function slotsAtOnce(chunk: number, pauseMs: number): number {
  return Math.min(chunk, Math.max(SMALLEST_CHUNK, Math.floor(pauseMs / BUSY_MS_A_SLOT)));
}

/** Twice as many after a chunk that was quick, half as many after one that was slow. */
export function nextChunk(chunk: number, tookMs: number): number {
  if (tookMs < SHORT_CHUNK_MS) return Math.min(LARGEST_CHUNK, chunk * 2);
  return tookMs > LONG_CHUNK_MS ? Math.max(FIRST_CHUNK, chunk / 2) : chunk;
}
