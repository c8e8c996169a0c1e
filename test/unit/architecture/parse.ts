/** What a TypeScript source imports and which impure globals it touches, read from its syntax tree. */
import { parseSync } from '@swc/core';

export interface SourceFacts {
  /** Specifiers as written, of every kind: import, import type, export … from, import(), import('…') types, require(). */
  readonly imports: readonly string[];
  /** Impure things that it uses, as in IMPURE. */
  readonly impure: readonly string[];
  /** Whether it only passes on what other modules export. */
  readonly barrel: boolean;
}

/** Globals that a pure source may not name at all. */
const IMPURE_GLOBALS: ReadonlySet<string> = new Set([
  'process',
  'performance',
  'fetch',
  'crypto',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'console',
]);

/** Members of globals that are otherwise harmless. */
const IMPURE_MEMBERS: ReadonlySet<string> = new Set(['Date.now', 'Math.random', 'globalThis.process']);

type Tree = { readonly [key: string]: unknown; readonly type: string };

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function valueOf(node: unknown, type: 'StringLiteral' | 'Identifier'): string | null {
  return isTree(node) && node.type === type && typeof node['value'] === 'string' ? node['value'] : null;
}

function literal(node: unknown): string | null {
  return valueOf(node, 'StringLiteral');
}

function identifier(node: unknown): string | null {
  return valueOf(node, 'Identifier');
}

/** Everything below a node, names that stand for no variable left out (members, keys of literals and types). */
function* walk(value: unknown): Generator<Tree> {
  if (Array.isArray(value)) {
    for (const item of value) yield* walk(item);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (isTree(value)) yield value;
  for (const [key, child] of Object.entries(value)) {
    if ((key === 'key' || key === 'property') && isTree(child) && child.type === 'Identifier') continue;
    yield* walk(child);
  }
}

/** The module that a node names, if it names one. */
function specifierOf(node: Tree): string | null {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration':
      return literal(node['source']);
    case 'TsImportType':
      return literal(node['argument']);
    case 'TsExternalModuleReference':
      return literal(node['expression']);
    case 'CallExpression':
      return calledSpecifier(node);
    default:
      return null;
  }
}

function calledSpecifier(node: Tree): string | null {
  const callee = node['callee'];
  if (!isTree(callee) || (callee.type !== 'Import' && identifier(callee) !== 'require')) return null;
  const [first] = Array.isArray(node['arguments']) ? node['arguments'] : [];
  const argument: unknown =
    typeof first === 'object' && first !== null && 'expression' in first ? first.expression : null;
  // A computed specifier could be anything, so it can't be let through.
  return literal(argument) ?? '(computed)';
}

function impurityOf(node: Tree): string | null {
  const name = identifier(node);
  if (name !== null) return IMPURE_GLOBALS.has(name) ? name : null;
  if (node.type === 'MemberExpression') {
    const member = `${identifier(node['object']) ?? ''}.${identifier(node['property']) ?? ''}`;
    return IMPURE_MEMBERS.has(member) ? member : null;
  }
  const callee = identifier(node['callee']);
  const bare = !Array.isArray(node['arguments']) || node['arguments'].length === 0;
  return node.type === 'NewExpression' && callee === 'Date' && bare ? 'new Date()' : null;
}

const PASSED_ON: ReadonlySet<string> = new Set(['ExportAllDeclaration', 'ExportNamedDeclaration']);

/** Throws when the source is not TypeScript. */
export function readSource(source: string): SourceFacts {
  const module = parseSync(source, { syntax: 'typescript', target: 'es2022' });
  const nodes = [...walk(module.body)];
  const found = (of: (node: Tree) => string | null): string[] => [
    ...new Set(nodes.map(of).filter((name) => name !== null)),
  ];
  return {
    imports: found(specifierOf),
    impure: found(impurityOf),
    barrel: module.body.length > 0 && module.body.every((item) => PASSED_ON.has(item.type)),
  };
}
