/** All nodes are configured alike and run one version (I12). */
import type { Check } from './context.ts';
import { listNames, makeProblem } from './wording.ts';

/** Directives that must be equal on all nodes. Announce settings and paths are each node's own. */
export const COMPARED_DIRECTIVES: readonly string[] = [
  'maxmemory',
  'maxmemory-policy',
  'appendonly',
  'appendfsync',
  'cluster-node-timeout',
  'cluster-require-full-coverage',
  'cluster-allow-replica-migration',
  'cluster-allow-reads-when-down',
  'min-replicas-to-write',
  'repl-timeout',
  'tls-cluster',
  'tls-replication',
];

export const checkConfig: Check = ({ state, answered }) =>
  COMPARED_DIRECTIVES.flatMap((name) => {
    const values = groupPods(answered, ({ answer }) => answer.config?.[name]);
    if (values.size < 2) return [];
    const sentence = `${name} differs: ${describe(values)}.`;
    const repair = `CONFIG SET ${name} to one value on all nodes, also in their configuration.`;
    return [
      makeProblem('config-differs', state.cluster.name, { subject: name, sentence, nodes: minority(values), repair }),
    ];
  });

export const checkVersions: Check = ({ state, answered }) => {
  const values = groupPods(answered, ({ answer }) => `${answer.info.product} ${answer.info.version}`);
  if (values.size < 2) return [];
  return [
    makeProblem('versions-differ', state.cluster.name, {
      sentence: `Versions differ: ${describe(values)}.`,
      nodes: minority(values),
    }),
  ];
};

function groupPods<T extends { readonly pod: string }>(
  nodes: readonly T[],
  valueOf: (node: T) => string | undefined,
): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const node of nodes) {
    const value = valueOf(node);
    if (value !== undefined) groups.set(value, [...(groups.get(value) ?? []), node.pod]);
  }
  return new Map([...groups].sort(([, a], [, b]) => b.length - a.length));
}

function describe(values: ReadonlyMap<string, readonly string[]>): string {
  return [...values].map(([value, pods]) => `${value === '' ? '(empty)' : value} on ${listNames(pods)}`).join(', ');
}

/** Everybody but the largest group. */
function minority(values: ReadonlyMap<string, readonly string[]>): string[] {
  return [...values.values()].slice(1).flat();
}
