/** Rests, so that a move stays below the bytes a second that it may use. */
import { setTimeout as delay } from 'node:timers/promises';
import type { MoveContext } from './context.ts';
import type { KeysOfSlot } from './migrate-command.ts';

const NEXT = new WeakMap<MoveContext, number>();

/** Called after each batch; waits until the next may go. Ends at once when the move is aborted. */
export async function keepPace(context: MoveContext, batch: readonly KeysOfSlot[]): Promise<void> {
  const { maxBandwidth } = context.limits;
  if (maxBandwidth === null) return;
  const bytes = batch.reduce((sum, keys) => sum + keys.bytes, 0);
  const now = performance.now();
  const next = Math.max(now, NEXT.get(context) ?? now) + (bytes / maxBandwidth) * 1000;
  NEXT.set(context, next);
  await delay(next - now, undefined, { signal: context.signal }).catch(() => undefined);
}
