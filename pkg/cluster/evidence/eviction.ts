/** Which keys a memory limit would cost: what a server evicts is lost (https://redis.io/docs/latest/develop/reference/eviction/). */
import type { Loss } from '../model/loss.ts';
import { INJECTED_ANNOTATION } from '../model/labels.ts';
import type { PodFacts } from '../model/observation.ts';
import { parseQuantity } from '../model/quantity.ts';
import { formatRanges } from '../model/slots.ts';
import type { ClusterSpec } from '../model/spec.ts';
import type { ClusterNode, Shard } from '../model/state.ts';
import type { Evidence } from './evidence.ts';

export interface MemoryLimit {
  /** 0 = none. */
  readonly bytes: number;
  readonly policy: string;
}

/** As redis.conf and CONFIG SET say it: `maxmemory`, `maxmemory-policy`. What they leave out is as `fallback` has it. */
export function limitOf(directives: Readonly<Record<string, string>>, fallback: MemoryLimit): MemoryLimit {
  const { maxmemory, 'maxmemory-policy': policy } = directives;
  return {
    bytes: (maxmemory === undefined ? null : redisBytes(maxmemory)) ?? fallback.bytes,
    policy: policy ?? fallback.policy,
  };
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 2 ** 10,
  m: 1e6,
  mb: 2 ** 20,
  g: 1e9,
  gb: 2 ** 30,
};

/** `100mb`, `1g`, `1048576`; null = none of these. */
export function redisBytes(text: string): number | null {
  const [, digits = '', unit = ''] = /^(\d+)([a-z]*)$/i.exec(text.trim()) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  return digits === '' || factor === undefined ? null : Number(digits) * factor;
}

/** Of the memory that a container may use, for maxmemory: the rest is for copy-on-write, buffers and fragmentation. As pkg/pod renders it. */
export const MEMORY_SHARE = 0.7;

/**
 * What a server is told by its next start, whatever runs now: what is recorded, else a share of the memory that it may use, where our
 * redis.conf or the webhook says that; else nothing, and then it has no limit. A limit of the container alone tells the server nothing.
 * @param pod of the node; null = a new node
 */
export function limitAtStart(
  { config, memory }: Pick<ClusterSpec, 'config' | 'memory'>,
  pod: Pick<PodFacts, 'annotations' | 'container'> | null,
): MemoryLimit {
  const injected = pod?.annotations[INJECTED_ANNOTATION] === undefined ? null : pod.container.memoryLimitBytes;
  const mayUse = (memory === null ? injected : parseQuantity(memory)) ?? 0;
  return limitOf(config, { bytes: Math.floor(mayUse * MEMORY_SHARE), policy: 'noeviction' });
}

/** What a replica would evict when it leads: as long as it follows, it leaves that to its primary (replica-ignore-maxmemory). */
export function lossOfLimitOfHeir(primary: ClusterNode, heir: ClusterNode, nameOf: Evidence['nameOf']): Loss | null {
  const limit = limitNow(heir);
  const old = limitNow(primary);
  if (limit === null || evictsAlready(old, limit)) return null;
  // What a full cache has beyond its limit are buffers: one whose primary can't be asked may be just that.
  if (old === null && usedBytes(heir) <= limit.bytes * 1.1) return null;
  const shard = { name: heir.shardLabel ?? '', slots: primary.slots, primary: heir };
  return lossOfLimit(shard, { nameOf }, limit, 'as a primary it');
}

/** What a node that answers is told now; null = not known. */
export function limitNow(node: ClusterNode | null): MemoryLimit | null {
  if (node?.reply?.kind !== 'answered') return null;
  const { maxMemoryBytes, maxMemoryPolicy } = node.reply.answer.info;
  return { bytes: maxMemoryBytes, policy: maxMemoryPolicy ?? 'noeviction' };
}

/** Its policy, where a server that answers throws keys away when it is full; null = it evicts nothing, or is not known to. */
export function evictsBy(node: ClusterNode | null): string | null {
  const limit = limitNow(node);
  return limit === null || limit.bytes === 0 || limit.policy === 'noeviction' ? null : limit.policy;
}

/**
 * Whether a cache is kept as small by the limit that it has: then the other one costs nothing. A policy that spares keys which do not expire
 * may have left more of them than its limit.
 */
export function evictsAlready(now: MemoryLimit | null, then: MemoryLimit): boolean {
  if (now === null || now.bytes === 0 || now.bytes > then.bytes) return false;
  return now.policy.startsWith('allkeys') || (now.policy.startsWith('volatile') && then.policy.startsWith('volatile'));
}

/** What counts for its limit. */
function usedBytes({ reply }: ClusterNode): number {
  if (reply?.kind !== 'answered') return 0;
  const { usedMemoryBytes, writes } = reply.answer.info;
  return usedMemoryBytes - (writes?.uncountedMemoryBytes ?? 0);
}

/**
 * What a server that has the keys of this shard would evict at once under the limit; null = nothing that is known of.
 * @param where the server that gets the limit, `redis-4-0`; and when, as the end of a sentence
 */
export function lossOfLimit(
  { name, slots, primary }: Pick<Shard, 'name' | 'slots' | 'primary'>,
  { nameOf }: Pick<Evidence, 'nameOf'>,
  { bytes, policy }: MemoryLimit,
  where: string,
): Loss | null {
  if (slots.length === 0 || primary?.reply?.kind !== 'answered' || bytes === 0 || policy === 'noeviction') return null;
  const { info } = primary.reply.answer;
  const used = usedBytes(primary);
  if (info.keys === 0 || used <= bytes) return null;
  if (policy.startsWith('volatile') && info.writes?.expiringKeys === 0) return null;
  return {
    slots,
    keys: null,
    seconds: null,
    sentence: `an unknown number of keys of ${name === '' ? '' : `shard ${name}, `}slots ${formatRanges(slots)}: ${nameOf(primary)} uses ${used} bytes, and ${where} would evict what is beyond ${bytes} (${policy})`,
  };
}
