/**
 * A cluster of real servers that know each other from their start: each finds a whole nodes.conf. Forming 300 nodes on a few
 * processors takes minutes of gossip; here there is nothing to form.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { formatRange, splitSlots } from '../../pkg/cluster/model/slots.ts';
import { freeAddresses } from '../support/loopback.ts';
import { poll, startRedisServers } from '../support/redis-server.ts';
import type { RedisServer, RedisServers } from '../support/redis-server.ts';

const FIRST_PORT = 7000;
const WITHIN_MS = 180_000;
const AT_ONCE = 30;
/** All nodes share this machine's processors, so they gossip as seldom as they can: it is not what is measured. */
const NODE_TIMEOUT_MS = 3_600_000;

export interface ReadyCluster {
  readonly servers: readonly RedisServer[];
  /** Ends all and removes their directories. */
  stop(): Promise<void>;
}

/** The first `masters` of `nodes` servers are primaries, the others their replicas in turn. Resolves when all are well. */
export async function startReadyCluster(nodes: number, masters: number): Promise<ReadyCluster> {
  const addresses = await freeAddresses(nodes, FIRST_PORT);
  const root = await mkdtemp(join(tmpdir(), 'bench-cluster-'));
  const dirOf = (index: number): string => join(root, String(index));
  const groups: RedisServers[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(groups.map((group) => group.stop()));
    await rm(root, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await writeNodesFiles(addresses, masters, dirOf);
    for (let first = 0; first < nodes; first += AT_ONCE) {
      groups.push(await startFrozen(addresses.slice(first, first + AT_ONCE), first, dirOf));
    }
    const servers = groups.flatMap((group) => group.servers);
    for (const server of servers) server.kill('SIGCONT');
    await Promise.all(servers.map(awaitWell));
    return { servers, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * A node that knows 300 others tries all that are not there yet over and over, and so leaves no processor to those that
 * still have to start. So each sleeps until all have been started.
 */
async function startFrozen(
  addresses: readonly string[],
  first: number,
  dirOf: (index: number) => string,
): Promise<RedisServers> {
  const group = await startRedisServers({
    addresses,
    port: FIRST_PORT + first,
    nodeTimeoutMs: NODE_TIMEOUT_MS,
    config: (index) => [
      ['dir', dirOf(first + index)],
      ['repl-diskless-sync-delay', '0'],
      ['hz', '1'],
    ],
  });
  for (const server of group.servers) server.kill('SIGSTOP');
  return group;
}

async function writeNodesFiles(
  addresses: readonly string[],
  masters: number,
  dirOf: (index: number) => string,
): Promise<void> {
  const lines = addresses.map((address, index) => nodeLine(address, index, masters));
  await Promise.all(
    addresses.map(async (_, self) => {
      const own = lines.map((line, index) => (index === self ? line.replace(/(master|slave)/, 'myself,$1') : line));
      await mkdir(dirOf(self), { recursive: true });
      await writeFile(
        join(dirOf(self), 'nodes.conf'),
        `${own.join('\n')}\nvars currentEpoch ${masters} lastVoteEpoch 0\n`,
      );
    }),
  );
}

function idOf(index: number): string {
  return (index + 1).toString(16).padStart(40, 'b');
}

/** As in CLUSTER NODES: id, address, role, primary, ping sent, pong received, epoch of the primary, link, slots. */
function nodeLine(address: string, index: number, masters: number): string {
  const port = FIRST_PORT + index;
  const primary = index % masters;
  const range = splitSlots(masters)[primary];
  if (range === undefined) throw new RangeError(`no slots for primary ${primary}`);
  const [role, follows, slots] =
    index < masters ? ['master', '-', ` ${formatRange(range)}`] : ['slave', idOf(primary), ''];
  return `${idOf(index)} ${address}:${port}@${port + 10_000} ${role} ${follows} 0 0 ${primary + 1} connected${slots}`;
}

/** It says ok, all its links are up, and a replica's to its primary too. */
async function awaitWell(server: RedisServer): Promise<void> {
  const client = new Redis(server.port, server.address, { lazyConnect: true });
  try {
    await client.connect();
    await poll(
      `${server.address}:${server.port} is well`,
      WITHIN_MS,
      async () => {
        if (!String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) return null;
        const replication = String(await client.call('INFO', 'replication'));
        if (replication.includes('role:slave') && !replication.includes('master_link_status:up')) return null;
        return String(await client.call('CLUSTER', 'NODES')).includes('disconnected') ? null : true;
      },
      1000,
    );
  } finally {
    client.disconnect();
  }
}
