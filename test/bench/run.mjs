// Runs a benchmark: node test/bench/run.mjs NAME [ARGUMENTS].
import { existsSync, readdirSync } from 'node:fs';
import { root, runBundled } from '../support/run-bundled.mjs';

const name = process.argv[2] ?? '';
const entry = `test/bench/${name}.bench.ts`;
if (!/^[a-z0-9-]+$/.test(name) || !existsSync(`${root}${entry}`)) {
  const names = readdirSync(`${root}test/bench`).filter((file) => file.endsWith('.bench.ts'));
  console.error(`usage: node test/bench/run.mjs ${names.map((file) => file.replace('.bench.ts', '')).join('|')}`);
  process.exit(2);
}
// The servers of a benchmark are ended when it exits, which a signal alone would not do.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130));
await runBundled(entry, 'bench');
