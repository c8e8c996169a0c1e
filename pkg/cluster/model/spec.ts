/** Everything that `create` was asked for; recorded in ConfigMap NAME-state so that a second run, or another person's, resumes with it. */
import type { ClusterRef } from './observation.ts';
import type { AntiAffinity } from './plan.ts';
import { compareNatural } from '../natural-order.ts';
import { fnv1a } from './fnv1a.ts';

export interface ClusterSpec {
  readonly cluster: ClusterRef;
  /** Primaries; at least 3. */
  readonly masters: number;
  /** Per primary; 0 or more. */
  readonly replicas: number;
  readonly image: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never' | null;
  /** Kubernetes quantity of each node's claim. */
  readonly storage: string;
  /** null = the cluster's default class. */
  readonly storageClass: string | null;
  /** Limit and request of memory as a quantity; null = none. maxmemory is 70 % of it. */
  readonly memory: string | null;
  /** Request of CPU as a quantity; null = none. */
  readonly cpu: string | null;
  /** redis.conf directives by people, by name; never one of ours. */
  readonly config: Readonly<Record<string, string>>;
  /** Whether Secret NAME-auth (key `password`) holds a password that nodes and clients use. */
  readonly auth: boolean;
  readonly antiAffinity: AntiAffinity;
  /** Whether NetworkPolicy NAME-bus lets only the cluster's pods reach the bus port. Older records lack it, which means no. */
  readonly networkPolicy: boolean;
  /**
   * Shard of each node that there is, by ordinal; null while the cluster has the nodes that it was made with (1 … nodeCount, see
   * shardOfOrdinal). A node keeps its shard for ever. Older records lack it, which means null.
   */
  readonly nodes: NodeTable | null;
  /** A change of shape that was begun and is not finished; null when there is none. */
  readonly scaling: Scaling | null;
  /**
   * When the restart of each node was last asked for, by ordinal: ISO 8601, in the annotation of its template. A pod whose own
   * annotation says the same is new. null = never; older records lack it, which means null.
   */
  readonly restarted: RestartMarks | null;
}

/** Ordinal (as text) -> time. */
export type RestartMarks = Readonly<Record<string, string>>;

/** Ordinal (as text) -> shard. */
export type NodeTable = Readonly<Record<string, string>>;

/** `masters` and `replicas` are then what is aimed at, and `nodes` holds those that come and those that go. */
export interface Scaling {
  /** Ordinals that go. */
  readonly leaving: readonly number[];
  /** Whether every primary that stays gets the same number of slots; else slots move only off the nodes that go. */
  readonly spread: boolean;
}

/** Nodes of the whole cluster, once it has its shape. */
export function nodeCount(spec: Pick<ClusterSpec, 'masters' | 'replicas'>): number {
  return spec.masters * (1 + spec.replicas);
}

/**
 * Shard of ordinal N when a cluster is made: ordinals 1..masters are shards 1..masters, and so on round robin, so that
 * the first nodes of all shards are made first. A failover never changes it.
 */
export function shardOfOrdinal(ordinal: number, masters: number): string {
  return String(((ordinal - 1) % masters) + 1);
}

/** Name of node N: of its Service, its StatefulSet and its label `name`. */
export function nodeName(cluster: string, ordinal: number): string {
  return `${cluster}-${ordinal}`;
}

/** N of what is called NAME-N; null for any other name. */
export function ordinalOfNode(cluster: string, node: string): number | null {
  const digits = node.startsWith(`${cluster}-`) ? node.slice(cluster.length + 1) : '';
  return /^[1-9]\d{0,5}$/.test(digits) ? Number(digits) : null;
}

/** The node that a claim was made for, by its name; null for any other name. */
export function nodeOfClaim(cluster: string, claim: string): string | null {
  const node = /^data-(.+)-0$/.exec(claim)?.[1] ?? '';
  return ordinalOfNode(cluster, node) === null ? null : node;
}

/** The one pod of node N's StatefulSet. */
export function podName(cluster: string, ordinal: number): string {
  return `${nodeName(cluster, ordinal)}-0`;
}

/** What tells the nodes of a cluster. */
export type Shape = Pick<ClusterSpec, 'masters' | 'replicas' | 'nodes'>;

/** The shard that node N is recorded with; a new one's by the rule. */
export function shardOf(spec: Shape, ordinal: number): string {
  return spec.nodes?.[String(ordinal)] ?? shardOfOrdinal(ordinal, spec.masters);
}

/** Names of all shards, in order. */
export function shardsOf(spec: Shape): string[] {
  const names = new Set(ordinalsOf(spec).map((ordinal) => shardOf(spec, ordinal)));
  return [...names].sort(compareNatural);
}

/** Ordinals of all nodes that there are or shall be, in order; after a scale down there may be gaps. */
export function ordinalsOf(spec: Shape): number[] {
  if (spec.nodes !== null)
    return Object.keys(spec.nodes)
      .map(Number)
      .sort((a, b) => a - b);
  return Array.from({ length: nodeCount(spec) }, (_, index) => index + 1);
}

/**
 * cluster-node-timeout in milliseconds for a cluster of that many nodes. Gossip about a failure travels slower in a large
 * cluster, and a false alarm costs more there.
 */
export function nodeTimeoutMs(nodes: number): number {
  return nodes > 100 ? 15_000 : 5_000;
}

const NOT_RENDERED = { networkPolicy: true, nodes: true, scaling: true, restarted: true };

/** A short name of what objects are rendered from: tells pods of an earlier attempt from those of this one. */
export function specHash(spec: ClusterSpec): string {
  const entries = Object.entries(spec)
    // No pod is rendered from it, and records of before it was there must keep their name.
    .filter(([field, value]) => !(field in NOT_RENDERED) || value === true)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return fnv1a(JSON.stringify(entries));
}
