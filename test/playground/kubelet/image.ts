/**
 * What stands in for an image: the commands of this machine. A directory that comes first in the PATH holds small scripts of
 * the servers' names, which bind the real one to the pod's address alone, as a network of its own would.
 */
import { execFile } from 'node:child_process';
import { access, chmod, constants, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { Container } from '../api/objects.ts';

const SERVERS = ['redis-server', 'valkey-server'] as const;
const CLIENTS = ['redis-cli', 'valkey-cli'] as const;

async function findProgram(name: string): Promise<string | null> {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(directory, name);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return null;
}

/** Redis knows `bind-source-addr` since 7.0, Valkey always. */
async function knowsSourceAddress(program: string): Promise<boolean> {
  const { stdout } = await promisify(execFile)(program, ['--version']);
  return stdout.startsWith('Valkey') || Number(/v=(\d+)\./.exec(stdout)?.[1] ?? 0) >= 7;
}

/** Fills the directory. @throws {Error} when this machine has no server */
export async function makeImage(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const put = async (name: string, lines: readonly string[]): Promise<void> => {
    await writeFile(join(directory, name), `#!/bin/sh\n${lines.join('\n')}\n`);
    await chmod(join(directory, name), 0o755);
  };
  let servers = 0;
  for (const name of SERVERS) {
    const program = await findProgram(name);
    if (program === null) continue;
    servers += 1;
    const source = (await knowsSourceAddress(program)) ? ' --bind-source-addr "$POD_IP"' : '';
    await put(name, [
      `case \${1:-} in -v | --version | -h | --help) exec ${program} "$@" ;; esac`,
      `exec ${program} "$@" --bind "$POD_IP"${source}`,
    ]);
  }
  if (servers === 0)
    throw new Error('The playground needs redis-server or valkey-server: install one, then run this again.');
  for (const name of CLIENTS) {
    const program = await findProgram(name);
    // What is given on the command line comes later, and wins.
    if (program !== null) await put(name, [`exec ${program} -h "$POD_IP" "$@"`]);
  }
}

/** As the entry point of the official images has it: options alone are for the server. null: an image that is not known. */
export function commandOf({ command, args = [], image }: Container): readonly string[] | null {
  if (command !== undefined && command.length > 0) return [...command, ...args];
  if (!/redis|valkey/.test(image)) return null;
  const [first] = args;
  return first === undefined || first.startsWith('-') || first.endsWith('.conf') ? ['redis-server', ...args] : args;
}
