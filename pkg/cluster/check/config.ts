/**
 * All nodes are configured alike and run one version (I12). What our own scripts set for a while (model/passing-values.ts) is no
 * difference.
 */
import { isMoveTimeout, isPassing } from '../model/passing-values.ts';
import type { Member } from '../evidence/members.ts';
import type { Check, CheckContext } from './context.ts';
import { recordedValue } from './recorded-config.ts';
import { hasScripts } from './scripted.ts';
import type { Problem } from '../model/problem.ts';
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
  // A replica that takes writes is no copy any more.
  'replica-read-only',
  'tls-cluster',
  'tls-replication',
];

/** What one node has for a directive, and whether our scripts may have set it. */
export interface HeldValue {
  readonly pod: string;
  readonly value: string;
  readonly scripted: boolean;
}

export interface Comparison {
  /** The value that most nodes have, or had before a script set another one for a while; null where none has been told. */
  readonly usual: string | null;
  /** Nodes that hold neither that nor what a script set instead of it. */
  readonly differing: readonly HeldValue[];
  /** How many nodes stand behind the usual value. */
  readonly votes: number;
}

/**
 * Which value is the usual one, and who differs from it. A value that a move left behind is nobody's choice.
 * @param given the usual one, where that was decided already
 */
export function compareValues(name: string, held: readonly HeldValue[], given?: string): Comparison {
  const agrees = (one: HeldValue, usual: string): boolean =>
    one.value === usual || (one.scripted && isPassing(name, one.value, usual));
  const chosen = held.filter(({ value }) => name !== 'cluster-node-timeout' || !isMoveTimeout(value));
  const known = given === undefined ? (chosen.length > 0 ? chosen : held).map(({ value }) => value) : [given];
  const candidates = [...new Set(known)].map((value) => ({
    value,
    votes: held.filter((one) => agrees(one, value)).length,
    holders: held.filter((one) => one.value === value).length,
  }));
  const best = candidates.reduce<(typeof candidates)[number] | null>(
    (first, one) =>
      first === null || one.votes > first.votes || (one.votes === first.votes && one.holders > first.holders)
        ? one
        : first,
    null,
  );
  if (best === null) return { usual: null, differing: [], votes: 0 };
  const differing = held.filter((one) => !agrees(one, best.value));
  return { usual: best.value, differing, votes: best.votes };
}

/** What the nodes that answered hold; those that may not be asked are left out. */
export function heldValues(
  { state, answered }: { readonly state: CheckContext['state']; readonly answered: readonly Member[] },
  name: string,
): HeldValue[] {
  return answered.flatMap(({ node, pod, answer }) => {
    const value = answer.config?.[name];
    return value === undefined ? [] : [{ pod, value, scripted: hasScripts(state, node) }];
  });
}

export const checkConfig: Check = (context) =>
  COMPARED_DIRECTIVES.flatMap((name) => {
    const held = heldValues(context, name);
    const recorded = recordedValue(context, name);
    const { usual, differing } = compareValues(name, held, recorded ?? undefined);
    if (usual === null) return [];
    if (recorded !== null && differing.length > 0) return [unlikeTheRecord(context, name, recorded, held, differing)];
    if (differing.length === 0) return leftByAMove(context, name, usual, held);
    const values = groupPods(
      held.filter((one) => one.value === usual || differing.includes(one)),
      ({ value }) => value,
    );
    const sentence = `${name} differs: ${describe(values)}.`;
    const repair = `CONFIG SET ${name} to one value on all nodes, also in their configuration.`;
    const nodes = differing.map(({ pod }) => pod);
    return [makeProblem('config-differs', context.state.cluster.name, { subject: name, sentence, nodes, repair })];
  });

/** Their next start would change what they do: what was set by hand is not recorded, or what is recorded was never set. */
function unlikeTheRecord(
  { state }: CheckContext,
  name: string,
  recorded: string,
  held: readonly HeldValue[],
  differing: readonly HeldValue[],
): Problem {
  const values = groupPods(differing, ({ value }) => value);
  const all = differing.length === held.length && values.size === 1;
  const runs = all ? `${differing[0]?.value ?? ''} on all nodes` : describe(values);
  const sentence = `${name} is ${runs}, and ${recorded === '' ? '(empty)' : recorded} is recorded for all.`;
  const repair = `kubectl redis restart NAME --config ${name}=VALUE records another value and sets it.`;
  const nodes = differing.map(({ pod }) => pod);
  return makeProblem('config-differs', state.cluster.name, { subject: name, sentence, nodes, repair });
}

/** All nodes alike have the patience that a big key needed, and no probe of ours puts it back: its move was killed. */
function leftByAMove(
  { state }: CheckContext,
  name: string,
  usual: string,
  held: readonly HeldValue[],
): readonly Problem[] {
  const moving = state.operation !== null;
  if (name !== 'cluster-node-timeout' || !isMoveTimeout(usual) || moving || held.some(({ scripted }) => scripted))
    return [];
  const sentence = `${name} is ${usual} on all nodes: a move of slots set it for one big key and was killed before it put it back.`;
  const repair = `CONFIG SET ${name} on all nodes to what their configuration says.`;
  const nodes = held.map(({ pod }) => pod);
  return [makeProblem('config-differs', state.cluster.name, { subject: name, sentence, nodes, repair })];
}

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
