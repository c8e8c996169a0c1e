/** One identity twice, a pod that somebody scaled away, hosts that are shared, functions that only some have. */
import { writeFile } from 'node:fs/promises';
import { interpret } from '../../../pkg/cluster/interpret.ts';
import { reasonOf } from '../../../pkg/errors.ts';
import { nodesConf, type Scene } from './scene.ts';
import type { BrokenState } from './state.ts';
import { serverAt, untilPrimary } from './moves.ts';

/** Three primaries, then a replica of each. */
const [A, B, C, REPLICA_OF_A] = [0, 1, 2, 3];
const LIBRARY = `#!lua name=mylib\nredis.register_function('answer', function(keys, args) return 42 end)`;

export const UPKEEP_STATES: readonly BrokenState[] = [
  {
    row: '1.20',
    name: 'a clone of a volume runs beside it: one node id twice',
    scene: { spare: 1 },
    build: async (scene) => {
      // As behind a NetworkPolicy: it has the identity, and no way to the others.
      await scene.servers[3]?.stop();
      const own = `${scene.ids[A]} :0@0 myself,master - 0 0 1 connected 0-5460\nvars currentEpoch 3 lastVoteEpoch 0\n`;
      await writeFile(nodesConf(serverAt(scene, 3)), own);
      await scene.restart(3);
    },
    codes: ['duplicate-node-id'],
    outcome: 'refused',
  },
  {
    row: '1.24',
    name: 'primaries on one host with one of their two replicas',
    scene: { replicas: 2, kind: 'foreign' },
    build: (scene) => {
      const hosts = ['host-1', 'host-2', 'host-3'];
      // The first replica of each shard beside its primary, the second on the next host.
      for (let index = 0; index < 9; index++) place(scene, index, hosts[(index < 6 ? index : index + 1) % 3] ?? '');
      return Promise.resolve();
    },
    codes: ['same-host'],
    outcome: 'repaired',
    holds: sharedHosts,
  },
  {
    row: '1.24',
    name: 'primaries on one host with their only replicas: none of them may be without one meanwhile',
    scene: { replicas: 1, kind: 'foreign' },
    build: (scene) => {
      const hosts = ['host-1', 'host-2', 'host-3'];
      for (let index = 0; index < 6; index++) place(scene, index, hosts[index % 3] ?? '');
      return Promise.resolve();
    },
    codes: ['same-host'],
    outcome: 'refused',
  },
  {
    row: '1.24',
    name: 'two primaries on one host after a failover',
    scene: { replicas: 1 },
    build: async (scene) => {
      await scene.at(REPLICA_OF_A, ['CLUSTER', 'FAILOVER']);
      await untilPrimary(scene, REPLICA_OF_A);
    },
    codes: ['primaries-share-host'],
    outcome: 'repaired',
    holds: sharedHosts,
  },
  {
    row: '1.33',
    name: 'somebody has scaled a primary away, its volume is there',
    scene: { replicas: 1 },
    build: async (scene) => {
      await scene.servers[A]?.stop();
      scene.changePod(A, () => null);
      scene.kube = {
        ...scene.kube,
        statefulSets: scene.kube.statefulSets.map((one) => (one.name === 'redis-1' ? { ...one, replicas: 0 } : one)),
      };
      await untilPrimary(scene, REPLICA_OF_A);
    },
    codes: ['pod-missing'],
    outcome: 'refused',
  },
  {
    row: '1.41',
    name: 'functions that only one primary has',
    scene: { replicas: 1 },
    build: async (scene) => {
      await scene.at(A, ['FUNCTION', 'LOAD', LIBRARY]);
    },
    codes: ['functions-differ'],
    outcome: 'repaired',
    holds: async (scene) => {
      const call = async (index: number): Promise<unknown> => {
        return scene.at(index, ['FCALL', 'answer', 0]).then(([reply]) => reply, reasonOf);
      };
      const answers = await Promise.all([A, B, C].map(call));
      return answers.flatMap((answer, index) => (answer === 42 ? [] : [`server ${index} has no such function`]));
    },
  },
];

function place(scene: Scene, index: number, host: string): void {
  scene.changePod(index, (pod) => ({ ...pod, host }));
}

/** A shard with two of its nodes on one host, or a host with two primaries. */
async function sharedHosts(scene: Scene): Promise<readonly string[]> {
  const { nodes } = interpret(await scene.observe());
  const owners = nodes.filter((node) => node.slots.length > 0);
  const crowded = owners.filter(({ host }, at) => owners.findIndex((one) => one.host === host) < at);
  const shared = owners.filter(({ nodeId, host }) =>
    nodes.some((node) => node.primaryId === nodeId && node.host === host),
  );
  return [
    ...crowded.map(({ pod }) => `${pod?.name} shares its host with another primary`),
    ...shared.map(({ pod }) => `${pod?.name} shares its host with its replica`),
  ];
}
