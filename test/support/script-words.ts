/** Runs a piece of the pods' scripts by itself, in the shells of both images. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const SCRIPTS = new URL('../../pkg/pod/scripts/', import.meta.url).pathname;

export const SHELLS: readonly (readonly string[])[] = [['dash'], ['busybox', 'ash']];

export interface Piece {
  readonly shell: readonly string[];
  /** Scripts that are sourced before it, without `.sh`. */
  readonly load: readonly string[];
  readonly script: string;
  /** Below a directory that is the run directory, the volume and the place of the record. */
  readonly files: Readonly<Record<string, string>>;
}

/** @returns what it printed */
export function runPiece({ shell, load, script, files }: Piece): string {
  const dir = mkdtempSync(join(tmpdir(), 'piece-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(dir, name)), { recursive: true });
      writeFileSync(join(dir, name), text);
    }
    const sourced = load.map((name) => `. ${SCRIPTS}${name}.sh`);
    const [command, ...args] = [...shell, '-c', [...sourced, 'address=10.0.0.1', script].join('; ')];
    const env = {
      PATH: process.env['PATH'] ?? '',
      KUBECTL_REDIS_RUN_DIR: dir,
      KUBECTL_REDIS_DATA_DIR: dir,
      KUBECTL_REDIS_STATE_DIR: dir,
      KUBECTL_REDIS_NODE: '1',
    };
    return execFileSync(command, args, { env, encoding: 'utf8' }).trim();
  } finally {
    rmSync(dir, { recursive: true });
  }
}
