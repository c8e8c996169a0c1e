/**
 * CLUSTER SHARDS (Redis 7.0 on, https://redis.io/docs/latest/commands/cluster-shards/): an array of shards, each a table
 * with `slots` (start, end, start, end …) and `nodes` (tables). Only Valkey 9.1 and later print the shard's `id`; before,
 * the grouping alone is known.
 */
import type { SlotRanges } from '../../cluster/model/slots.ts';
import { normalizeRanges } from '../../cluster/model/slots.ts';
import { arrayOf, integerOf, tableOf, textOf } from './replies.ts';

export interface ShardNode {
  readonly nodeId: string;
  /** '' when unknown. */
  readonly ip: string;
  /** The port without TLS where there is one, else the one with; 0 when there is none. */
  readonly port: number;
  readonly hostname: string | null;
  readonly role: 'primary' | 'replica' | 'unknown';
  readonly replicationOffset: number;
  /** As printed: `online`, `loading`, `fail` or `failed`. */
  readonly health: string;
}

export interface ShardReply {
  /** 40 hex digits; null when the server does not print it. */
  readonly shardId: string | null;
  readonly slots: SlotRanges;
  readonly nodes: readonly ShardNode[];
}

const WHAT = 'CLUSTER SHARDS';

/** @throws AppError `bad-reply` when the reply has another form. */
export function parseClusterShards(reply: unknown): ShardReply[] {
  return arrayOf(reply, WHAT).map((item) => {
    const shard = tableOf(item, WHAT);
    const bounds = arrayOf(shard.get('slots') ?? [], WHAT);
    const ranges = [];
    for (let i = 0; i + 1 < bounds.length; i += 2)
      ranges.push({ start: integerOf(bounds[i]), end: integerOf(bounds[i + 1]) });
    return {
      shardId: textOf(shard.get('id')) || null,
      slots: normalizeRanges(ranges),
      nodes: arrayOf(shard.get('nodes') ?? [], WHAT).map(parseNode),
    };
  });
}

/** Shard id by node id, where the server printed one. */
export function shardIdsByNode(shards: readonly ShardReply[]): Map<string, string> {
  const ids = new Map<string, string>();
  for (const { shardId, nodes } of shards) {
    if (shardId !== null) for (const { nodeId } of nodes) ids.set(nodeId, shardId);
  }
  return ids;
}

/** What a server says of each node's health, by node id. */
export function healthByNode(shards: readonly ShardReply[]): Map<string, string> {
  return new Map(shards.flatMap(({ nodes }) => nodes.map(({ nodeId, health }) => [nodeId, health] as const)));
}

function parseNode(item: unknown): ShardNode {
  const node = tableOf(item, WHAT);
  const role = textOf(node.get('role'));
  return {
    nodeId: textOf(node.get('id')),
    ip: textOf(node.get('ip')),
    port: integerOf(node.get('port') ?? node.get('tls-port')),
    hostname: textOf(node.get('hostname')) || null,
    role: role === 'master' ? 'primary' : role === 'replica' ? 'replica' : 'unknown',
    replicationOffset: integerOf(node.get('replication-offset')),
    health: textOf(node.get('health')),
  };
}
