// Bundles the command line into dist/: split ESM, a few files that are read when they are needed, so that `--help` never parses
// a client.
import { build } from 'esbuild';
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

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

/**
 * Lazy imports that are needed together, or that hardly cost anything beside the others: each list becomes one file. Left
 * alone, esbuild makes a file of every set of lazy imports that share a module, and Node takes longer to find thirty files
 * than to read them.
 */
const PIECES = {
  dial: ['pkg/kube/tunnel.ts', 'pkg/redis/connect.ts', 'pkg/redis/dial-direct.ts'],
  look: [
    'cmd/document/cluster-list.ts',
    'cmd/document/document.ts',
    'cmd/document/node-list.ts',
    'cmd/document/problems.ts',
    'cmd/document/slot-list.ts',
    'cmd/judge.ts',
    'cmd/print-status.ts',
    'cmd/record.ts',
    'cmd/slot-lookup.ts',
    'cmd/survey.ts',
    'cmd/view/clusters.ts',
    'cmd/view/nodes.ts',
    'cmd/view/problems.ts',
    'cmd/view/slot-lookup.ts',
    'cmd/view/slots.ts',
    'cmd/watch-status.ts',
    'pkg/cluster/interpret.ts',
    // First used while the connections to the nodes open: time to load what shows their answers.
    'pkg/redis/connection.ts',
  ],
  rest: [
    'cmd/ask.ts',
    'cmd/conflict-file.ts',
    'cmd/create/dry-run.ts',
    'cmd/create/run.ts',
    'cmd/delete/run.ts',
    'cmd/document/fix-plan.ts',
    'cmd/document/failover-plan.ts',
    'cmd/document/rebalance-plan.ts',
    'cmd/document/restart-plan.ts',
    'cmd/document/scale-plan.ts',
    'cmd/fix/run.ts',
    'cmd/failover/run.ts',
    'cmd/rebalance/run.ts',
    'cmd/restart/run.ts',
    'cmd/scale/run.ts',
    'pkg/redis/move/mover.ts',
    'pkg/redis/strays/settler.ts',
    'cmd/document/delete-plan.ts',
    'cmd/inject/run.ts',
    'cmd/verbs/all.ts',
    'cmd/webhook/run.ts',
    'cmd/view/explain.ts',
    'pkg/cluster/check/codes.ts',
  ],
  session: ['cmd/contexts.ts', 'cmd/session.ts'],
};

/** Large, seldom needed, and sharing nothing. */
const ALONE = ['cmd/document/yaml.ts'];

const lazyInPieces = {
  name: 'lazy-in-pieces',
  async setup(build) {
    const root = fileURLToPath(new URL('.', import.meta.url));
    await mustNotCollide();
    build.onResolve({ filter: /^\./ }, async ({ path, pluginData, kind, resolveDir, importer }) => {
      if (kind !== 'dynamic-import' || pluginData === 'again') return undefined;
      const found = await build.resolve(path, { kind, resolveDir, importer, pluginData: 'again' });
      const file = relative(root, found.path).replaceAll('\\', '/');
      const piece = Object.keys(PIECES).find((name) => PIECES[name].includes(file));
      if (piece !== undefined) return { path: piece, namespace: 'piece' };
      return ALONE.includes(file)
        ? undefined
        : {
            errors: [
              { text: `${file} is imported lazily: put it into one of PIECES in build.mjs (rest, if in doubt)` },
            ],
          };
    });
    build.onLoad({ filter: /.*/, namespace: 'piece' }, ({ path }) => ({
      contents: PIECES[path].map((file) => `export * from './${file}';`).join('\n'),
      resolveDir: root,
    }));
  },
};

/** Of two modules in a piece that export the same name, neither would be seen. */
async function mustNotCollide() {
  for (const [piece, entryPoints] of Object.entries(PIECES)) {
    const { metafile } = await build({ entryPoints, bundle: false, write: false, metafile: true, outdir: 'dist' });
    const names = Object.values(metafile.outputs).flatMap((output) => output.exports);
    const twice = names.filter((name, index) => names.indexOf(name) !== index);
    if (twice.length > 0) throw new Error(`piece ${piece} has more than one ${twice.join(', ')}`);
  }
}

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
  plugins: [lazyInPieces, ownFetch, rareOnDemand, withoutTheRest],
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
// The webhook's image runs this one file; nothing of it is in the command line.
await build({
  ...common,
  entryPoints: { webhook: 'webhook/main.ts' },
  outdir: 'dist/webhook',
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  loader: { '.sh': 'text' },
  plugins: [ownFetch, withoutTheRest],
  // Looked for at run time only where somebody configures them; nobody does.
  external: ['pino-pretty'],
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
});
for (const name of ['kubectl-redis', 'kubectl_complete-redis']) {
  const file = `dist/${name}.js`;
  const text = await readFile(file, 'utf8');
  if (!text.startsWith('#!')) await writeFile(file, `#!/usr/bin/env node\n${text}`);
  await chmod(file, 0o755);
}
