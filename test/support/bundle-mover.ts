/** The mover as a program of its own, for what kills or times it as a process: see test/redis/move/mover-child.ts. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { MoveLimits, SlotMove } from '../../pkg/engine/ports.ts';

/** @returns the program's file, in `dir` */
export async function bundleMover(dir: string): Promise<string> {
  const outfile = join(dir, 'mover.mjs');
  await build({
    entryPoints: ['test/redis/move/mover-child.ts'],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    // ioredis is CommonJS and requires Node's modules.
    banner: { js: "import{createRequire as r}from'node:module';const require=r(import.meta.url);" },
    logLevel: 'error',
  });
  return outfile;
}

/** @returns the file to give to the program */
export async function writeMoves(dir: string, moves: readonly SlotMove[], limits: MoveLimits): Promise<string> {
  const file = join(dir, 'moves.json');
  await writeFile(file, JSON.stringify({ moves, limits }));
  return file;
}
