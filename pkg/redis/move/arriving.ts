/**
 * How much of a job's data has arrived. A server that moves slots by itself tells only when all of them are the target's; until then
 * the target's growing data set shows how far it is. Clients write there too, so it is an estimate: good for a bar, and for
 * nothing else.
 */
import { numberOf } from '../parse/fields.ts';
import type { NodeLine } from './node-line.ts';

/** Never all: that is said when the owner has changed. */
const MOST = 0.99;

const ANSWER_MS = 2_000;

/** Bytes of the node's keys and values; null where it does not tell, for a bar is nothing to fail for. */
export async function dataBytes(line: NodeLine): Promise<number | null> {
  try {
    const [info] = await line.ask([['INFO', 'memory']], ANSWER_MS);
    return numberOf(String(info), 'used_memory_dataset');
  } catch {
    return null;
  }
}

/** Pure. @returns from 0 to 1, which is not reached; `expected` bytes of the job */
export function partArrived(before: number | null, now: number | null, expected: number): number {
  if (before === null || now === null || expected <= 0) return 0;
  return Math.min(MOST, Math.max(0, (now - before) / expected));
}
