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
  return async (conflict) => {
    try {
      const file = await open(path, 'a', 0o600);
      try {
        await file.appendFile(lineOf(conflict));
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
      say(`Keys that two nodes have with different values: the owner's stay, the others are saved in ${path}\n`);
    told = true;
  };
}

/** Names and values of keys are any bytes, hence base64. */
function lineOf({ pod, slot, key, dump, timeToLiveMs }: KeyConflict): string {
  const line = { pod, slot, key: key.toString('base64'), dump: dump.toString('base64'), timeToLiveMs };
  return `${JSON.stringify(line)}\n`;
}
