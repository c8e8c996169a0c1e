/** Makes a cluster of running servers with plain commands, without the engine: it is what the engine's tests compare with. */
import type { NodeAnswer } from '../../pkg/cluster/model/observation.ts';
import { splitSlots } from '../../pkg/cluster/model/slots.ts';
import type { SlotRange } from '../../pkg/cluster/model/slots.ts';
import type { RedisCommand, RedisPort } from '../../pkg/engine/ports.ts';
import { poll } from './redis-server.ts';
import type { RedisServer } from './redis-server.ts';

const COMMAND_MS = 10_000;

/**
 * The first `masters` servers become primaries with equal shares of the slots, the others their replicas in turn (server
 * `i` follows server `i % masters`). Resolves when every node says `ok`, knows all others and has all its links.
 */
export async function formCluster(
  redis: RedisPort,
  servers: readonly RedisServer[],
  masters: number,
  deadlineMs = 60_000,
): Promise<NodeAnswer[]> {
  const first = servers[0];
  if (first === undefined) throw new Error('a cluster needs servers');
  const ranges = splitSlots(masters);
  // The coming replicas too: nodes that meet with equal epochs settle it by taking new ones, now and then a primary.
  await Promise.all(
    servers.map((server, i) => must(redis, server, [['CLUSTER', 'SET-CONFIG-EPOCH', i + 1], ...addSlots(ranges[i])])),
  );
  // A star alone leaves it to gossip to make the other links; the ring makes that quick where there are many.
  await Promise.all(
    servers.slice(1).map((server, i) => {
      const before = servers[i] ?? first;
      return must(redis, server, [meet(first), ...(before === first ? [] : [meet(before)])]);
    }),
  );
  const met = await Promise.all(servers.map((server) => settled(redis, server, servers.length, deadlineMs)));
  await Promise.all(
    servers.slice(masters).map(async (server, i) => {
      const primary = met[i % masters];
      if (primary !== undefined) await must(redis, server, [['CLUSTER', 'REPLICATE', primary.myId]]);
    }),
  );
  const replicas = servers.length - masters;
  return Promise.all(servers.map((server) => settled(redis, server, servers.length, deadlineMs, { replicas })));
}

/** Runs commands and throws at the first error reply. */
export async function must(
  redis: RedisPort,
  server: RedisServer | undefined,
  commands: readonly RedisCommand[],
): Promise<readonly unknown[]> {
  if (server === undefined) throw new Error('no such server');
  const replies = await redis.run(server.pod, commands, COMMAND_MS);
  replies.forEach((reply, i) => {
    if (reply instanceof Error) throw new Error(`${commands[i]?.slice(0, 3).join(' ')}: ${reply.message}`);
  });
  return replies;
}

/** The answer of a server as soon as it knows `nodes` nodes and is content with all of them. */
async function settled(
  redis: RedisPort,
  server: RedisServer,
  nodes: number,
  deadlineMs: number,
  expected?: { readonly replicas: number },
): Promise<NodeAnswer> {
  const what = `${server.pod.name} knows all ${nodes} nodes and has its links`;
  return poll(what, deadlineMs, async () => {
    const reply = await redis.ask(server.pod, { deadlineMs: COMMAND_MS });
    if (reply.kind !== 'answered') return null;
    const { view, clusterInfo, info } = reply.answer;
    const joined =
      view.length === nodes && view.every(({ role, linkUp, ip }) => role !== 'unknown' && linkUp && ip !== '');
    if (!joined || expected === undefined) return joined ? reply.answer : null;
    const replicas = view.filter(({ role }) => role === 'replica').length;
    const synced = info.role === 'primary' || info.primaryLinkUp === true;
    return replicas === expected.replicas && synced && clusterInfo.state === 'ok' ? reply.answer : null;
  });
}

function addSlots(range: SlotRange | undefined): RedisCommand[] {
  if (range === undefined) return [];
  const slots = Array.from({ length: range.end - range.start + 1 }, (_, i) => range.start + i);
  return [['CLUSTER', 'ADDSLOTS', ...slots]];
}

function meet({ address, port }: RedisServer): RedisCommand {
  return ['CLUSTER', 'MEET', address, port];
}
