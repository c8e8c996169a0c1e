/** Pods that people brought, with a record of the nodes as the webhook and `create` leave it. */
import type { Observation } from '../../../../pkg/cluster/model/observation.ts';
import { changeKube, changeLines, changePod, changed, type Change } from '../../../support/observation-changes.ts';
import { every, podGone } from '../../../support/observation-faults.ts';
import { healthyObservation, nodeIdOf } from '../../../support/observation.ts';

/**
 * Six Deployments, each with a claim; each node has a Service and announces its address.
 * @param options.shape people wrote the shape on Service NAME, so that it is taken for one of ours
 */
export function deployed({ shape = false }: { readonly shape?: boolean } = {}): Observation {
  const ours = healthyObservation();
  const lines = ours.kube.services.filter(({ name }) => name !== 'redis');
  return changed(
    ours,
    every((pod) =>
      changePod(pod, (facts) => ({
        ...facts,
        owner: `ReplicaSet/${facts.labels['name'] ?? ''}-5d9c7b`,
        annotations: { 'kubectl-redis.io/injected': 'webhook' },
      })),
    ),
    changeKube((kube) => ({
      ...kube,
      services: kube.services.map((service) => (shape ? service : { ...service, annotations: {} })),
      statefulSets: [],
      config: {},
      state: {
        formed: 'true',
        nodes: lines.map(({ name, clusterIP }) => `${name.slice(6)} ${name} ${clusterIP} -\n`).join(''),
      },
    })),
  );
}

/** A StatefulSet of six, scaled down to five after the cluster was formed; the last node had announced a Service. */
export function scaledDown(): Observation {
  const foreign = healthyObservation({ kind: 'foreign' });
  const service = {
    name: 'redis-5',
    clusterIP: '10.0.0.5',
    selector: { name: 'redis-5' },
    labels: {},
    annotations: {},
  };
  return changed(
    foreign,
    podGone('redis-5'),
    changeLines((line) => (line.nodeId === nodeIdOf(6) ? { ...line, ip: '10.0.0.5' } : line)),
    changeKube((kube) => ({
      ...kube,
      services: [...kube.services, { ...service, ports: [], publishNotReadyAddresses: true }],
      statefulSets: kube.statefulSets.map((set) => ({ ...set, replicas: 5 })),
      config: {},
      state: { formed: 'true', nodes: [0, 1, 2, 3, 4, 5].map((n) => `${n} redis-${n} - -\n`).join('') },
    })),
  );
}

/** Its Service went, and its pod has no address yet: nothing ties it to an id. */
export function withoutAddress(pod: string): Change {
  return (observation) =>
    changed(
      observation,
      changePod(pod, (facts) => ({ ...facts, ip: '' })),
      changeKube((kube) => ({ ...kube, services: kube.services.filter(({ name }) => `${name}-0` !== pod) })),
    );
}
