/** Nodes that are not where the others look for them, and nodes that do not let each other in. */
import type { RedisCommand } from '../../../pkg/engine/ports.ts';
import { must } from '../form-cluster.ts';
import { poll } from '../redis-server.ts';
import { untilKnown } from './member-states.ts';
import { startAt } from './moves.ts';
import type { Scene } from './scene.ts';
import type { BrokenState } from './state.ts';

/** Three primaries, then a replica of each. */
const [A, B, C, REPLICA_OF_A, REPLICA_OF_B, REPLICA_OF_C] = [0, 1, 2, 3, 4, 5];
const ALL = [A, B, C, REPLICA_OF_A, REPLICA_OF_B, REPLICA_OF_C];
const WITH_REPLICAS = { replicas: 1 };

export const ADDRESS_STATES: readonly BrokenState[] = [
  {
    row: '1.1',
    name: 'a primary comes back at another address',
    scene: { ...WITH_REPLICAS, kind: 'foreign' },
    build: async (scene) => {
      await scene.servers[A]?.stop();
      await startAt(scene, [A]);
    },
    codes: [],
    outcome: 'repaired',
  },
  {
    row: '1.2',
    name: 'all nodes come back at other addresses',
    scene: { ...WITH_REPLICAS, kind: 'foreign' },
    build: async (scene) => {
      await Promise.all(scene.servers.map((server) => server.stop()));
      await startAt(scene, ALL);
    },
    codes: ['address-mismatch'],
    outcome: 'repaired',
  },
  {
    row: '1.2',
    name: 'found each other again by gossip, the replicas still dial where their primaries were',
    scene: { ...WITH_REPLICAS, kind: 'foreign' },
    build: async (scene) => {
      // Who meets its primary before gossip tells of it follows at once; mostly somebody does not.
      for (let tries = 0; tries < 4 && !(await anyDialsElsewhere(scene)); tries++) await moveAll(scene);
    },
    codes: ['replica-dials-stale-address'],
    healedBy: /^valkey/i,
    outcome: 'repaired',
  },
  {
    row: '1.3',
    name: "two primaries have each other's address",
    scene: { ...WITH_REPLICAS, kind: 'foreign' },
    build: async (scene) => {
      const addresses = [scene.servers[B]?.address ?? '', scene.servers[A]?.address ?? ''];
      for (const index of [A, B]) await scene.servers[index]?.stop();
      await startAt(scene, [A, B], addresses);
      await poll('they have lost each other', 20_000, async () => {
        const [nodes] = await scene.at(A, ['CLUSTER', 'NODES']);
        return String(nodes).includes('noaddr') ? true : null;
      }).catch(() => null);
    },
    codes: ['address-unknown'],
    healedBy: /^valkey/i,
    outcome: 'repaired',
  },
];

/** All at new addresses, and one of them has met the others. */
async function moveAll(scene: Scene): Promise<void> {
  await Promise.all(scene.servers.map((server) => server.stop()));
  await startAt(scene, ALL);
  const others = ALL.slice(1).map((index) => scene.servers[index]);
  await scene.at(
    A,
    ...others.map((server): RedisCommand => ['CLUSTER', 'MEET', server?.address ?? '', server?.port ?? 0]),
  );
  await Promise.all(ALL.map((index) => untilKnown(scene, index, ALL.length)));
}

async function anyDialsElsewhere(scene: Scene): Promise<boolean> {
  const addresses = scene.servers.map(({ address }) => address);
  const hosts = await Promise.all(
    [REPLICA_OF_A, REPLICA_OF_B, REPLICA_OF_C].map(async (index) => {
      const [info] = await scene.at(index, ['INFO', 'replication']);
      return /master_host:(\S+)/.exec(String(info))?.[1];
    }),
  );
  return hosts.some((host) => host !== undefined && !addresses.includes(host));
}

/** Wrong passwords: everything looks well, and one node is alone. */
export const ACCESS_STATES: readonly BrokenState[] = [
  {
    row: '1.28',
    name: 'a replica that logs in with a wrong password',
    scene: { ...WITH_REPLICAS, password: 'secret' },
    build: async (scene) => {
      await scene.at(REPLICA_OF_A, ['CONFIG', 'SET', 'masterauth', 'wrong']);
      await scene.at(A, ['CLIENT', 'KILL', 'TYPE', 'replica']);
      await poll('the link is down', 20_000, async () => {
        const [info] = await scene.at(REPLICA_OF_A, ['INFO', 'replication']);
        return /master_link_status:down/.test(String(info)) ? true : null;
      });
    },
    codes: ['replica-link-down'],
    outcome: 'refused',
  },
  {
    row: '1.36',
    name: 'a node that was given another password than the rest',
    scene: { ...WITH_REPLICAS, password: 'secret' },
    build: async (scene) => {
      const server = scene.servers[REPLICA_OF_A];
      await must(scene.port, server, [['CONFIG', 'SET', 'requirepass', 'other']]);
      // Who is logged in stays so.
      await scene.port
        .run(server?.pod ?? neverThere(), [['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'no']], 5000)
        .catch(() => null);
    },
    codes: ['password-refused'],
    outcome: 'refused',
  },
];

function neverThere(): never {
  throw new Error('there is no such server');
}
