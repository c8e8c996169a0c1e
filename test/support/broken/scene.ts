/**
 * A small cluster of real servers that is there to be broken: formed, filled, with a table of pods beside it as Kubernetes would
 * tell of them. Every node answers on the port of Redis, each on its own loopback address.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { slotOfKey } from '../../../cmd/slot-lookup.ts';
import type { KubeFacts, Observation, PodFacts } from '../../../pkg/cluster/model/observation.ts';
import type { SlotRanges } from '../../../pkg/cluster/model/slots.ts';
import { systemClock } from '../../../pkg/engine/clock.ts';
import { observePods } from '../../../pkg/engine/observe.ts';
import type { KubePort, RedisCommand } from '../../../pkg/engine/ports.ts';
import { createRedisPort, type Redis } from '../../../pkg/redis/connect.ts';
import type { KeyConflict } from '../../../pkg/redis/move/conflicts.ts';
import { formCluster, must } from '../form-cluster.ts';
import { keysIn } from '../move-cluster.ts';
import { kubeFactsOf } from '../observation-kube.ts';
import { seatsOf, type Shape } from '../observation-seats.ts';
import { poll, startRedisServers, type Directive, type RedisServer, type RedisServers } from '../redis-server.ts';
import { createWires, type Wires } from './wires.ts';

export interface SceneOptions {
  readonly binary: string;
  /** Another one for some, by index: in the middle of an upgrade. */
  readonly binaryOf?: (index: number) => string;
  /** Primaries with equal shares of the slots. */
  readonly masters: number;
  /** Per primary. */
  readonly replicas: number;
  /** Servers that run and that nobody knows; pods of the cluster beyond its shape unless `strangers`. */
  readonly spare: number;
  /** Whether the spare ones are no pods of the cluster. */
  readonly strangers: boolean;
  /** The last replica of the last shard is left out, so that there is a place for a spare one. */
  readonly oneShort: boolean;
  readonly kind: Shape['kind'];
  readonly password: string | null;
  /** Whether there is a place for copies of keys that lose. */
  readonly savesConflicts: boolean;
  /** cluster-node-timeout; default NODE_TIMEOUT_MS. */
  readonly nodeTimeoutMs?: number;
}

export interface Scene {
  readonly options: SceneOptions;
  /** Node N is server N-1: primaries, then replicas in turn, then spare ones. */
  readonly servers: RedisServer[];
  /** As `fix` reaches the servers: through wires that can be cut. */
  readonly port: Redis;
  /** As the test itself reaches them, always. */
  readonly direct: Redis;
  readonly wires: Wires;
  /** What containers have logged, by pod. */
  readonly logs: Map<string, readonly string[]>;
  /** What a server is told besides when it is started again, by index. */
  readonly directives: Map<number, readonly Directive[]>;
  /** What Kubernetes says; changed by replacing parts of it. */
  kube: KubeFacts;
  /** Every key that must be there in the end, and its value. */
  readonly keys: Map<string, string>;
  /** Copies of keys that lost, as the settler saved them. */
  readonly saved: KeyConflict[];
  /** Ids of nodes whose pods are gone for good: until Kubernetes makes new ones, the others remember them. */
  readonly lostIds: string[];
  /** Node ids when the cluster was formed. */
  readonly ids: string[];
  /** Runs commands on a server. @throws at the first error reply */
  at(index: number, ...commands: RedisCommand[]): Promise<readonly unknown[]>;
  observe(): Promise<Observation>;
  /** Starts a server again, with the settings that it had, and these. */
  restart(index: number, ...more: readonly Directive[]): Promise<void>;
  /** Ends a server and its data. */
  wipe(index: number): Promise<void>;
  /** The pod as it is now, and as it shall be. */
  changePod(index: number, change: (pod: PodFacts) => PodFacts | null): void;
  /** Further servers end with the scene. */
  adopt(more: RedisServers): void;
  stop(): Promise<void>;
}

export const REDIS_PORT = 6379;
/** For forming, where a node says ok after it; and as it is then. */
const FORMING_MS = 500;
export const NODE_TIMEOUT_MS = 2_000;

const CONFIG: readonly Directive[] = [
  ['appendonly', 'yes'],
  // What was written is with the system before it is acknowledged, and so outlives the process; while an fsync is under way it is not.
  ['appendfsync', 'no'],
  ['cluster-allow-replica-migration', 'no'],
  ['cluster-require-full-coverage', 'no'],
];
/** No key is in these: slots to be lost, taken away, moved about. They are of the first primary of three. */
export const EMPTY_SLOTS = { start: 5400, end: 5439 };
/** Each has some keys, and is of the first primary of three. */
export const FULL_SLOTS: readonly number[] = [1000, 1001, 1002, 1003];
const KEYS_EACH = 8;
const KEYS = 240;

export async function startScene(options: SceneOptions): Promise<Scene> {
  const { masters, replicas, spare, password, oneShort } = options;
  const formed = masters * (1 + replicas) - (oneShort ? 1 : 0);
  const running = await startRedisServers({
    binary: options.binaryOf ?? options.binary,
    count: formed + spare,
    port: REDIS_PORT,
    nodeTimeoutMs: FORMING_MS,
    config: CONFIG,
    ...(password === null ? {} : { password }),
  });
  const servers = [...running.servers];
  const saved: KeyConflict[] = [];
  const credentials = (): Promise<{ password: string } | null> =>
    Promise.resolve(password === null ? null : { password });
  const direct = createRedisPort({ dial: running.dial, credentials });
  const wires = createWires(running.dial);
  const port = wires.through(
    createRedisPort({
      dial: wires.dial,
      credentials,
      ...(options.savesConflicts ? { saveConflict: (conflict) => Promise.resolve(void saved.push(conflict)) } : {}),
    }),
  );
  const directives = new Map<number, readonly Directive[]>();
  const nodeTimeoutMs = options.nodeTimeoutMs ?? NODE_TIMEOUT_MS;
  const setTimeoutOf = (one: RedisServer): Promise<unknown> =>
    must(direct, one, [['CONFIG', 'SET', 'cluster-node-timeout', nodeTimeoutMs]]);
  const adopted: RedisServers[] = [running];
  const stop = async (): Promise<void> => {
    direct.close();
    port.close();
    for (const more of adopted.splice(0).reverse()) await more.stop();
  };
  const server = (index: number): RedisServer => {
    const found = servers[index];
    if (found === undefined) throw new Error(`no server ${index}`);
    return found;
  };
  const scene: Scene = {
    options,
    servers,
    port,
    direct,
    wires,
    logs: new Map(),
    directives,
    kube: { pods: [], services: [], statefulSets: [], hosts: [], claims: [], config: null, operation: null, gaps: [] },
    keys: new Map(),
    saved,
    lostIds: [],
    ids: [],
    at: (index, ...commands) => must(direct, server(index), commands),
    observe: () => observeScene(scene),
    restart: async (index, ...more) => {
      await server(index).start([...(directives.get(index) ?? []), ...more]);
      await setTimeoutOf(server(index));
    },
    wipe: async (index) => {
      await server(index).stop();
      await rm(server(index).dir, { recursive: true, force: true });
    },
    changePod: (index, change) => {
      const name = podNameAt(scene, index);
      scene.kube = {
        ...scene.kube,
        pods: scene.kube.pods.flatMap((pod) => (pod.name === name ? (change(pod) ?? []) : pod)),
      };
    },
    adopt: (more) => void adopted.push(more),
    stop,
  };
  try {
    const answers = await formCluster(direct, servers.slice(0, formed), masters);
    scene.ids.push(...answers.map((answer) => answer.myId));
    await Promise.all(servers.map(setTimeoutOf));
    scene.kube = factsOf(scene);
    await fillScene(scene);
    return scene;
  } catch (error) {
    await stop();
    throw error;
  }
}

function podNameAt({ options: { kind } }: Scene, index: number): string {
  return kind === 'ours' ? `redis-${index + 1}-0` : `redis-${index}`;
}

/** As of a cluster that `create` made, or of one made by hand that announces its pods' IPs. */
function factsOf({ servers, options }: Scene): KubeFacts {
  const shape: Shape = {
    masters: options.masters,
    replicas: options.replicas,
    hosts: 3,
    zones: 3,
    kind: options.kind,
    name: 'redis',
    namespace: 'default',
    keysPerShard: 0,
  };
  const extra = options.strangers ? 0 : servers.length - options.masters * (1 + options.replicas);
  const seats = seatsOf({ ...shape, replicas: shape.replicas + Math.ceil(Math.max(0, extra) / shape.masters) });
  const placed = seats.slice(0, options.strangers ? servers.length - options.spare : servers.length);
  const facts = kubeFactsOf(shape, placed, 'true');
  const addressOf = (ordinal: number): string => servers[ordinal - 1]?.address ?? '';
  return {
    ...facts,
    pods: facts.pods.map((pod, i) => ({ ...pod, ip: addressOf(i + 1), port: REDIS_PORT })),
    services: facts.services.map((service) => {
      const ordinal = Number(/-(\d+)$/.exec(service.name)?.[1] ?? 0);
      return ordinal === 0 ? service : { ...service, clusterIP: addressOf(ordinal) };
    }),
  };
}

async function fillScene(scene: Scene): Promise<void> {
  const { masters } = scene.options;
  const free: SlotRanges = [
    { start: 0, end: EMPTY_SLOTS.start - 1 },
    { start: EMPTY_SLOTS.end + 1, end: 16383 },
  ];
  const names = [
    ...keysIn(free, KEYS * 60).filter((_, i) => i % 60 === 0),
    ...FULL_SLOTS.flatMap((slot) => keysOf(slot)),
  ];
  for (const key of names) scene.keys.set(key, `value of ${key}`);
  const owned = scene.servers.slice(0, masters);
  await Promise.all(
    owned.map(async (_, index) => {
      const mine = names.filter((key) => primaryOf(slotOfKey(key), masters) === index);
      await scene.at(
        index,
        ...mine.map((key): RedisCommand => ['SET', key, scene.keys.get(key) ?? '']),
        ...(scene.options.replicas > 0
          ? [['WAIT', scene.options.oneShort ? 0 : scene.options.replicas, 5000] as const]
          : []),
      );
    }),
  );
}

/** The keys of a full slot. */
export function keysOf(slot: number): string[] {
  return keysIn([{ start: slot, end: slot }], KEYS_EACH).map((key) => `full:${key}`);
}

/** Which primary owns a slot of a cluster that was just formed. */
function primaryOf(slot: number, masters: number): number {
  return Math.min(masters - 1, Math.floor((slot + 0.5) / (16384 / masters)));
}

function observeScene({ port, kube, logs }: Scene): Promise<Observation> {
  const ports = {
    kube: { logTail: (pod: string) => Promise.resolve(logs.get(pod) ?? []) } as unknown as KubePort,
    redis: port,
    clock: systemClock,
  };
  const cluster = { namespace: 'default', name: 'redis' };
  return observePods(ports, cluster, kube, { deadlineMs: 6000, withConfig: true, countKeys: true });
}

/** Polls a node's own view. */
export async function untilView(
  scene: Scene,
  index: number,
  what: string,
  holds: (view: string) => boolean,
): Promise<void> {
  await poll(what, 20_000, async () => {
    const [nodes] = await scene.at(index, ['CLUSTER', 'NODES']);
    return holds(String(nodes)) ? true : null;
  });
}

export function nodesConf(server: RedisServer): string {
  return join(server.dir, 'nodes.conf');
}
