/** Real clusters for what moves slots: primaries with slots, further ones without, and keys in known slots. */
import { slotOfKey } from '../../cmd/slot-lookup.ts';
import type { NodeAnswer } from '../../pkg/cluster/model/observation.ts';
import { countSlots, intersectRanges } from '../../pkg/cluster/model/slots.ts';
import type { SlotRanges } from '../../pkg/cluster/model/slots.ts';
import type { MoveEnd, MoveLimits, RedisCommand, SlotMove } from '../../pkg/engine/ports.ts';
import { createRedisPort } from '../../pkg/redis/connect.ts';
import type { Redis } from '../../pkg/redis/connect.ts';
import type { Credentials } from '../../pkg/redis/connection.ts';
import type { KeyConflict } from '../../pkg/redis/move/conflicts.ts';
import { areSettled } from '../../pkg/redis/move/epochs.ts';
import { formCluster, must } from './form-cluster.ts';
import { poll, startRedisServers } from './redis-server.ts';
import type { Directive, RedisServer, RedisServerOptions, RedisServers } from './redis-server.ts';

export const POLITE: MoveLimits = { maxPauseMs: 10, maxBandwidth: null };
export const ALL_OUT: MoveLimits = { maxPauseMs: 200, maxBandwidth: null };

export interface MoveCluster {
  readonly redis: RedisServers;
  readonly port: Redis;
  readonly answers: readonly NodeAnswer[];
  server(index: number): RedisServer;
  end(index: number): MoveEnd;
  /** A move between servers; the other primaries follow. */
  move(source: number, target: number, ranges: SlotRanges): SlotMove;
  stop(): Promise<void>;
}

export interface MoveClusterOptions extends Omit<RedisServerOptions, 'config'> {
  readonly config?: readonly Directive[];
  /** Servers that own slots; the next `empty` are primaries without. */
  readonly masters: number;
  readonly empty: number;
  readonly replicas?: number;
  /** Where copies go that lose against the owner's; left out: nowhere, and a move stops. */
  readonly saveConflict?: (conflict: KeyConflict) => Promise<void>;
  /** What is logged in with, where that is not only `password`. */
  readonly login?: Credentials;
}

/** Servers 0 to masters-1 own equal shares; then come the empty ones, then the replicas of the first. */
export async function startMoveCluster(options: MoveClusterOptions): Promise<MoveCluster> {
  const { masters, empty, replicas = 0, password } = options;
  const login = options.login ?? (password === undefined ? null : { password });
  // A primary that was emptied would become a replica by itself; the clusters that we make do not allow it either.
  const config: readonly Directive[] = [['cluster-allow-replica-migration', 'no'], ...(options.config ?? [])];
  const redis = await startRedisServers({ ...options, config, count: masters + empty + replicas });
  const { saveConflict } = options;
  const port = createRedisPort({
    dial: redis.dial,
    credentials: () => Promise.resolve(login),
    ...(saveConflict === undefined ? {} : { saveConflict }),
  });
  const stop = async (): Promise<void> => {
    port.close();
    await redis.stop();
  };
  try {
    const primaries = redis.servers.slice(0, masters + empty);
    const answers = [...(await formWithEmpty(port, redis.servers, masters, empty))];
    const end = (index: number): MoveEnd => endOf(redis.servers, answers, index);
    return {
      redis,
      port,
      answers,
      server: (index) => serverAt(redis.servers, index),
      end,
      move: (source, target, ranges) => ({
        source: end(source),
        target: end(target),
        ranges,
        others: primaries.flatMap((_, i) => (i === source || i === target ? [] : [end(i)])),
      }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** formCluster gives no node without slots; so the empty ones are met when the rest is formed. */
async function formWithEmpty(
  port: Redis,
  servers: readonly RedisServer[],
  masters: number,
  empty: number,
): Promise<readonly NodeAnswer[]> {
  const late = servers.slice(masters, masters + empty);
  const early = servers.filter((server) => !late.includes(server));
  const formed = await formCluster(port, early, masters);
  const first = serverAt(servers, 0);
  for (const server of late) await must(port, server, [['CLUSTER', 'MEET', first.address, first.port]]);
  const joined = await Promise.all(
    servers.map((server) =>
      poll(`${server.pod.name} is content with all`, 30_000, async () => {
        const reply = await port.ask(server.pod, { deadlineMs: 5000 });
        if (reply.kind !== 'answered') return null;
        const { view, clusterInfo } = reply.answer;
        const known = view.length === servers.length && view.every(({ role, linkUp }) => role !== 'unknown' && linkUp);
        return known && clusterInfo.state === 'ok' ? reply.answer : null;
      }),
    ),
  );
  return formed.length === 0 ? [] : joined;
}

function serverAt(servers: readonly RedisServer[], index: number): RedisServer {
  const server = servers[index];
  if (server === undefined) throw new Error(`no server ${index}`);
  return server;
}

function endOf(servers: readonly RedisServer[], answers: readonly NodeAnswer[], index: number): MoveEnd {
  const { pod, address, port } = serverAt(servers, index);
  return { pod, nodeId: answers[index]?.myId ?? '', ip: address, port };
}

/** `count` keys whose slots are spread evenly over the ranges: `k:N:{tag}`, tag by slot. */
export function keysIn(ranges: SlotRanges, count: number): string[] {
  const tags = tagsOf(ranges);
  return Array.from({ length: count }, (_, i) => `k:${i}:{${tags[i % tags.length]}}`);
}

/** The shortest number that hashes to each slot of the ranges, in the order of the slots. */
function tagsOf(ranges: SlotRanges): number[] {
  const tags = new Map<number, number>();
  const wanted = countSlots(ranges);
  for (let n = 0; tags.size < wanted; n++) {
    const slot = slotOfKey(String(n));
    if (!tags.has(slot) && ranges.some(({ start, end }) => start <= slot && slot <= end)) tags.set(slot, n);
  }
  return [...tags].sort(([a], [b]) => a - b).map(([, tag]) => tag);
}

/** Sets keys to values, each at the node that owns its slot by `owners`. */
export async function fill(
  port: Redis,
  owners: readonly { readonly server: RedisServer; readonly slots: SlotRanges }[],
  keys: readonly string[],
  valueOf: (key: string) => RedisCommand = (key) => ['SET', key, `value of ${key}, and then some more of it`],
): Promise<void> {
  await Promise.all(
    owners.map(async ({ server, slots }) => {
      const mine = keys.filter(
        (key) => intersectRanges(slots, [{ start: slotOfKey(key), end: slotOfKey(key) }]).length > 0,
      );
      for (let i = 0; i < mine.length; i += 5000) await must(port, server, mine.slice(i, i + 5000).map(valueOf));
    }),
  );
}

/** Sum of DBSIZE over servers. */
export async function totalKeys(port: Redis, servers: readonly RedisServer[]): Promise<number> {
  const sizes = await Promise.all(servers.map(async (server) => Number((await must(port, server, [['DBSIZE']]))[0])));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Until everybody knows everybody's config epoch, each its own alone: so it is where slots have not moved for a while. */
export async function awaitSettled(cluster: MoveCluster): Promise<void> {
  await poll('settled epochs', 60_000, async () => ((await isSettled(cluster)) ? true : null));
}

async function isSettled(cluster: MoveCluster): Promise<boolean> {
  const replies = await Promise.all(
    cluster.redis.servers.map(({ pod }) => cluster.port.ask(pod, { deadlineMs: 5000 })),
  );
  const views = replies.map((reply) => (reply.kind === 'answered' ? reply.answer.view : []));
  return cluster.redis.servers.every((_, i) => areSettled(cluster.end(i).nodeId, views));
}
