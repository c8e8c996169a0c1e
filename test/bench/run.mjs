// Runs a benchmark: node test/bench/run.mjs NAME [ARGUMENTS]. Node 20 runs no TypeScript, so it is bundled first.
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));
const name = process.argv[2] ?? '';
const entry = `${root}test/bench/${name}.bench.ts`;
if (!/^[a-z0-9-]+$/.test(name) || !existsSync(entry)) {
  const names = readdirSync(`${root}test/bench`).filter((file) => file.endsWith('.bench.ts'));
  console.error(`usage: node test/bench/run.mjs ${names.map((file) => file.replace('.bench.ts', '')).join('|')}`);
  process.exit(2);
}
process.chdir(root);
// The servers of a benchmark are ended when it exits, which a signal alone would not do.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130));
const outfile = `${root}.tmp/bench/${name}.mjs`;
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
