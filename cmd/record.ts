/**
 * `--record FILE` and `-f FILE`: what a verb looks at is written to a file, or read from one in place of a cluster. So a report of a bug
 * is a file, and a file is a fixture.
 */
import { writeFile } from 'node:fs/promises';
import { parseRecord, renderRecord } from '../pkg/cluster/record/record.ts';
import { interpret } from '../pkg/cluster/interpret.ts';
import type { Observation } from '../pkg/cluster/model/observation.ts';
import { AppError, EXIT, usageError } from '../pkg/errors.ts';
import { systemCode } from '../pkg/kube/system-code.ts';
import type { Deps } from './deps.ts';
import type { Seen } from './look-at.ts';
import { readInput } from './read-input.ts';
import { VERSION } from './version.ts';

/** Only its owner may read it: addresses and names are in it. */
const MODE = 0o600;

/** Never over a file that is there. @throws AppError */
export async function writeRecord(
  file: string,
  observation: Observation,
  { terminal }: Pick<Deps, 'terminal'>,
): Promise<void> {
  try {
    await writeFile(file, renderRecord(observation, VERSION), { mode: MODE, flag: 'wx' });
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw usageError(`${file} is there already`, 'give --record another name');
    throw new AppError(`${file} can't be written`, { code: 'record-failed', exitCode: EXIT.failed, cause: error });
  }
  terminal.say(`Recorded in ${file}: names and addresses are in it, passwords are not.\n`);
}

/** @param name of the cluster, where one was typed. @throws AppError usage */
export async function readRecord(
  file: string,
  name: string | undefined,
  stdin: NodeJS.ReadableStream = process.stdin,
): Promise<Seen> {
  const where = file === '-' ? 'standard input' : file;
  const observation = parseRecord(await readInput(file, stdin), where);
  const recorded = observation.cluster.name;
  if (name !== undefined && name !== recorded)
    throw usageError(`${where} is of ${recorded}, not of ${name}`, `leave the name out, or give ${recorded}`);
  return { observation, state: interpret(observation) };
}
