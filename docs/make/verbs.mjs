// npm run docs:verbs
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const outfile = '.tmp/docs/verb-docs.mjs';
await build({
  entryPoints: ['docs/make/verb-docs.ts'],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  packages: 'external',
  loader: { '.sh': 'text' },
});
const { verbDocs } = await import(new URL(`../../${outfile}`, import.meta.url).href);
rmSync('docs/verbs', { recursive: true, force: true });
mkdirSync('docs/verbs');
for (const [file, text] of verbDocs()) writeFileSync(`docs/verbs/${file}`, text);
