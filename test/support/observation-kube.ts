/** The Kubernetes half of a generated observation. */
import type { KubeFacts, PodFacts, ServiceFacts, StatefulSetFacts } from '../../pkg/cluster/model/observation.ts';
import { clusterIpOf, hostsOf } from './observation-seats.ts';
import type { Seat, Shape } from './observation-seats.ts';

export function kubeFactsOf(shape: Shape, seats: readonly Seat[], formed: 'true' | 'false'): KubeFacts {
  const ours = shape.kind === 'ours';
  return {
    pods: seats.map((seat) => podOf(shape, seat)),
    services: ours
      ? [clientService(shape), ...seats.map((seat) => nodeService(shape, seat))]
      : [headlessService(shape)],
    statefulSets: ours ? seats.map((seat) => statefulSetOf(shape, seat)) : [sharedStatefulSet(shape, seats.length)],
    hosts: hostsOf(shape),
    claims: seats.map((seat) => ({ name: `data-${seat.pod}`, phase: 'Bound', storageClass: 'standard' })),
    config: ours ? {} : null,
    state: ours ? { formed } : null,
    operation: null,
    gaps: [],
  };
}

function podLabels(shape: Shape, seat: Seat): Record<string, string> {
  if (shape.kind === 'foreign') return { app: shape.name };
  return {
    app: shape.name,
    name: `${shape.name}-${seat.ordinal}`,
    'kubectl-redis.io/cluster': shape.name,
    'kubectl-redis.io/shard': seat.shard,
  };
}

export function podOf(shape: Shape, seat: Seat): PodFacts {
  return {
    name: seat.pod,
    uid: `uid-${seat.pod}`,
    ip: seat.podIp,
    host: seat.host.name,
    phase: 'Running',
    ready: true,
    terminating: false,
    container: { name: 'redis', image: 'redis:8', state: 'running', reason: null, restarts: 0 },
    port: 6379,
    labels: podLabels(shape, seat),
    annotations: {},
    claims: [`data-${seat.pod}`],
    ephemeralData: false,
    createdAt: '2026-11-22T10:00:00Z',
    owner: shape.kind === 'ours' ? `StatefulSet/${shape.name}-${seat.ordinal}` : `StatefulSet/${shape.name}`,
  };
}

const PORTS = [
  { name: 'tcp-redis', port: 6379 },
  { name: 'tcp-bus', port: 16379 },
];

function clientService(shape: Shape): ServiceFacts {
  return {
    name: shape.name,
    clusterIP: '10.96.255.1',
    selector: { 'kubectl-redis.io/cluster': shape.name },
    labels: { app: shape.name, 'kubectl-redis.io/cluster': shape.name },
    annotations: {
      'kubectl-redis.io/masters': String(shape.masters),
      'kubectl-redis.io/replicas': String(shape.replicas),
    },
    ports: PORTS.slice(0, 1),
    publishNotReadyAddresses: false,
  };
}

export function nodeService(shape: Shape, seat: Seat): ServiceFacts {
  const name = `${shape.name}-${seat.ordinal}`;
  return {
    name,
    clusterIP: clusterIpOf(seat.ordinal),
    selector: { 'kubectl-redis.io/cluster': shape.name, name },
    labels: { app: shape.name, name, 'kubectl-redis.io/cluster': shape.name },
    annotations: {},
    ports: PORTS,
    publishNotReadyAddresses: true,
  };
}

function headlessService(shape: Shape): ServiceFacts {
  return {
    ...clientService(shape),
    clusterIP: 'None',
    selector: { app: shape.name },
    labels: { app: shape.name },
    annotations: {},
  };
}

export function statefulSetOf(shape: Shape, seat: Seat): StatefulSetFacts {
  return {
    name: `${shape.name}-${seat.ordinal}`,
    replicas: 1,
    labels: podLabels(shape, seat),
    annotations: {},
    templateLabels: podLabels(shape, seat),
    templateAnnotations: {},
    image: 'redis:8',
  };
}

function sharedStatefulSet(shape: Shape, replicas: number): StatefulSetFacts {
  const labels = { app: shape.name };
  return {
    name: shape.name,
    replicas,
    labels,
    annotations: {},
    templateLabels: labels,
    templateAnnotations: {},
    image: 'redis:8',
  };
}
