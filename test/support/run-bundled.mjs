// Runs a TypeScript program: Node 20 runs none, so it is bundled first, into .tmp/FOLDER.
import { basename } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** @param entry as seen from the root of the repository, which becomes the working directory */
export async function runBundled(entry, folder) {
  process.chdir(root);
  const outfile = `${root}.tmp/${folder}/${basename(entry, '.ts')}.mjs`;
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    loader: { '.sh': 'text' },
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  await import(pathToFileURL(outfile).href);
}
