// Runs a program that has a playground: node test/playground/run.mjs main|demo|FILE.ts [ARGUMENTS]. Node 20 runs no TypeScript,
// so it is bundled first.
import { basename } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));
const given = process.argv[2] ?? 'main';
const entry = given.endsWith('.ts') ? given : `test/playground/${given}.ts`;
const outfile = `${root}.tmp/playground/${basename(entry, '.ts')}.mjs`;
process.chdir(root);
await build({
  entryPoints: [entry],
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
