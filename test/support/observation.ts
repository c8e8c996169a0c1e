/**
 * Observations for tests, made without servers: what `observe` returns for a healthy cluster of any shape, or for pods that
 * were never formed. Changes to make it ill are in observation-changes.ts.
 */
import type {
  ClusterInfo,
  GossipNode,
  NodeAnswer,
  Observation,
  ServerInfo,
} from '../../pkg/cluster/model/observation.ts';
import { splitSlots } from '../../pkg/cluster/model/slots.ts';
import type { SlotRanges } from '../../pkg/cluster/model/slots.ts';
import { kubeFactsOf } from './observation-kube.ts';
import { seatsOf } from './observation-seats.ts';
import type { Seat, Shape } from './observation-seats.ts';

export { nodeIdOf, podNameOf } from './observation-seats.ts';
export type { Shape } from './observation-seats.ts';

export const OBSERVED_AT = '2026-11-23T10:00:00.000Z';

export const DEFAULT_SHAPE: Shape = {
  masters: 3,
  replicas: 1,
  hosts: 3,
  zones: 3,
  kind: 'ours',
  name: 'redis',
  namespace: 'default',
  keysPerShard: 100,
};

/** A cluster without a single fault. With fewer hosts than nodes in a shard, shards have to share hosts. */
export function healthyObservation(shape: Partial<Shape> = {}): Observation {
  const full = { ...DEFAULT_SHAPE, ...shape };
  const seats = seatsOf(full);
  const answers = new Map(seats.map((seat) => [seat.pod, formedAnswer(full, seats, seat)]));
  return observationOf(full, seats, answers, 'true');
}

/** The same pods before the first MEET: each knows only itself, owns nothing, and the ConfigMap says `formed: false`. */
export function freshObservation(shape: Partial<Shape> = {}): Observation {
  const full = { ...DEFAULT_SHAPE, ...shape };
  const seats = seatsOf(full);
  const answers = new Map(seats.map((seat) => [seat.pod, freshAnswer(full, seat)]));
  return observationOf(full, seats, answers, 'false');
}

function slotsOfShard(shape: Shape, shard: string): SlotRanges {
  const range = splitSlots(shape.masters)[Number(shard) - 1];
  return range === undefined ? [] : [range];
}

function primaryOf(seats: readonly Seat[], seat: Seat): Seat {
  return seats.find((other) => other.primary && other.shard === seat.shard) ?? seat;
}

function lineOf(shape: Shape, seats: readonly Seat[], seat: Seat, viewer: Seat): GossipNode {
  const primary = primaryOf(seats, seat);
  return {
    nodeId: seat.nodeId,
    ip: seat.announced,
    port: 6379,
    busPort: 16379,
    hostname: null,
    shardId: null,
    flags: [...(seat === viewer ? ['myself'] : []), seat.primary ? 'master' : 'slave'],
    role: seat.primary ? 'primary' : 'replica',
    primaryId: seat.primary ? null : primary.nodeId,
    configEpoch: primary.ordinal,
    linkUp: true,
    slots: seat.primary ? slotsOfShard(shape, seat.shard) : [],
    migrating: [],
    importing: [],
  };
}

function formedAnswer(shape: Shape, seats: readonly Seat[], seat: Seat): NodeAnswer {
  const primary = primaryOf(seats, seat);
  const replica = !seat.primary;
  return {
    myId: seat.nodeId,
    view: seats.map((other) => lineOf(shape, seats, other, seat)),
    clusterInfo: clusterInfoOf(seats.length, shape.masters, shape.masters, primary.ordinal),
    info: {
      ...serverInfo(shape.keysPerShard),
      role: replica ? 'replica' : 'primary',
      primaryHost: replica ? primary.announced : null,
      primaryPort: replica ? 6379 : null,
      primaryLinkUp: replica ? true : null,
      replicationOffset: 1000 * primary.ordinal,
      connectedReplicas: replica ? 0 : shape.replicas,
    },
    config: configOf(seat, shape),
    keysInOwnSlots: replica ? null : shape.keysPerShard,
  };
}

/** Of a server that has just been started with an empty volume. */
export function freshAnswer(shape: Shape, seat: Seat): NodeAnswer {
  const alone = { ...seat, primary: true };
  const line = lineOf(shape, [alone], alone, alone);
  return {
    myId: seat.nodeId,
    view: [{ ...line, slots: [], configEpoch: 0, ip: shape.kind === 'ours' ? seat.announced : '' }],
    clusterInfo: { ...clusterInfoOf(1, 0, 0, 0), state: 'fail', slotsAssigned: 0, slotsOk: 0 },
    info: serverInfo(0),
    config: configOf(seat, shape),
    keysInOwnSlots: 0,
  };
}

function clusterInfoOf(knownNodes: number, size: number, currentEpoch: number, myEpoch: number): ClusterInfo {
  const slots = { slotsAssigned: 16384, slotsOk: 16384, slotsPfail: 0, slotsFail: 0 };
  return { state: 'ok', ...slots, knownNodes, size, currentEpoch, myEpoch };
}

function serverInfo(keys: number): ServerInfo {
  return {
    product: 'redis',
    version: '8.6.3',
    uptimeSeconds: 86_400,
    role: 'primary',
    primaryHost: null,
    primaryPort: null,
    primaryLinkUp: null,
    primaryLinkDownSeconds: null,
    syncInProgress: false,
    replicationOffset: 0,
    connectedReplicas: 0,
    usedMemoryBytes: 2_000_000,
    maxMemoryBytes: 100_000_000,
    maxMemoryPolicy: 'noeviction',
    loading: false,
    aofEnabled: true,
    keys,
  };
}

function configOf(seat: Seat, shape: Shape): Record<string, string> {
  return {
    'cluster-announce-ip': shape.kind === 'ours' ? seat.announced : '',
    'cluster-node-timeout': '5000',
    'cluster-require-full-coverage': 'no',
    'cluster-allow-replica-migration': 'no',
    maxmemory: '100000000',
    'maxmemory-policy': 'noeviction',
    appendonly: 'yes',
  };
}

function observationOf(
  shape: Shape,
  seats: readonly Seat[],
  answers: ReadonlyMap<string, NodeAnswer>,
  formed: 'true' | 'false',
): Observation {
  return {
    schema: 1,
    cluster: { namespace: shape.namespace, name: shape.name },
    observedAt: OBSERVED_AT,
    kube: kubeFactsOf(shape, seats, formed),
    replies: [...answers].map(([pod, answer]) => ({ pod, reply: { kind: 'answered', answer, elapsedMs: 3 } })),
  };
}
