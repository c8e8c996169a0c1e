/** Everything that `create` was asked for; recorded on Service NAME so that a second run, or another person's, resumes with it. */
import type { ClusterRef } from './observation.ts';
import type { AntiAffinity } from './plan.ts';

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
}

/** Nodes of the whole cluster: ordinals 1 … nodeCount. */
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

/** The one pod of node N's StatefulSet. */
export function podName(cluster: string, ordinal: number): string {
  return `${nodeName(cluster, ordinal)}-0`;
}

/** Ordinals 1 … nodeCount. */
export function ordinalsOf(spec: Pick<ClusterSpec, 'masters' | 'replicas'>): number[] {
  return Array.from({ length: nodeCount(spec) }, (_, index) => index + 1);
}

/**
 * cluster-node-timeout in milliseconds for a cluster of that many nodes. Gossip about a failure travels slower in a large
 * cluster, and a false alarm costs more there.
 */
export function nodeTimeoutMs(nodes: number): number {
  return nodes > 100 ? 15_000 : 5_000;
}

/**
 * A short name of what objects are rendered from (FNV-1a, 32 bits, hex): tells pods of an earlier attempt from those of this
 * one. Says nothing about security.
 */
export function specHash(spec: ClusterSpec): string {
  const entries = Object.entries(spec)
    // No pod is rendered from it, and records of before it was there must keep their name.
    .filter(([field, value]) => field !== 'networkPolicy' || value === true)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  let hash = 0x811c9dc5;
  for (const char of JSON.stringify(entries)) {
    hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, '0');
}
