// Bundles the command line into dist/: split ESM, one chunk per lazily imported part, so that `--help` never parses a client.
import { build } from 'esbuild';
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';

const { version } = JSON.parse(await readFile(new URL('package.json', import.meta.url), 'utf8'));
await rm('dist', { recursive: true, force: true });
await build({
  entryPoints: { 'kubectl-redis': 'cmd/main.ts', 'kubectl_complete-redis': 'cmd/complete.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  loader: { '.sh': 'text' },
  target: 'node20.19',
  minify: true,
  keepNames: false,
  legalComments: 'none',
  chunkNames: 'chunks/[name]-[hash]',
  define: { BUILD_VERSION: JSON.stringify(version) },
  // CommonJS dependencies call require() at run time, which an ES module does not have.
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
for (const name of ['kubectl-redis', 'kubectl_complete-redis']) {
  const file = `dist/${name}.js`;
  const text = await readFile(file, 'utf8');
  if (!text.startsWith('#!')) await writeFile(file, `#!/usr/bin/env node\n${text}`);
  await chmod(file, 0o755);
}
