/**
 * Where copies of keys go that lose against the owner's (law L6): lines of JSON in a file of the working directory. With what is in a
 * line, `RESTORE key ttl dump` makes the key again.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../pkg/errors.ts';
import type { KeyConflict } from '../pkg/redis/move/conflicts.ts';

/**
 * The file is made when the first conflict is saved, readable for its owner only, and each line is on the disk before the copy is
 * given up.
 *
 * @param say told of the file, once
 * @throws AppError `conflict-not-saved`, and then nothing is given up
 */
export function conflictFile(
  directory: string,
  startedAt: Date,
  say: (text: string) => void,
): (conflict: KeyConflict) => Promise<void> {
  const path = join(directory, `kubectl-redis-conflicts-${startedAt.toISOString().replaceAll(/[:.]/g, '-')}.jsonl`);
  let told = false;
  let last: Promise<void> = Promise.resolve();
  const save = async (conflict: KeyConflict): Promise<void> => {
    try {
      const file = await open(path, 'a', 0o600);
      try {
        for (const piece of lineOf(conflict)) await file.appendFile(piece);
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (cause) {
      throw new AppError(
        `Key ${JSON.stringify(conflict.key.toString())} is on two nodes, and ${path} can't be written`,
        {
          code: 'conflict-not-saved',
          cause,
          hint: 'Nothing was overwritten. Run the same command in a directory that can be written',
        },
      );
    }
    if (!told)
      say(
        `Keys that two nodes have, and whose copies differ byte by byte or in their times to live (equal values may be written in two ways): the owner's stay, the others are saved in ${path}\n`,
      );
    told = true;
  };
  // Lines of two moves do not mix.
  return (conflict) => {
    const mine = last.then(() => save(conflict));
    last = mine.catch(() => undefined);
    return mine;
  };
}

/** Of a multiple of three bytes, so that the base64 of the pieces is that of the whole. */
const PIECE_BYTES = 3 * 2 ** 20;

/** Names and values of keys are any bytes, hence base64; in pieces, because a value may be longer than a string can be. */
function* lineOf({ pod, slot, key, dump, timeToLiveMs }: KeyConflict): Generator<string> {
  const start = JSON.stringify({ pod, slot, key: key.toString('base64'), timeToLiveMs });
  yield `${start.slice(0, -1)},"dump":"`;
  for (let at = 0; at < dump.length; at += PIECE_BYTES) yield dump.toString('base64', at, at + PIECE_BYTES);
  yield '"}\n';
}
