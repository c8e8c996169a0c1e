/** Who may import whom, as a table, and the function that holds a source against it. See docs/architecture.md. */
import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import type { SourceFacts } from './parse.ts';

export interface Layer {
  /** A folder that ends in `/`, or one file; the longest that fits a source is its layer. */
  readonly path: string;
  /** Folders and files of ours that it may import, besides itself. */
  readonly imports: readonly string[];
  /** Packages that it may import: those named, or all but those named. */
  readonly packages: { readonly only: readonly string[] } | { readonly not: readonly string[] };
  /** Pure: data in, data out. No node: builtin, no clock, no chance, no environment. */
  readonly pure: boolean;
}

const NONE = { only: [] } as const;
const MODEL_AND_PORTS = ['pkg/errors.ts', 'pkg/cluster/model/', 'pkg/cluster/wire/', 'pkg/engine/ports.ts'];

export const LAYERS: readonly Layer[] = [
  { path: 'pkg/errors.ts', imports: [], packages: NONE, pure: true },
  { path: 'pkg/cluster/', imports: ['pkg/errors.ts'], packages: NONE, pure: true },
  {
    // The one package in the pure half: a diff of two JSON values.
    path: 'pkg/pod/inject/json-patch.ts',
    imports: ['pkg/pod/'],
    packages: { only: ['fast-json-patch'] },
    pure: true,
  },
  { path: 'pkg/pod/', imports: ['pkg/errors.ts', 'pkg/cluster/model/'], packages: NONE, pure: true },
  {
    path: 'pkg/engine/',
    imports: ['pkg/errors.ts', 'pkg/cluster/', 'pkg/pod/'],
    packages: { only: ['p-limit'] },
    pure: false,
  },
  { path: 'pkg/redis/', imports: MODEL_AND_PORTS, packages: { not: ['yargs', 'cli-table3', 'express'] }, pure: false },
  { path: 'pkg/kube/', imports: MODEL_AND_PORTS, packages: { not: ['yargs', 'cli-table3', 'express'] }, pure: false },
  { path: 'cmd/', imports: ['pkg/', 'webhook/'], packages: { not: ['express'] }, pure: false },
  { path: 'webhook/', imports: ['pkg/'], packages: { not: ['yargs', 'cli-table3'] }, pure: false },
];

export interface Breach {
  readonly file: string;
  readonly rule: string;
}

const BUILTINS: ReadonlySet<string> = new Set(builtinModules);

/** `node:fs` and `fs/promises` are builtins; `yargs/helpers` is the package yargs, `@a/b/c` is `@a/b`. */
function classify(specifier: string): { readonly kind: 'builtin' | 'package'; readonly name: string } {
  const [first = '', second = ''] = specifier.split('/');
  const name = specifier.startsWith('@') ? `${first}/${second}` : first;
  return { kind: specifier.startsWith('node:') || BUILTINS.has(name) ? 'builtin' : 'package', name };
}

function within(file: string, path: string): boolean {
  return path.endsWith('/') ? file.startsWith(path) : file === path;
}

export function layerOf(file: string, layers: readonly Layer[] = LAYERS): Layer | null {
  const fits = layers.filter((layer) => within(file, layer.path));
  return fits.sort((a, b) => b.path.length - a.path.length)[0] ?? null;
}

function importBreach(file: string, specifier: string, layer: Layer): string | null {
  if (specifier.startsWith('.')) {
    const target = posix.join(posix.dirname(file), specifier);
    const allowed = [layer.path, ...layer.imports].some((path) => within(target, path));
    return allowed ? null : `${layer.path} may not import ${target}`;
  }
  const { kind, name } = classify(specifier);
  if (kind === 'builtin') return layer.pure ? `${layer.path} is pure and may not import ${specifier}` : null;
  const { packages } = layer;
  const allowed = 'only' in packages ? packages.only.includes(name) : !packages.not.includes(name);
  return allowed ? null : `${layer.path} may not import the package ${name}`;
}

/** What is wrong with one source. `file` is its path from the root of the project, with slashes. */
export function checkSource(file: string, facts: SourceFacts, layers: readonly Layer[] = LAYERS): readonly Breach[] {
  const layer = layerOf(file, layers);
  if (layer === null) return [{ file, rule: 'it belongs to no layer: see the table in rules.ts' }];
  const imports = facts.imports.map((specifier) => importBreach(file, specifier, layer));
  const impure = layer.pure ? facts.impure.map((name) => `${layer.path} is pure and may not use ${name}`) : [];
  return [...imports, ...impure].filter((rule) => rule !== null).map((rule) => ({ file, rule }));
}
