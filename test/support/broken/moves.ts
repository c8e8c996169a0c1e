/** What happens to servers beneath the cluster: other addresses, lost volumes, edited memory, cut wires. */
import { readFile, writeFile } from 'node:fs/promises';
import { poll, startRedisServers, type Directive, type RedisServer } from '../redis-server.ts';
import { NODE_TIMEOUT_MS, REDIS_PORT, nodesConf, type Scene } from './scene.ts';

/** Nobody listens there. */
const NOWHERE = '127.0.0.2';

/** Starts the server's volume at other addresses: at free ones, or at those given. Nobody is told. */
export async function startAt(scene: Scene, indices: readonly number[], addresses?: readonly string[]): Promise<void> {
  const before = indices.map((index) => serverAt(scene, index));
  const config = (i: number): readonly Directive[] => [
    ['appendonly', 'yes'],
    ['appendfsync', 'no'],
    ['cluster-allow-replica-migration', 'no'],
    ['cluster-require-full-coverage', 'no'],
    ['dir', before[i]?.dir ?? ''],
  ];
  const common = { binary: scene.options.binary, nodeTimeoutMs: NODE_TIMEOUT_MS, port: REDIS_PORT };
  // A list of addresses makes the ports count up, so each is started by itself.
  const started =
    addresses === undefined
      ? [await startRedisServers({ ...common, count: indices.length, config })]
      : await Promise.all(
          addresses.map((address, i) => startRedisServers({ ...common, addresses: [address], config: config(i) })),
        );
  for (const one of started) scene.adopt(one);
  const servers = started.flatMap((one) => one.servers);
  indices.forEach((index, i) => {
    const moved = servers[i];
    if (moved === undefined) throw new Error('a server did not start');
    // Its volume is still the old one: it may be moved again.
    const server = { ...moved, dir: before[i]?.dir ?? moved.dir };
    scene.servers[index] = server;
    scene.changePod(index, (pod) => ({ ...pod, ip: server.address }));
  });
}

/** Stops all, lets them forget the way between the two groups, and starts them again. */
export async function cut(scene: Scene, apart: readonly number[]): Promise<void> {
  await Promise.all(scene.servers.map((server) => server.stop()));
  await Promise.all(
    scene.servers.map((_, index) =>
      editNodes(scene, index, (line) => {
        const other = scene.ids.findIndex((id) => line.startsWith(id));
        const sameSide = apart.includes(other) === apart.includes(index);
        return other === -1 || sameSide
          ? line
          : line.replace(/ \S+@\d+/, ` ${NOWHERE}:${REDIS_PORT}@${REDIS_PORT + 10000}`);
      }),
    ),
  );
  await Promise.all(scene.servers.map((_, index) => scene.restart(index)));
}

/** Rewrites lines of nodes.conf of a server that is stopped. */
export async function editNodes(scene: Scene, index: number, edit: (line: string) => string): Promise<void> {
  const file = nodesConf(serverAt(scene, index));
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.split('\n').map(edit).join('\n'));
}

/** Until some node calls it failed, or knows no address of it. */
export async function untilFailed(scene: Scene, viewer: number, index: number): Promise<void> {
  await poll('it counts as failed', 20_000, async () => {
    const [nodes] = await scene.at(viewer, ['CLUSTER', 'NODES']);
    const line = String(nodes)
      .split('\n')
      .find((one) => one.startsWith(scene.ids[index] ?? ''));
    return line !== undefined && /\bfail\b|noaddr/.test(line.replace('fail?', '')) ? true : null;
  });
}

/** Until the replica leads. */
export async function untilPrimary(scene: Scene, index: number): Promise<void> {
  await poll('the replica was promoted', 30_000, async () => {
    const [role] = await scene.at(index, ['ROLE']);
    return Array.isArray(role) && role[0] === 'master' ? true : null;
  });
}

export function serverAt(scene: Scene, index: number): RedisServer {
  const server = scene.servers[index];
  if (server === undefined) throw new Error(`no server ${index}`);
  return server;
}
