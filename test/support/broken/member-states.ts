/** Nodes that are lost, alone, strange or in the wrong place. */
import { FULL_SLOTS } from './scene.ts';
import type { Scene } from './scene.ts';
import type { BrokenState } from './state.ts';
import { cut, editNodes, untilFailed, untilPrimary } from './moves.ts';
import { poll } from '../redis-server.ts';

/** Three primaries, then a replica of each. */
const [A, B, C, REPLICA_OF_A, REPLICA_OF_B, REPLICA_OF_C] = [0, 1, 2, 3, 4, 5];
const [SLOT = 0] = FULL_SLOTS;
const WITH_REPLICAS = { replicas: 1 };
/** One more server, in the place of the last replica. */
const ONE_TO_JOIN = { replicas: 1, oneShort: true, spare: 1 };

function idOf(scene: Scene, index: number): string {
  return scene.ids[index] ?? '';
}

/** Its container has ended; its volume is still there. */
async function crash(scene: Scene, index: number): Promise<void> {
  await scene.servers[index]?.stop();
  scene.changePod(index, (pod) => ({
    ...pod,
    ready: false,
    container: { ...pod.container, state: 'waiting', reason: 'CrashLoopBackOff' },
  }));
}

/** Pod and process are gone, for good. */
async function lose(scene: Scene, index: number): Promise<void> {
  await scene.wipe(index);
  scene.lostIds.push(idOf(scene, index));
  scene.changePod(index, () => null);
}

async function meet(scene: Scene, from: number, to: number): Promise<void> {
  const { address = '', port = 0 } = scene.servers[to] ?? {};
  await scene.at(from, ['CLUSTER', 'MEET', address, port]);
}

export async function untilKnown(scene: Scene, index: number, nodes: number): Promise<void> {
  await poll(`server ${index} knows ${nodes}`, 20_000, async () => {
    const [view] = await scene.at(index, ['CLUSTER', 'NODES']);
    const lines = String(view).trim().split('\n');
    return lines.length === nodes && !/handshake|disconnected/.test(String(view)) ? true : null;
  });
}

export const LOST_STATES: readonly BrokenState[] = [
  {
    row: '1.4',
    name: 'a primary lost its volume, its replica leads, a new node is at its address',
    scene: WITH_REPLICAS,
    build: async (scene) => {
      await scene.wipe(A);
      await untilPrimary(scene, REPLICA_OF_A);
      await scene.restart(A);
    },
    codes: ['node-not-joined', 'ghost-node'],
    outcome: 'repaired',
  },
  {
    row: '1.5',
    name: 'a primary without replica is down, its volume is there',
    build: async (scene) => {
      await crash(scene, A);
      await untilFailed(scene, B, A);
    },
    codes: ['primary-down'],
    outcome: 'refused',
  },
  {
    row: '1.6',
    name: 'a primary without replica lost its volume; no consent',
    build: loseVolume,
    codes: ['slots-without-node'],
    outcome: 'refused',
  },
  {
    row: '1.6',
    name: 'a primary without replica lost its volume; with consent for its slots',
    build: loseVolume,
    codes: ['slots-without-node'],
    outcome: 'repaired',
    consent: { acceptDataLoss: [{ start: 0, end: 5460 }] },
    lost: (slot) => slot <= 5460,
  },
  {
    row: '1.7',
    name: 'the majority of the primaries is gone for good; no consent',
    scene: WITH_REPLICAS,
    build: loseMajority,
    codes: ['no-quorum'],
    outcome: 'refused',
  },
  {
    row: '1.7',
    name: 'the majority of the primaries is gone for good; with consent',
    scene: WITH_REPLICAS,
    build: loseMajority,
    codes: ['no-quorum'],
    consent: { takeover: true },
    outcome: 'repaired',
  },
  {
    row: '1.17',
    name: 'two nodes that do not see each other own one slot',
    build: async (scene) => {
      await cut(scene, [B]);
      await scene.at(B, ['CLUSTER', 'DELSLOTS', SLOT], ['CLUSTER', 'ADDSLOTS', SLOT]);
    },
    codes: ['slots-contested'],
    outcome: 'repaired',
  },
  {
    row: '1.18',
    name: 'a primary that has lost its way to the others',
    build: (scene) => cut(scene, [B]),
    codes: ['address-mismatch'],
    outcome: 'repaired',
  },
];

export const PLACE_STATES: readonly BrokenState[] = [
  {
    row: '1.19',
    name: 'a stranger without slots was let in; no consent',
    scene: { spare: 1, strangers: true },
    build: letStrangerIn,
    codes: ['unknown-node'],
    outcome: 'refused',
  },
  {
    row: '1.19',
    name: 'a stranger without slots was let in; with consent',
    scene: { spare: 1, strangers: true },
    build: letStrangerIn,
    codes: ['unknown-node'],
    consent: { forgetStrangers: true },
    outcome: 'repaired',
  },
  {
    row: '1.19',
    name: 'pods of two clusters, both with data',
    scene: { spare: 1 },
    build: async (scene) => {
      const all = Array.from({ length: 16384 }, (_, slot) => slot);
      await scene.at(3, ['CLUSTER', 'ADDSLOTS', ...all]);
      await poll('the other cluster takes keys', 10_000, async () => {
        await scene.at(3, ['SET', 'theirs', 'x']);
        return true;
      });
    },
    codes: ['clusters-split'],
    outcome: 'refused',
  },
  {
    row: '1.22',
    name: 'a replica whose primary was forgotten has the only copy',
    scene: WITH_REPLICAS,
    build: async (scene) => {
      const others = [B, C, REPLICA_OF_B, REPLICA_OF_C];
      await lose(scene, A);
      await Promise.all(others.map((index) => scene.at(index, ['CLUSTER', 'FORGET', idOf(scene, A)])));
    },
    codes: ['replica-orphaned'],
    consent: { takeover: true },
    outcome: 'repaired',
  },
  {
    row: '1.23',
    name: 'a replica of a replica',
    scene: WITH_REPLICAS,
    build: async (scene) => {
      await scene.servers[REPLICA_OF_A]?.stop();
      await editNodes(scene, REPLICA_OF_A, (line) =>
        line.includes('myself') ? line.replace(idOf(scene, A), idOf(scene, REPLICA_OF_B)) : line,
      );
      await scene.restart(REPLICA_OF_A);
    },
    codes: ['replica-chain'],
    // They look for the top themselves.
    healedBy: /^(valkey|redis 8)/i,
    outcome: 'repaired',
  },
  {
    row: '1.25',
    name: 'one shard has two replicas, another none',
    scene: WITH_REPLICAS,
    build: async (scene) => {
      await scene.at(REPLICA_OF_B, ['CLUSTER', 'REPLICATE', idOf(scene, A)]);
      await poll('it follows', 20_000, async () => {
        const [info] = await scene.at(REPLICA_OF_B, ['INFO', 'replication']);
        return /master_link_status:up/.test(String(info)) ? true : null;
      });
    },
    codes: ['shard-label-stale'],
    outcome: 'repaired',
  },
  {
    row: '1.26',
    name: 'a primary without slots where a replica is missing',
    scene: ONE_TO_JOIN,
    build: async (scene) => {
      await meet(scene, A, REPLICA_OF_C);
      await untilKnown(scene, REPLICA_OF_C, 6);
    },
    codes: ['empty-primary'],
    outcome: 'repaired',
  },
  {
    row: '1.26',
    name: 'a node that nobody has introduced',
    scene: ONE_TO_JOIN,
    build: () => Promise.resolve(),
    codes: ['node-not-joined'],
    outcome: 'repaired',
  },
  {
    row: '1.31',
    name: 'a handshake that only one side finished: a replica knows all, and nobody knows it',
    scene: WITH_REPLICAS,
    build: async (scene) => {
      const others = [A, B, C, REPLICA_OF_A, REPLICA_OF_B];
      await Promise.all(scene.servers.map((server) => server.stop()));
      const isOfIt = (line: string): boolean => line.startsWith(idOf(scene, REPLICA_OF_C));
      await Promise.all(others.map((index) => editNodes(scene, index, (line) => (isOfIt(line) ? '' : line))));
      await Promise.all(scene.servers.map((_, index) => scene.restart(index)));
      await Promise.all(others.map((index) => untilKnown(scene, index, 5)));
    },
    codes: ['views-differ'],
    outcome: 'repaired',
  },
  {
    row: '1.31',
    name: 'a handshake with nobody',
    build: async (scene) => {
      await scene.at(A, ['CLUSTER', 'MEET', '127.0.0.2', 7]);
    },
    codes: ['handshake'],
    outcome: 'by-itself',
  },
  {
    row: '1.32',
    name: 'a node that is gone and was not forgotten',
    scene: { spare: 1, strangers: true },
    build: async (scene) => {
      await letStrangerIn(scene);
      const [id] = await scene.at(3, ['CLUSTER', 'MYID']);
      scene.ids[3] = String(id);
      await scene.wipe(3);
      await untilFailed(scene, A, 3);
      // Told to one only, as people do.
      await scene.at(C, ['CLUSTER', 'FORGET', String(id)]);
    },
    codes: ['ghost-node'],
    outcome: 'repaired',
  },
  {
    row: '1.45',
    name: 'a frozen primary',
    build: async (scene) => {
      scene.servers[A]?.kill('SIGSTOP');
      await untilFailed(scene, B, A);
    },
    codes: ['primary-down'],
    outcome: 'refused',
    withinMs: 10_000,
  },
];

async function loseVolume(scene: Scene): Promise<void> {
  await scene.wipe(A);
  await untilFailed(scene, B, A);
  await scene.restart(A);
}

async function loseMajority(scene: Scene): Promise<void> {
  await lose(scene, A);
  await lose(scene, B);
  await poll('both are missed', 20_000, async () => {
    const [nodes] = await scene.at(C, ['CLUSTER', 'NODES']);
    return String(nodes).split('fail?').length === 3 ? true : null;
  });
}

async function letStrangerIn(scene: Scene): Promise<void> {
  await meet(scene, A, 3);
  await untilKnown(scene, 3, 4);
}
