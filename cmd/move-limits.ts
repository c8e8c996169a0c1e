/** Flags of verbs that move slots. */
import { usageError } from '../pkg/errors.ts';
import type { MoveLimits } from '../pkg/engine/ports.ts';
import { duration, text, whole } from './flags.ts';

export const moveFlags = {
  'max-pause': duration(
    '20ms',
    { minMs: 1 },
    { summary: 'How long one batch of keys may keep a primary from answering' },
  ),
  parallel: whole({ min: 1, max: 100 }, { summary: 'Pairs of nodes that move slots at a time (default: all)' }),
  'max-bandwidth': text({
    placeholder: 'BYTES',
    summary: 'Most bytes a second for each pair of nodes, for example 10M (default: no limit)',
  }),
} as const;

export interface MoveFlagValues {
  readonly 'max-pause': number;
  readonly parallel: number | undefined;
  readonly 'max-bandwidth': string | undefined;
}

const UNIT = { '': 1, k: 1e3, K: 1e3, Ki: 2 ** 10, M: 1e6, Mi: 2 ** 20, G: 1e9, Gi: 2 ** 30 } as const;

/** @throws AppError usage */
export function limitsOf(flags: MoveFlagValues): MoveLimits {
  const typed = flags['max-bandwidth'];
  return { maxPauseMs: flags['max-pause'], maxBandwidth: typed === undefined ? null : bytesOf(typed) };
}

function bytesOf(typed: string): number {
  const match = /^(\d+(?:\.\d+)?)(k|K|Ki|M|Mi|G|Gi)?$/.exec(typed);
  const unit = (match?.[2] ?? '') as keyof typeof UNIT;
  const bytes = match === null ? 0 : Math.round(Number(match[1]) * UNIT[unit]);
  if (bytes >= 1000) return bytes;
  throw usageError(
    `--max-bandwidth ${JSON.stringify(typed)} is not a number of bytes a second`,
    'Write it as 500k, 10M or 1Gi; the least is 1k',
  );
}

/** The engine runs no more steps at a time than that anyway. */
export const ALL_PAIRS = 100;

/** The flags as they were typed, for the command that goes on. */
export function typedLimits(flags: MoveFlagValues): string {
  const pause = flags['max-pause'] === 20 ? '' : ` --max-pause ${flags['max-pause']}ms`;
  const parallel = flags.parallel === undefined ? '' : ` --parallel ${flags.parallel}`;
  const bandwidth = flags['max-bandwidth'] === undefined ? '' : ` --max-bandwidth ${flags['max-bandwidth']}`;
  return `${pause}${parallel}${bandwidth}`;
}
