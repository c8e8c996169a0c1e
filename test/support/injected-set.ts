/** A StatefulSet of people whose pods the webhook completed, of a cluster that was formed with six of them. */
import type { Observation } from '../../pkg/cluster/model/observation.ts';
import { changeKube, changeLines, changed } from './observation-changes.ts';
import { healthyObservation, nodeIdOf } from './observation.ts';

const OURS = { 'app.kubernetes.io/managed-by': 'kubectl-redis', 'kubectl-redis.io/cluster': 'redis' };

/** Pods redis-0 … redis-5, each announced at its Service; redis-6 has a line and a Service of the webhook, and no pod. */
export function injectedSet(seventh: string | null = '6 redis-6 10.96.0.6 -'): Observation {
  const observation = healthyObservation({ kind: 'foreign' });
  const numbers = [0, 1, 2, 3, 4, 5];
  return changed(
    observation,
    changeLines((line) => ({ ...line, ip: `10.96.0.${numbers.find((n) => nodeIdOf(n + 1) === line.nodeId)}` })),
    changeKube((kube) => ({
      ...kube,
      pods: kube.pods.map((pod) => ({
        ...pod,
        owner: 'StatefulSet/redis',
        labels: { ...pod.labels, name: pod.name },
        annotations: { 'kubectl-redis.io/injected': 'webhook' },
      })),
      services: [...numbers, ...(seventh === null ? [] : [6])].map((n) => ({
        name: `redis-${n}`,
        uid: `uid-${n}`,
        clusterIP: `10.96.0.${n}`,
        selector: { name: `redis-${n}` },
        labels: OURS,
        annotations: {},
        ports: [6379, 16379].map((port) => ({ name: `tcp-${port}`, port })),
        publishNotReadyAddresses: true,
      })),
      config: {},
      state: {
        formed: 'true',
        nodes: [...numbers.map((n) => `${n} redis-${n} 10.96.0.${n} ${(n % 3) + 1}`), seventh ?? ''].join('\n'),
      },
    })),
  );
}
