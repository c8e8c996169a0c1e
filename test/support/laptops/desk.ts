/**
 * Real servers, an API server with their pods, and for each laptop wires to all of them that tell what is sent over
 * them.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SystemFiles } from '../../../pkg/engine/lease/identity.ts';
import type { MoveLimits } from '../../../pkg/engine/ports.ts';
import { splitSlots } from '../../../pkg/cluster/model/slots.ts';
import { makeCertificate } from '../../playground/api/certificate.ts';
import { createRegistry } from '../../playground/api/registry.ts';
import { startApiServer } from '../../playground/api/server.ts';
import { createStore, type NewObject, type Store } from '../../playground/api/store.ts';
import { bundleProgram } from '../bundle-program.ts';
import { rawPod } from '../kube-json.ts';
import { fill, keysIn, startMoveCluster, type MoveCluster } from '../move-cluster.ts';
import type { RedisServer } from '../redis-server.ts';
import { commandReader, isChange } from './commands.ts';
import { startLaptop, type Act, type Laptop } from './laptop.ts';
import { startWire, type Wire } from './wire.ts';

const SHARES = splitSlots(3);
const VALUE = 'x'.repeat(1_000);

/** Who they are, and how they reach the others. */
export interface Person {
  /** To the API server. */
  readonly api: Wire;
  /** To each node. */
  readonly nodes: readonly Wire[];
  readonly files: SystemFiles;
  /** Begins `rebalance`. */
  rebalance(order: {
    readonly weights?: readonly string[];
    readonly limits: MoveLimits;
    readonly aheadMs?: number;
    readonly files?: SystemFiles;
  }): Laptop;
}

export interface Desk {
  readonly cluster: MoveCluster;
  readonly keys: number;
  person(): Promise<Person>;
  /** The lease; null = there is none. */
  lease(): unknown;
  stop(): Promise<void>;
}

/** Three primaries, with `keys` keys of 1 kB. */
export async function startDesk(keys: number): Promise<Desk> {
  const dir = mkdtempSync(join(tmpdir(), 'laptops-'));
  const program = join(dir, 'laptop.mjs');
  await bundleProgram('test/support/laptops/laptop-child.ts', program);
  const cluster = await startMoveCluster({ masters: 3, empty: 0, nodeTimeoutMs: 5_000 });
  const owners = SHARES.map((share, i) => ({ server: cluster.server(i), slots: [share] }));
  await fill(cluster.port, owners, keysIn(SHARES, keys), (key) => ['SET', key, VALUE]);
  const store = createStore();
  const server = await startApi(store, cluster.redis.servers);
  const persons: Person[] = [];
  let machines = 0;
  return {
    cluster,
    keys,
    lease: () => store.get('leases.coordination.k8s.io', 'default', 'redis-operation'),
    person: async () => {
      const acts: Act[] = [];
      const api = await startWire({ host: '127.0.0.1', port: server.port });
      const nodes = await Promise.all(
        cluster.redis.servers.map(({ address: host, port, pod }) =>
          startWire({ host, port }, () => teller(acts, pod.name)),
        ),
      );
      const files = machine(join(dir, `machine-${machines++}`));
      const ports = Object.fromEntries(cluster.redis.servers.map(({ pod }, i) => [pod.name, nodes[i]?.port ?? 0]));
      const { authority, token } = server;
      const person: Person = {
        api,
        nodes,
        files,
        rebalance: ({ weights = [], limits, aheadMs = 0, files: as = files }) => {
          const order = { server: { url: `https://127.0.0.1:${api.port}`, authority, token } };
          acts.length = 0;
          return startLaptop(program, { ...order, ports, aheadMs, files: as, weights, limits }, acts);
        },
      };
      persons.push(person);
      return person;
    },
    stop: async () => {
      await Promise.all(persons.flatMap(({ api, nodes }) => [api, ...nodes]).map((wire) => wire.close()));
      await server.close();
      await cluster.stop();
      rmSync(dir, { recursive: true });
    },
  };
}

function teller(acts: Act[], pod: string): (bytes: Buffer) => void {
  const read = commandReader();
  return (bytes) => {
    const at = performance.now();
    for (const words of read(bytes)) if (isChange(words)) acts.push({ at, pod, words: words.slice(0, 5) });
  };
}

interface Api {
  readonly port: number;
  readonly authority: string;
  readonly token: string;
  close(): Promise<void>;
}

async function startApi(store: Store, servers: readonly RedisServer[]): Promise<Api> {
  const put = (resource: string, object: object): void => void store.create(resource, object as NewObject);
  put('namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'default' },
    status: { phase: 'Active' },
  });
  for (const { pod, address, port } of servers) put('pods', podOf(pod.name, address, port));
  const certificate = await makeCertificate('127.0.0.1');
  const token = randomBytes(16).toString('hex');
  const registry = createRegistry({ store, newServiceIp: () => '' });
  const readLog = (): Promise<string> => Promise.resolve('');
  const port = await freePort();
  const server = await startApiServer({ store, registry, certificate, token, address: '127.0.0.1', port, readLog });
  return { port, authority: certificate.authority, token, close: () => server.close() };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

function podOf(name: string, address: string, port: number): object {
  const labels = { app: 'redis', name: name.replace(/-0$/, ''), 'kubectl-redis.io/cluster': 'redis' };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...rawPod().metadata, name, namespace: 'default', labels },
    spec: {
      nodeName: 'host1',
      containers: [{ name: 'redis', image: 'redis:7', ports: [{ name: 'tcp-redis', containerPort: port }] }],
    },
    status: {
      phase: 'Running',
      podIP: address,
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: rawPod().status?.containerStatuses,
    },
  };
}

/** A machine of its own; its processes are numbered like those of all others: pid:[4026531836]. */
function machine(dir: string): SystemFiles {
  mkdirSync(dir);
  writeFileSync(join(dir, 'machine-id'), randomBytes(16).toString('hex'));
  writeFileSync(join(dir, 'boot_id'), crypto.randomUUID());
  // What it says of processes is the real thing.
  symlinkSync('/proc', join(dir, 'proc'));
  return { machineId: [join(dir, 'machine-id')], bootId: join(dir, 'boot_id'), proc: join(dir, 'proc') };
}
