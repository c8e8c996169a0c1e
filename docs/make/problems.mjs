// npm run docs:problems
import { writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const outfile = '.tmp/docs/problem-docs.mjs';
await build({ entryPoints: ['docs/make/problem-docs.ts'], outfile, bundle: true, format: 'esm', platform: 'node' });
const { problemDocs } = await import(new URL(`../../${outfile}`, import.meta.url).href);
writeFileSync('docs/problems.md', problemDocs());
