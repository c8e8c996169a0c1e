/** Forms a cluster out of fresh servers by plain commands, without the code that is being measured. */
import { Redis } from 'ioredis';
import { splitSlots } from '../../pkg/cluster/model/slots.ts';
import type { RedisServer } from '../support/redis-server.ts';
import { poll } from '../support/redis-server.ts';

const WITHIN_MS = 300_000;
const INTERVAL_MS = 1000;
const MEET_AGAIN_MS = 20_000;
/** Also how long a handshake may take before it is dropped. */
const FORMING_NODE_TIMEOUT_MS = 30_000;
/** All nodes share this machine's processors, so afterwards they gossip as seldom as they can: it is not what is measured. */
const FORMED_NODE_TIMEOUT_MS = 3_600_000;

/**
 * The first `masters` servers become primaries, the others their replicas in turn; resolves when every node says ok, knows
 * every other and has all its links.
 */
export async function formDirectly(servers: readonly RedisServer[], masters: number): Promise<void> {
  const clients = servers.map((server) => new Redis(server.port, server.address, { lazyConnect: true }));
  try {
    await Promise.all(clients.map((client) => client.connect()));
    await setNodeTimeout(clients, FORMING_NODE_TIMEOUT_MS);
    await giveSlots(clients.slice(0, masters));
    await introduce(clients, servers);
    await setNodeTimeout(clients, FORMED_NODE_TIMEOUT_MS);
    await Promise.all(clients.map((client) => attach(client, clients, masters)));
    await allSay(clients, 'cluster_state:ok, and every link up', isWhole);
    await Promise.all(clients.map((client) => client.call('CONFIG', 'SET', 'hz', 1)));
  } finally {
    for (const client of clients) client.disconnect();
  }
}

async function setNodeTimeout(clients: readonly Redis[], milliseconds: number): Promise<void> {
  await Promise.all(clients.map((client) => client.call('CONFIG', 'SET', 'cluster-node-timeout', milliseconds)));
}

async function giveSlots(primaries: readonly Redis[]): Promise<void> {
  const ranges = splitSlots(primaries.length);
  await Promise.all(
    primaries.map(async (primary, index) => {
      const range = ranges[index];
      if (range === undefined) throw new RangeError(`no slots for primary ${index}`);
      await primary.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
      await primary.call('CLUSTER', 'ADDSLOTSRANGE', range.start, range.end);
    }),
  );
}

/** One node meets all others; gossip does the rest. A handshake that failed is dropped without a word, so it meets again. */
async function introduce(clients: readonly Redis[], servers: readonly RedisServer[]): Promise<void> {
  const [first] = clients;
  if (first === undefined) throw new RangeError('no servers to form a cluster from');
  let met = Number.NEGATIVE_INFINITY;
  await allSay(clients, `${clients.length} known nodes`, async (client) => {
    if (client === first && performance.now() - met > MEET_AGAIN_MS) {
      met = performance.now();
      await meetUnknown(first, await viewOf(first), servers);
    }
    if (!(await infoOf(client)).includes(`cluster_known_nodes:${clients.length}\r`)) return false;
    return !(await viewOf(client)).some((line) => line.includes('handshake'));
  });
}

async function meetUnknown(first: Redis, view: readonly string[], servers: readonly RedisServer[]): Promise<void> {
  const unknown = servers
    .slice(1)
    .filter(({ address, port }) => !view.some((line) => line.includes(` ${address}:${port}@`)));
  await Promise.all(unknown.map(({ address, port }) => first.call('CLUSTER', 'MEET', address, port)));
}

async function attach(client: Redis, clients: readonly Redis[], masters: number): Promise<void> {
  const index = clients.indexOf(client);
  const primary = clients[index % masters];
  if (index < masters || primary === undefined) return;
  const id = String(await primary.call('CLUSTER', 'MYID'));
  await client.call('CLUSTER', 'REPLICATE', id);
}

/** Cheap, unlike CLUSTER NODES, which costs each of 300 nodes a millisecond or two. */
async function infoOf(client: Redis): Promise<string> {
  return String(await client.call('CLUSTER', 'INFO'));
}

async function viewOf(client: Redis): Promise<readonly string[]> {
  return String(await client.call('CLUSTER', 'NODES'))
    .split('\n')
    .filter((line) => line !== '');
}

async function isWhole(client: Redis): Promise<boolean> {
  if (!(await infoOf(client)).includes('cluster_state:ok')) return false;
  const replication = String(await client.call('INFO', 'replication'));
  if (replication.includes('role:slave') && !replication.includes('master_link_status:up')) return false;
  return !(await viewOf(client)).some((line) => line.includes('disconnected'));
}

async function allSay(
  clients: readonly Redis[],
  what: string,
  holds: (client: Redis) => Promise<boolean>,
): Promise<void> {
  let waiting = [...clients];
  await poll(
    what,
    WITHIN_MS,
    async () => {
      const answers = await Promise.all(waiting.map(holds));
      waiting = waiting.filter((_, index) => answers[index] !== true);
      return waiting.length === 0 ? true : null;
    },
    INTERVAL_MS,
  );
}
