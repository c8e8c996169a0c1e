/** The Kubernetes objects of a cluster whose pods are processes on addresses of this machine, for the stub of the API. */
import type { KubeObject } from '../../pkg/engine/ports.ts';

export interface StubPod {
  readonly ip: string;
  readonly port: number;
}

const NAMESPACE = 'default';
const HOSTS = ['host-1', 'host-2', 'host-3'];
const IMAGE = 'example/redis:7';

/** What the API server adds to every object and nobody here reads: it makes a list as heavy to parse as a real one. */
const MANAGED_FIELDS = [
  {
    manager: 'kubelet',
    operation: 'Update',
    apiVersion: 'v1',
    time: '2026-01-01T00:00:00Z',
    fieldsType: 'FieldsV1',
    fieldsV1: Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`f:field-${i}`, { '.': {}, 'f:type': {} }])),
    subresource: 'status',
  },
];

function metadata(cluster: string, name: string, ordinal: number | null, masters: number): KubeObject['metadata'] {
  const ofNode = ordinal === null ? {} : nodeLabels(cluster, ordinal, masters);
  return {
    name,
    namespace: NAMESPACE,
    uid: `uid-${name}`,
    creationTimestamp: '2026-01-01T00:00:00Z',
    labels: { 'kubectl-redis.io/cluster': cluster, ...ofNode },
    managedFields: MANAGED_FIELDS,
  };
}

function nodeLabels(cluster: string, ordinal: number, masters: number): Record<string, string> {
  const shard = String(((ordinal - 1) % masters) + 1);
  return { app: cluster, name: `${cluster}-${ordinal}`, 'kubectl-redis.io/shard': shard };
}

function containerOf(port: number): Record<string, unknown> {
  return {
    name: 'redis',
    image: IMAGE,
    ports: [{ name: 'tcp-redis', containerPort: port }],
    volumeMounts: [{ name: 'data', mountPath: '/var/lib/redis' }],
  };
}

function podOf(cluster: string, ordinal: number, masters: number, pod: StubPod): KubeObject {
  const name = `${cluster}-${ordinal}`;
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name, uid: `uid-set-${name}`, controller: true };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata(cluster, `${name}-0`, ordinal, masters), ownerReferences: [owner] },
    spec: {
      nodeName: HOSTS[(ordinal - 1) % HOSTS.length],
      containers: [containerOf(pod.port)],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: `data-${name}-0` } }],
    },
    status: {
      phase: 'Running',
      podIP: pod.ip,
      conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({ type, status: 'True' })),
      containerStatuses: [
        {
          name: 'redis',
          image: IMAGE,
          ready: true,
          restartCount: 0,
          state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
        },
      ],
    },
  };
}

function serviceOf(cluster: string, ordinal: number, masters: number, pod: StubPod): KubeObject {
  const name = `${cluster}-${ordinal}`;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(cluster, name, ordinal, masters),
    spec: {
      clusterIP: pod.ip,
      selector: { 'kubectl-redis.io/cluster': cluster, name },
      publishNotReadyAddresses: true,
      ports: [{ name: 'tcp-redis', port: pod.port }],
    },
  };
}

function statefulSetOf(cluster: string, ordinal: number, masters: number, pod: StubPod): KubeObject {
  const name = `${cluster}-${ordinal}`;
  const labels = { 'kubectl-redis.io/cluster': cluster, ...nodeLabels(cluster, ordinal, masters) };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: metadata(cluster, name, ordinal, masters),
    spec: { replicas: 1, template: { metadata: { labels }, spec: { containers: [containerOf(pod.port)] } } },
  };
}

function hostOf(name: string, index: number): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'topology.kubernetes.io/zone': `zone-${index + 1}` }, managedFields: MANAGED_FIELDS },
    spec: {},
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  };
}

/** The objects of cluster `name` in namespace default, as `create` leaves them: pod N of `pods` is node N. */
export function stubCluster(name: string, masters: number, pods: readonly StubPod[]): readonly KubeObject[] {
  const client = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(name, name, null, masters),
    spec: {
      clusterIP: '10.0.0.1',
      selector: { 'kubectl-redis.io/cluster': name },
      ports: [{ name: 'tcp-redis', port: 6379 }],
    },
  };
  const config = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata(name, `${name}-config`, null, masters),
    data: { formed: 'true' },
  };
  const nodes = pods.flatMap((pod, index) =>
    [podOf, serviceOf, statefulSetOf].map((make) => make(name, index + 1, masters, pod)),
  );
  return [...HOSTS.map(hostOf), client, config, ...nodes];
}
