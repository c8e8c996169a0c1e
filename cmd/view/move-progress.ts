/** How far the moves of slots are: a bar for each pair, and all together. Pure. */
import { countSlots } from '../../pkg/cluster/model/slots.ts';
import type { Batch, Step } from '../../pkg/cluster/model/plan.ts';
import type { MoveProgress } from '../../pkg/engine/ports.ts';
import { age, bytes, grouped } from './format.ts';
import { progressBar } from './progress-bar.ts';

type Move = Extract<Step, { kind: 'move-slots' }>;

export interface Moving {
  readonly moves: readonly Move[];
  readonly done: ReadonlyMap<Step, MoveProgress>;
  readonly elapsedMs: number;
}

/** More pairs than that are one line. */
const MOST_PAIRS = 8;
const BAR = 20;

export function movesOf(batch: Batch): Move[] {
  return batch.steps.filter((step) => step.kind === 'move-slots');
}

/** One line for each pair, as long as they are few, and one for all. */
export function movingLines(moving: Moving): string[] {
  const { moves, done } = moving;
  const pairs = moves.map((move) => `${move.source.pod} -> ${move.target.pod}`);
  const width = Math.max(...pairs.map((pair) => pair.length));
  const lines = moves.map((move, at) => {
    const { slots = 0, keys = 0, arriving = 0 } = done.get(move) ?? {};
    const total = countSlots(move.ranges);
    return `  ${(pairs[at] ?? '').padEnd(width)}  ${progressBar(slots + arriving, total, BAR)} ${slots} of ${total} slots, ${grouped(keys)} keys`;
  });
  const all = `  ${'move slots'.padEnd(width)}  ${progressBar(slotsReached(moving), slotsOf(moving), BAR)} ${movingSentence(moving)}`;
  return moves.length > MOST_PAIRS || moves.length === 1 ? [all] : [...lines, all];
}

/** `1200 of 5462 slots (21 %), 14,000 keys, 12 MB/s, 3s left`. */
export function movingSentence(moving: Moving): string {
  const [reached, total] = [slotsReached(moving), slotsOf(moving)];
  const slots = sum(moving, (one) => one.slots);
  const keys = sum(moving, (one) => one.keys);
  const size = sum(moving, (one) => one.bytes);
  const seconds = moving.elapsedMs / 1000;
  const rate = seconds > 0 && size > 0 ? [`${bytes(size / seconds)}B/s`.replace(/BB/, 'B')] : [];
  const left = reached > 0 && reached < total ? [`${age((seconds * (total - reached)) / reached)} left`] : [];
  const percent = total === 0 ? 100 : Math.floor((100 * reached) / total);
  return [`${slots} of ${total} slots (${percent} %)`, `${grouped(keys)} keys`, ...rate, ...left].join(', ');
}

/** Moved, or their data has arrived: how far a bar is. */
export function slotsReached(moving: Moving): number {
  return sum(moving, (one) => one.slots + one.arriving);
}

export function slotsOf({ moves }: Moving): number {
  return moves.reduce((all, move) => all + countSlots(move.ranges), 0);
}

function sum({ done }: Moving, of: (progress: MoveProgress) => number): number {
  return [...done.values()].reduce((all, progress) => all + of(progress), 0);
}
