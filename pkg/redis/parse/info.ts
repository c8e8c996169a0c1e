/** INFO (https://redis.io/docs/latest/commands/info/, https://valkey.io/commands/info/): the parts that we use. */
import { AppError } from '../../errors.ts';
import type { ServerInfo } from '../../cluster/model/observation.ts';
import type { WriteFacts } from '../../cluster/model/reasons.ts';
import { keysOfAll } from '../../cluster/wire/keyspace.ts';
import { fieldOf, numberOf } from './fields.ts';

type Replication = Pick<
  ServerInfo,
  | 'role'
  | 'primaryHost'
  | 'primaryPort'
  | 'primaryLinkUp'
  | 'primaryLinkDownSeconds'
  | 'syncInProgress'
  | 'replicationOffset'
>;

/**
 * Valkey says `redis_version:7.2.4` to clients that look for Redis, whatever it is; its own version is `valkey_version`.
 *
 * @throws AppError `bad-reply` when neither is there.
 */
export function parseInfo(text: string): ServerInfo {
  const valkeyVersion = fieldOf(text, 'valkey_version');
  const version = valkeyVersion ?? fieldOf(text, 'redis_version');
  if (version === null) throw new AppError('The reply to INFO names no version', { code: 'bad-reply' });
  return {
    product: valkeyVersion !== null || fieldOf(text, 'server_name') === 'valkey' ? 'valkey' : 'redis',
    version,
    uptimeSeconds: numberOf(text, 'uptime_in_seconds') ?? 0,
    ...parseReplication(text),
    ...replicationIdOf(text),
    ...parseCopied(text),
    connectedReplicas: numberOf(text, 'connected_slaves') ?? 0,
    usedMemoryBytes: numberOf(text, 'used_memory') ?? 0,
    maxMemoryBytes: numberOf(text, 'maxmemory') ?? 0,
    maxMemoryPolicy: fieldOf(text, 'maxmemory_policy'),
    loading: isSet(text, 'loading'),
    aofEnabled: isSet(text, 'aof_enabled'),
    ...parseFirstLog(text),
    keys: keysOfAll(text),
    ...(text.includes('# Keyspace') ? { keysAtOffset: keysOfAll(text) } : {}),
    writes: parseWrites(text),
  };
}

/** Old versions lack some of them: what is not told to be wrong is fine. */
function parseWrites(text: string): WriteFacts {
  return {
    aofWriteOk: fieldOf(text, 'aof_last_write_status') !== 'err',
    aofRewriteOk: fieldOf(text, 'aof_last_bgrewrite_status') !== 'err',
    snapshotOk: fieldOf(text, 'rdb_last_bgsave_status') !== 'err',
    goodReplicas: numberOf(text, 'min_slaves_good_slaves'),
    expiringKeys: sumOf(text, /^db\d+:keys=\d+,expires=(\d+)/gm),
    uncountedMemoryBytes: numberOf(text, 'mem_not_counted_for_evict') ?? 0,
  };
}

/** Until the first rewrite has ended there is no base, and a start would find nothing (INFO persistence). */
function parseFirstLog(text: string): Pick<ServerInfo, 'firstLogPending'> {
  const rewrites = isSet(text, 'aof_rewrite_in_progress') || isSet(text, 'aof_rewrite_scheduled');
  const pending = isSet(text, 'aof_enabled') && rewrites && numberOf(text, 'aof_base_size') === 0;
  return pending ? { firstLogPending: true } : {};
}

/** A full resync on both of its ends: the snapshot of the primary, then what the replica has read and loaded of it. */
function parseCopied(text: string): Pick<ServerInfo, 'copied'> {
  const under = ['master_sync_in_progress', 'rdb_bgsave_in_progress', 'async_loading'];
  if (!under.some((name) => isSet(text, name))) return {};
  const grows = ['master_sync_read_bytes', 'current_save_keys_processed', 'loading_loaded_bytes'];
  return { copied: grows.reduce((sum, name) => sum + (numberOf(text, name) ?? 0), 0) };
}

/** Longer than any server was ever up. */
const NEVER_UP_SECONDS = 1_000_000_000;

function replicationIdOf(text: string): Pick<ServerInfo, 'replicationId' | 'formerReplicationId'> {
  const id = fieldOf(text, 'master_replid');
  const former = fieldOf(text, 'master_replid2');
  return {
    ...(id === null ? {} : { replicationId: id }),
    ...(former === null || /^0*$/.test(former) ? {} : { formerReplicationId: former }),
  };
}

function parseReplication(text: string): Replication {
  if (fieldOf(text, 'role') !== 'slave') {
    return {
      role: 'primary',
      primaryHost: null,
      primaryPort: null,
      primaryLinkUp: null,
      primaryLinkDownSeconds: null,
      syncInProgress: false,
      replicationOffset: numberOf(text, 'master_repl_offset') ?? 0,
    };
  }
  const downSeconds = numberOf(text, 'master_link_down_since_seconds');
  return {
    role: 'replica',
    primaryHost: fieldOf(text, 'master_host'),
    primaryPort: numberOf(text, 'master_port'),
    primaryLinkUp: fieldOf(text, 'master_link_status') === 'up',
    // Never up since its start: -1, or before 7.0 the time since 1970.
    primaryLinkDownSeconds:
      downSeconds === null || downSeconds < 0 || downSeconds >= NEVER_UP_SECONDS ? null : downSeconds,
    syncInProgress: isSet(text, 'master_sync_in_progress'),
    replicationOffset: numberOf(text, 'slave_repl_offset') ?? 0,
  };
}

function isSet(text: string, name: string): boolean {
  return fieldOf(text, name) === '1';
}

function sumOf(text: string, pattern: RegExp): number {
  let sum = 0;
  for (const match of text.matchAll(pattern)) sum += Number(match[1]);
  return sum;
}
