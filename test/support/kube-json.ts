/** API objects as a server sends them, cut to what a reader may look at, for tests of pkg/kube. */
import type { RawEvent, RawPod } from '../../pkg/kube/api-json.ts';

/** A running, ready pod of a StatefulSet; `over` replaces top-level parts of metadata, spec and status. */
export function rawPod(
  over: { metadata?: RawPod['metadata']; spec?: RawPod['spec']; status?: RawPod['status'] } = {},
): RawPod {
  return {
    metadata: {
      name: 'redis-1-0',
      namespace: 'db',
      uid: 'c1d7a9b2-0000-4000-8000-000000000001',
      creationTimestamp: '2026-01-02T03:04:05Z',
      labels: { app: 'redis', 'kubectl-redis.io/cluster': 'redis' },
      ownerReferences: [{ kind: 'StatefulSet', name: 'redis-1', controller: true }],
      ...over.metadata,
    },
    spec: {
      nodeName: 'node2',
      containers: [
        {
          name: 'redis',
          image: 'redis:7.2',
          ports: [
            { name: 'tcp-redis', containerPort: 6379 },
            { name: 'tcp-bus', containerPort: 16379 },
          ],
          volumeMounts: [{ name: 'data', mountPath: '/var/lib/redis' }],
        },
      ],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-redis-1-0' } }],
      ...over.spec,
    },
    status: {
      phase: 'Running',
      podIP: '10.244.2.7',
      conditions: [
        { type: 'PodScheduled', status: 'True' },
        { type: 'Ready', status: 'True' },
      ],
      containerStatuses: [
        { name: 'redis', restartCount: 0, state: { running: { startedAt: '2026-01-02T03:04:07Z' } } },
      ],
      ...over.status,
    },
  };
}

/** A pod that no host took. */
export function rawPendingPod(message: string): RawPod {
  const pod = rawPod({
    status: {
      phase: 'Pending',
      podIP: '',
      containerStatuses: [],
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }],
    },
  });
  const { nodeName: _, ...spec } = pod.spec ?? {};
  return { ...pod, spec };
}

/** A pod that has a host and whose container waits. */
export function rawWaitingPod(
  reason: string,
  message: string,
  more: { restartCount?: number; exitCode?: number; ended?: string } = {},
): RawPod {
  const lastState =
    more.exitCode === undefined
      ? {}
      : { lastState: { terminated: { exitCode: more.exitCode, reason: more.ended ?? 'Error' } } };
  return rawPod({
    status: {
      phase: more.restartCount === undefined ? 'Pending' : 'Running',
      conditions: [
        { type: 'PodScheduled', status: 'True' },
        { type: 'Ready', status: 'False' },
      ],
      containerStatuses: [
        { name: 'redis', restartCount: more.restartCount ?? 0, state: { waiting: { reason, message } }, ...lastState },
      ],
    },
  });
}

export function rawEvent(
  kind: string,
  name: string,
  reason: string,
  message: string,
  lastTimestamp = '2026-01-02T03:05:00Z',
): RawEvent {
  return { type: 'Warning', reason, message, involvedObject: { kind, name }, lastTimestamp };
}
