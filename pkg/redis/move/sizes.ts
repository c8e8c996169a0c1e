/** How much keys take, as their node says (https://redis.io/docs/latest/commands/memory-usage/). */
import { AppError } from '../../errors.ts';
import type { WireCommand } from '../wire.ts';
import { COMMAND_DEADLINE_MS } from './context.ts';
import type { NodeLine } from './node-line.ts';

/** A server answers a pipeline in one go, and nobody else meanwhile; a hash of a hundred megabytes is counted for some tenths of a second. */
const EXACT_AT_ONCE = 50;

export interface HowExact {
  /** Count all that a key holds, not a sample of it. */
  readonly exact: boolean;
  /** A size that is not told is no small one. */
  readonly mustTell: boolean;
}

/**
 * Bytes of keys, in their order. Keys that have gone meanwhile weigh nothing, as do all where MEMORY USAGE may not be asked. A node that
 * does not own their slots tells only who says ASKING.
 *
 * @throws AppError `size-unknown` where the target evicts and a size is not told
 */
export async function sizesOf(
  source: NodeLine,
  keys: readonly Buffer[],
  { exact, mustTell }: HowExact,
): Promise<readonly number[]> {
  if (exact && keys.length > EXACT_AT_ONCE) {
    const sizes: number[] = [];
    for (let at = 0; at < keys.length; at += EXACT_AT_ONCE)
      sizes.push(...(await sizesOf(source, keys.slice(at, at + EXACT_AT_ONCE), { exact, mustTell })));
    return sizes;
  }
  const samples = exact ? ['SAMPLES', 0] : [];
  const replies = await source.send(
    keys.flatMap((key): WireCommand[] => [['ASKING'], ['MEMORY', 'USAGE', key, ...samples]]),
    COMMAND_DEADLINE_MS,
  );
  return keys.map((_, i) => {
    const reply = replies[2 * i + 1];
    if (typeof reply === 'number') return reply;
    if (mustTell && reply instanceof Error && !reply.message.startsWith('ASK ')) throw sizeUnknown(source, reply);
    return 0;
  });
}

function sizeUnknown({ end }: NodeLine, cause: Error): AppError {
  return new AppError(
    `${end.pod.name} does not tell how large its keys are, and the target evicts keys when it is full`,
    {
      code: 'size-unknown',
      cause,
      hint: 'Nothing is lost. Allow MEMORY USAGE, or set maxmemory-policy of the target to noeviction, then run the same command again',
    },
  );
}
