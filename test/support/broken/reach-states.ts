/** Nodes that are not where the others look for them, and nodes that do not let each other in. */
import { must } from '../form-cluster.ts';
import { poll } from '../redis-server.ts';
import { meet, untilKnown } from './member-states.ts';
import { startAt } from './moves.ts';
import type { BrokenState } from './state.ts';

/** Three primaries, then a replica of each. */
const [A, B, C, REPLICA_OF_A, REPLICA_OF_B, REPLICA_OF_C] = [0, 1, 2, 3, 4, 5];
const WITH_REPLICAS = { replicas: 1 };

export const ADDRESS_STATES: readonly BrokenState[] = [
  {
    row: '1.2',
    name: 'all nodes come back at other addresses',
    scene: { ...WITH_REPLICAS, kind: 'foreign' },
    build: async (scene) => {
      await Promise.all(scene.servers.map((server) => server.stop()));
      await startAt(scene, [A, B, C, REPLICA_OF_A, REPLICA_OF_B, REPLICA_OF_C]);
    },
    codes: ['address-mismatch'],
    outcome: 'repaired',
  },
  {
    row: '1.2',
    name: 'found each other again by gossip, the replicas still dial where their primaries were',
    scene: { ...WITH_REPLICAS, kind: 'foreign' },
    build: async (scene) => {
      await Promise.all(scene.servers.map((server) => server.stop()));
      await startAt(scene, [A, B, C, REPLICA_OF_A, REPLICA_OF_B, REPLICA_OF_C]);
      for (const index of [B, C, REPLICA_OF_A, REPLICA_OF_B, REPLICA_OF_C]) await meet(scene, A, index);
      await Promise.all(
        [A, B, C, REPLICA_OF_A, REPLICA_OF_B, REPLICA_OF_C].map((index) => untilKnown(scene, index, 6)),
      );
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
      await Promise.all([A, B].map((index) => scene.servers[index]?.stop()));
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
