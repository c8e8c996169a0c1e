// Bundles the command line into dist/: split ESM, one chunk per lazily imported part, so that `--help` never parses a client.
import { build } from 'esbuild';
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';

/**
 * What is imported only as a whole, and of which we use a part: saying that its modules have no side effects lets esbuild
 * leave the rest out. Of @kubernetes/client-node that are its generated models, most of what Node would parse at start-up;
 * of yargs, whose parser alone is used, what it draws help with.
 */
const withoutTheRest = {
  name: 'without-the-rest',
  setup(build) {
    build.onResolve({ filter: /^(\.|@kubernetes|yargs)/ }, async ({ path, pluginData, kind, resolveDir, importer }) => {
      if (pluginData === 'again') return undefined;
      const found = await build.resolve(path, { kind, resolveDir, importer, pluginData: 'again' });
      return /\/node_modules\/(@kubernetes\/client-node|yargs)\//.test(found.path)
        ? { path: found.path, sideEffects: false }
        : undefined;
    });
  },
};

/**
 * What few kubeconfigs need (OIDC, old log-in plugins, proxies) and every start would parse: put into files of their own,
 * which are read when one of these is called. Package -> what @kubernetes/client-node takes from it.
 */
const RARE = {
  'openid-client': ['discovery', 'refreshTokenGrant'],
  'jsonpath-plus': ['JSONPath'],
  'socks-proxy-agent': ['SocksProxyAgent'],
  hpagent: ['HttpProxyAgent', 'HttpsProxyAgent'],
};

/** In place of a rare package: functions and classes of the same names. */
const rareOnDemand = {
  name: 'rare-on-demand',
  setup(build) {
    const filter = new RegExp(`^(${Object.keys(RARE).join('|')})$`);
    build.onResolve({ filter }, ({ path }) => ({ path, namespace: 'rare', sideEffects: false }));
    build.onLoad({ filter: /.*/, namespace: 'rare' }, ({ path }) => ({
      contents: RARE[path].map((name) => standIn(name, `require('./${path}.cjs').${name}`)).join('\n'),
    }));
    build.onResolve({ filter: /\.cjs$/, namespace: 'rare' }, ({ path }) => ({ path, external: true }));
  },
};

/** Source of an exported function or class that finds the real one when it is called. */
const standIn = (name, real) =>
  `export function ${name}(...given) { const it = ${real}; return new.target ? new it(...given) : it(...given); }`;

/** node-fetch, with 300 kB of Unicode tables under it, stands in for the fetch that Node has had since version 18. */
const ownFetch = {
  name: 'fetch-of-node',
  setup(build) {
    build.onResolve({ filter: /^node-fetch$/ }, ({ path }) => ({
      path,
      namespace: 'fetch-of-node',
      sideEffects: false,
    }));
    build.onLoad({ filter: /.*/, namespace: 'fetch-of-node' }, () => ({
      // Only touched when it is used: Node loads its own fetch lazily, and that takes 20 ms.
      contents: `export default (...request) => fetch(...request);
        ${['Headers', 'Request', 'Response'].map((name) => standIn(name, `globalThis.${name}`)).join('\n')}
        export class FetchError extends Error {}
        export class AbortError extends Error {}`,
    }));
  },
};

const { version } = JSON.parse(await readFile(new URL('package.json', import.meta.url), 'utf8'));
await rm('dist', { recursive: true, force: true });
const common = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
  // A name that a stand-in does not have must not get into the bundle as undefined.
  logOverride: { 'import-is-undefined': 'error' },
};
await build({
  ...common,
  entryPoints: { 'kubectl-redis': 'cmd/main.ts', 'kubectl_complete-redis': 'cmd/complete.ts' },
  outdir: 'dist',
  splitting: true,
  format: 'esm',
  loader: { '.sh': 'text' },
  plugins: [ownFetch, rareOnDemand, withoutTheRest],
  chunkNames: 'chunks/[name]-[hash]',
  define: { BUILD_VERSION: JSON.stringify(version) },
  // CommonJS dependencies call require() at run time, which an ES module does not have.
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
});
await build({
  ...common,
  entryPoints: Object.keys(RARE),
  outdir: 'dist/chunks',
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
});
for (const name of ['kubectl-redis', 'kubectl_complete-redis']) {
  const file = `dist/${name}.js`;
  const text = await readFile(file, 'utf8');
  if (!text.startsWith('#!')) await writeFile(file, `#!/usr/bin/env node\n${text}`);
  await chmod(file, 0o755);
}
