/** Parts of ours as programs of their own, for what kills, stops or times them as processes. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { MoveLimits, SlotMove } from '../../pkg/engine/ports.ts';

/** The mover: see test/redis/move/mover-child.ts. @returns the program's file, in `dir` */
export async function bundleMover(dir: string): Promise<string> {
  const outfile = join(dir, 'mover.mjs');
  await bundleProgram('test/redis/move/mover-child.ts', outfile);
  return outfile;
}

export async function bundleProgram(entryPoint: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [entryPoint],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    // ioredis is CommonJS and requires Node's modules.
    banner: { js: "import{createRequire as r}from'node:module';const require=r(import.meta.url);" },
    logLevel: 'error',
  });
}

/** @returns the file to give to the program */
export async function writeMoves(dir: string, moves: readonly SlotMove[], limits: MoveLimits): Promise<string> {
  const file = join(dir, 'moves.json');
  await writeFile(file, JSON.stringify({ moves, limits }));
  return file;
}
