// Runs a program of the playground: node test/playground/run.mjs NAME [ARGUMENTS]. Node 20 runs no TypeScript, so it is bundled first.
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));
const name = process.argv[2] ?? 'main';
const outfile = `${root}.tmp/playground/${name}.mjs`;
process.chdir(root);
await build({
  entryPoints: [`${root}test/playground/${name}.ts`],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'external',
  sourcemap: 'inline',
  logLevel: 'warning',
});
await import(pathToFileURL(outfile).href);
