/** From which size on a key goes alone, and what that takes. Pure. */

/** DUMP, the way and RESTORE together; 192 MB took 3.5 s. */
const MOVED_BYTES_PER_MS = 50_000;
/** Below that a key goes with others, however short the pause shall be. */
const NEVER_ALONE_BYTES = 256 * 1024;

/** Bytes of a key that takes longer than one pause may. */
export function aloneFromBytes(maxPauseMs: number): number {
  return Math.max(NEVER_ALONE_BYTES, maxPauseMs * MOVED_BYTES_PER_MS);
}

/** Milliseconds for which its node answers nobody: first the source, then the target. */
export function aloneMs(bytes: number): number {
  return bytes / MOVED_BYTES_PER_MS;
}
