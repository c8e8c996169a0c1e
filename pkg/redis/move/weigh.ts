/**
 * Keys that are too big to go with others. A MIGRATE of one 200 MB hash takes seconds whatever we do; but it need not fail
 * for a time limit that is made for small keys, nor take others with it, nor make the others think that its node has died.
 *
 * Asking each key for its size costs the source about as much as a tenth of moving it. It is left out where no key can be big:
 * where the whole data of the source is not, or all of it would fit if the others were as small as keys can be.
 */
import type { RedisCommand } from '../../engine/ports.ts';
import { numberOf } from '../parse/fields.ts';
import { aloneFromBytes, aloneMs } from './big-key.ts';
import { COMMAND_DEADLINE_MS } from './context.ts';
import type { MoveContext } from './context.ts';
import { sendFitting } from './fit.ts';
import type { Guard } from './fit.ts';
import { ioMs, migrateCommand } from './migrate-command.ts';
import type { KeysOfSlot } from './migrate-command.ts';
import { sizesOf } from './sizes.ts';

/** So many times what the way of a big key should take, the others wait for its nodes. */
const ALONE_MARGIN = 3;
/** Source data that can't hold a key worth looking for. */
const SMALL_DATA_BYTES = 16 * 2 ** 20;
/** Keys of one slot that go to a target that evicts in one MIGRATE; one that is larger goes by itself. */
const PIECE_BYTES = 128 * 1024;

export interface Weights {
  /** Mean size of a key of the source; for progress where keys are not weighed. */
  readonly meanBytes: number;
  readonly weighAll: boolean;
  /** Count all that a key holds, where a sample has deceived: a MIGRATE took longer than what it seemed to carry. */
  readonly exact?: boolean;
  /** Of a target that evicts; null = it needs none, undefined = nothing is sent yet. */
  readonly guard?: Guard | null;
}

export async function readWeights({ source, limits }: MoveContext): Promise<Weights> {
  const questions: readonly RedisCommand[] = [['INFO', 'memory'], ['DBSIZE']];
  const [info, size] = await source.ask(questions, COMMAND_DEADLINE_MS);
  const bytes = numberOf(String(info), 'used_memory_dataset') ?? 0;
  const keys = typeof size === 'number' ? size : 0;
  return {
    meanBytes: keys === 0 ? 0 : Math.round(bytes / keys),
    weighAll: limits.maxBandwidth !== null || bytes > SMALL_DATA_BYTES,
  };
}

export interface Weighed {
  readonly light: readonly KeysOfSlot[];
  /** One key each. */
  readonly heavy: readonly KeysOfSlot[];
}

export async function weigh({ source, limits, weights }: MoveContext, batch: readonly KeysOfSlot[]): Promise<Weighed> {
  const alone = aloneFromBytes(limits.maxPauseMs);
  const all = batch.flatMap(({ slot, keys }) => keys.map((key) => ({ slot, key })));
  const sizes = await sizesOf(
    source,
    all.map(({ key }) => key),
    { exact: weights.exact === true || weights.guard != null, mustTell: weights.guard != null },
  );
  const bytesOf = (i: number): number => sizes[i] ?? 0;
  // Of a batch goes what fits, piece by piece.
  const piece = weights.guard != null ? PIECE_BYTES : Infinity;
  const heavy = all.flatMap(({ slot, key }, i) =>
    bytesOf(i) > alone ? [{ slot, keys: [key], bytes: bytesOf(i) }] : [],
  );
  const light: KeysOfSlot[] = [];
  let at = 0;
  for (const { slot, keys } of batch) {
    let rest: Buffer[] = [];
    let bytes = 0;
    for (const end = at + keys.length; at < end; at++) {
      const key = all[at]?.key;
      if (key === undefined || bytesOf(at) > alone) continue;
      if (rest.length > 0 && bytes + bytesOf(at) > piece) {
        light.push({ slot, keys: rest, bytes });
        [rest, bytes] = [[], 0];
      }
      rest.push(key);
      bytes += bytesOf(at);
    }
    if (rest.length > 0) light.push({ slot, keys: rest, bytes });
  }
  return { light, heavy };
}

/**
 * Moves one big key, with a time limit of its own. While it is packed or unpacked, its node answers nobody, and the other
 * primaries must not take that for its death: where they could, they are given more patience for as long as it takes
 * (patience.ts). probe.sh counts on it that this is not longer than four times what is set, and a minute.
 *
 * @returns the reply to MIGRATE
 */
export async function moveAlone(context: MoveContext, key: KeysOfSlot): Promise<unknown> {
  const { source, target, others, turns, patience } = context;
  const deadlineMs = COMMAND_DEADLINE_MS + 2 * ioMs(key.bytes);
  const send = async (): Promise<unknown> => (await source.send([migrateCommand(context, key)], deadlineMs))[0];
  const hold = (): Promise<unknown> =>
    patience.hold([target, source, ...others], aloneMs(key.bytes) * ALONE_MARGIN, send);
  return turns.take(source.end.nodeId, () => sendFitting(context, [key], hold));
}
