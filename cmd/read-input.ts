/** What `-f FILE` names. */
import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { reasonOf, usageError } from '../pkg/errors.ts';

/** The text of a file, or of standard input for `-`. @throws usage error */
export async function readInput(file: string, stdin: NodeJS.ReadableStream): Promise<string> {
  try {
    return file === '-' ? await readAll(stdin) : await readFile(file, 'utf8');
  } catch (error) {
    throw usageError(
      `${file} can't be read: ${reasonOf(error)}`,
      'give a file with -f FILE, or -f - for standard input',
    );
  }
}
