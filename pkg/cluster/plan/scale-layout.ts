/**
 * Which nodes a cluster of another shape consists of. A node keeps its shard for ever, so that its template, its budget and its
 * volume stay true; what a new shape needs beyond that are new nodes.
 *
 * Fewer primaries: the shards with the highest numbers go as a whole, those without slots before all others. Fewer replicas: a
 * replica goes rather than the primary, wherever the primary happens to be by then; then one that is not in step; then one that shares a host with another node
 * of its shard; then the one with the highest ordinal.
 *
 * A shard of which nobody can be given a slot goes, whatever its number, and new nodes come in its place.
 */
import { compareNatural } from '../natural-order.ts';
import { idleShards, namesToReplace } from '../evidence/idle-shards.ts';
import type { KubeFacts } from '../model/observation.ts';
import { nodeName, ordinalsOf, podName, shardOf, type ClusterSpec, type NodeTable } from '../model/spec.ts';
import type { ClusterNode, ClusterState, DesiredShape } from '../model/state.ts';

interface Input {
  readonly spec: ClusterSpec;
  readonly state: ClusterState;
  readonly kube: KubeFacts;
}

/** @returns the spec to record; the very one where it says all of that already, and each of its shards has slots */
export function layShape(input: Input, wanted: Pick<DesiredShape, 'masters' | 'replicas'>): ClusterSpec {
  const { spec, state } = input;
  const idle = idleShards(state.nodes, spec);
  const replaced = namesToReplace(idle);
  const lacksSlots = idle.length > 0;
  if (spec.masters === wanted.masters && spec.replicas === wanted.replicas && replaced.length === 0)
    return lacksSlots && spec.scaling?.spread !== true
      ? { ...spec, scaling: { leaving: spec.scaling?.leaving ?? [], spread: true } }
      : spec;
  const groups = groupsOf(input);
  const stay = stayingShards(input, groups, wanted.masters, replaced);
  const kept = new Map(stay.map((shard) => [shard, bestOf(input, groups.get(shard) ?? [], 1 + wanted.replicas)]));
  const table: Record<string, string> = {};
  for (const ordinal of ordinalsOf(spec)) table[String(ordinal)] = shardOf(spec, ordinal);
  for (const shard of newShards([...groups.keys()], wanted.masters - stay.length)) kept.set(shard, []);
  const free = freeOrdinals(input, table);
  const added: Record<string, string> = {};
  // Round robin, as `create` does it: the first nodes of all shards come first.
  for (let round = 0; round <= wanted.replicas; round++) {
    for (const [shard, members] of kept) {
      if (members.length > round) continue;
      const ordinal = free.next().value;
      members.push(ordinal);
      added[String(ordinal)] = shard;
    }
  }
  const staying = new Set([...kept.values()].flat());
  const leaving = ordinalsOf(spec).filter((ordinal) => !staying.has(ordinal));
  const spread = wanted.masters !== spec.masters || lacksSlots || spec.scaling?.spread === true;
  return { ...spec, ...wanted, nodes: { ...table, ...added }, scaling: { leaving, spread } };
}

/** The spec without the nodes that go. */
export function withoutLeaving(spec: ClusterSpec): ClusterSpec {
  if (spec.scaling === null || spec.scaling.leaving.length === 0) return spec;
  const leaving = new Set(spec.scaling.leaving);
  const nodes: NodeTable = Object.fromEntries(
    ordinalsOf(spec)
      .filter((ordinal) => !leaving.has(ordinal))
      .map((ordinal) => [String(ordinal), shardOf(spec, ordinal)]),
  );
  return { ...spec, nodes };
}

/** Ordinals by shard, shards in order. */
function groupsOf({ spec }: Input): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const ordinal of ordinalsOf(spec)) {
    const shard = shardOf(spec, ordinal);
    groups.set(shard, [...(groups.get(shard) ?? []), ordinal]);
  }
  return new Map([...groups].sort(([a], [b]) => compareNatural(a, b)));
}

function stayingShards(
  input: Input,
  groups: ReadonlyMap<string, readonly number[]>,
  masters: number,
  replaced: readonly string[],
): string[] {
  const holdsSlots = (shard: string): boolean =>
    (groups.get(shard) ?? []).some((ordinal) => (nodeOf(input, ordinal)?.slots.length ?? 0) > 0);
  return [...groups.keys()]
    .filter((shard) => !replaced.includes(shard))
    .sort((a, b) => Number(holdsSlots(b)) - Number(holdsSlots(a)) || compareNatural(a, b))
    .slice(0, masters)
    .sort(compareNatural);
}

function bestOf(input: Input, ordinals: readonly number[], count: number): number[] {
  const leaving = new Set(input.spec.scaling?.leaving);
  const owned = ordinals.some((ordinal) => (nodeOf(input, ordinal)?.slots.length ?? 0) > 0);
  const rank = (ordinal: number): number => {
    const node = nodeOf(input, ordinal);
    if (node !== undefined && node.slots.length > 0) return 0;
    return rankOf(node, owned) + (leaving.has(ordinal) ? 5 : 0);
  };
  const chosen: number[] = [];
  const left = ordinals.toSorted((a, b) => rank(a) - rank(b) || a - b);
  const hostOf = (ordinal: number): string | null => nodeOf(input, ordinal)?.host ?? null;
  while (chosen.length < count && left.length > 0) {
    const hosts = new Set(chosen.map(hostOf));
    const first = rank(left[0] ?? 0);
    const apart = left.findIndex((ordinal) => rank(ordinal) === first && !hosts.has(hostOf(ordinal)));
    chosen.push(...left.splice(Math.max(0, apart), 1));
  }
  return chosen;
}

/**
 * Of nodes without slots: a shard that was never given any has a primary all the same, and slots can't be given to its replica. In one that
 * has an owner, a primary without slots is a replica that has not come back.
 */
function rankOf(node: ClusterNode | undefined, owned: boolean): number {
  if (node === undefined) return 5;
  if (node.reply?.kind !== 'answered') return 4;
  if (node.role === 'primary') return owned ? 3 : 1;
  return node.reply.answer.info.primaryLinkUp === true ? 2 : 3;
}

function nodeOf({ spec, state }: Input, ordinal: number): ClusterNode | undefined {
  const pod = podName(spec.cluster.name, ordinal);
  return state.nodes.find((node) => node.pod?.name === pod);
}

/** The lowest numbers that no shard has. */
function newShards(names: readonly string[], count: number): string[] {
  const out: string[] = [];
  for (let number = 1; out.length < count; number++) if (!names.includes(String(number))) out.push(String(number));
  return out;
}

/** The lowest that are free; one whose volume is still there belongs to somebody's past. */
function* freeOrdinals({ spec, kube }: Input, table: NodeTable): Generator<number, never> {
  const { name } = spec.cluster;
  const taken = new Set([
    ...Object.keys(table).map((ordinal) => podName(name, Number(ordinal))),
    ...kube.pods.map((pod) => pod.name),
    ...kube.statefulSets.map((set) => `${set.name}-0`),
    ...kube.claims.map((claim) => claim.name.replace(/^data-/, '')),
  ]);
  for (let ordinal = 1; ; ordinal++) {
    if (!taken.has(`${nodeName(name, ordinal)}-0`)) yield ordinal;
  }
}
