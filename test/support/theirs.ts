/** Pods that people made and that were injected. */
import type { NodeReply, Observation, ServiceFacts } from '../../pkg/cluster/model/observation.ts';
import { healthyObservation } from './observation.ts';

/**
 * Seven pods of a StatefulSet that people made and that was injected, of a cluster that was formed with six of them.
 * @param serviceOf what Service redis-N is; null: as it must be
 */
export function theirs(
  serviceOf: (n: number) => { readonly at: string; readonly ports?: ServiceFacts['ports'] } | null,
): Observation {
  const observation = healthyObservation({ kind: 'foreign', masters: 6, replicas: 0 });
  const { kube } = observation;
  const seventh = kube.pods.slice(0, 1).map((pod) => ({ ...pod, name: 'redis-6', uid: 'uid-redis-6', ip: '10.1.2.3' }));
  const pods = [...kube.pods, ...seventh].map((pod, n) => ({
    ...pod,
    owner: 'StatefulSet/redis',
    labels: { ...pod.labels, 'statefulset.kubernetes.io/pod-name': `redis-${n}` },
    annotations: { ...pod.annotations, 'kubectl-redis.io/injected': 'offline' },
  }));
  const services = pods.flatMap(({ name }, n): ServiceFacts[] => {
    const { at, ports = [6379, 16379].map((port) => ({ name: `tcp-${port}`, port })) } = serviceOf(n) ?? {
      at: `10.0.0.${n}`,
    };
    const selector = { 'statefulset.kubernetes.io/pod-name': name };
    const service = { name, clusterIP: at, selector, labels: {}, annotations: {}, ports };
    return at === '-' ? [] : [{ ...service, publishNotReadyAddresses: true }];
  });
  const nodes = pods.slice(0, 6).map(({ name }, n) => `${n} ${name} 10.0.0.${n} -`);
  const state = { formed: 'true', nodes: nodes.join('\n') };
  const waits: NodeReply = { kind: 'unreachable', why: 'refused', detail: 'connection refused' };
  const replies = [...observation.replies, { pod: 'redis-6', reply: waits }];
  return { ...observation, replies, kube: { ...kube, pods, services, config: {}, state } };
}
