/** What a move of slots costs, in words and in seconds. Pure. */
import type { OutlineMove } from '../../pkg/cluster/plan/scale-outline.ts';
import { age, bytes, counted } from './format.ts';

/** What one source gives away in a second by MIGRATE on a small machine: the estimate says "about". */
const SLOTS_A_SECOND = 1_000;
const KEYS_A_SECOND = 12_000;

/** Sources work side by side: the longest counts. */
export function estimateSeconds(moves: readonly OutlineMove[]): number {
  const bySource = new Map<string, number>();
  for (const { from, slots, keys } of moves)
    bySource.set(from, (bySource.get(from) ?? 0) + slots / SLOTS_A_SECOND + keys / KEYS_A_SECOND);
  return Math.ceil(Math.max(0, ...bySource.values()));
}

/** `6,553 slots with 7,999 keys, about 2.0Mi`. */
export function costInWords(moves: readonly OutlineMove[]): string {
  const sum = (of: (move: OutlineMove) => number): number => moves.reduce((all, move) => all + of(move), 0);
  const [slots, keys, size] = [sum((one) => one.slots), sum((one) => one.keys), sum((one) => one.bytes)];
  return `${counted(slots, 'slot')} with ${counted(keys, 'key')}, about ${bytes(size)}`;
}

export function timeInWords(moves: readonly OutlineMove[]): string {
  return `about ${age(Math.max(1, estimateSeconds(moves)))} for the slots`;
}
