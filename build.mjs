// Bundles the command line into dist/: split ESM, one chunk per lazily imported part, so that `--help` never parses a client.
import { build } from 'esbuild';
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';

/**
 * @kubernetes/client-node's generated models are most of what Node would parse at start-up, and none is used: saying that its
 * modules have no side effects lets esbuild leave them out.
 */
const withoutModels = {
  name: 'client-node-without-models',
  setup(build) {
    build.onResolve({ filter: /^(\.|@kubernetes)/ }, async ({ path, pluginData, kind, resolveDir, importer }) => {
      if (pluginData === 'again') return undefined;
      const found = await build.resolve(path, { kind, resolveDir, importer, pluginData: 'again' });
      return found.path.includes('/@kubernetes/client-node/') ? { path: found.path, sideEffects: false } : undefined;
    });
  },
};

/** node-fetch, with 300 kB of Unicode tables under it, stands in for the fetch that Node has had since version 18. */
const ownFetch = {
  name: 'fetch-of-node',
  setup(build) {
    build.onResolve({ filter: /^node-fetch$/ }, () => ({
      path: 'node-fetch',
      namespace: 'fetch-of-node',
      sideEffects: false,
    }));
    build.onLoad({ filter: /.*/, namespace: 'fetch-of-node' }, () => ({
      // Only touched when it is used: Node loads its own fetch lazily, and that takes 20 ms.
      contents: `export default (...request) => fetch(...request);
        export const Headers = /* @__PURE__ */ (() => globalThis.Headers)();
        export const Request = /* @__PURE__ */ (() => globalThis.Request)();
        export const Response = /* @__PURE__ */ (() => globalThis.Response)();
        export class FetchError extends Error {}
        export class AbortError extends Error {}`,
    }));
  },
};

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
  plugins: [ownFetch, withoutModels],
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
