/** Observations with every object as our verbs make them: recorded spec, table of addresses, templates. */
import {
  ANNOUNCE_ANNOTATION,
  CONFIG_DIGEST_KEY,
  NODES_KEY,
  SPEC_ANNOTATION,
  SPEC_HASH_ANNOTATION,
  SPEC_HASH_KEY,
  SPEC_KEY,
} from '../../pkg/cluster/model/labels.ts';
import type { Observation, PodFacts, ServiceFacts, StatefulSetFacts } from '../../pkg/cluster/model/observation.ts';
import { nodeName, ordinalsOf, shardOf, specHash, type ClusterSpec } from '../../pkg/cluster/model/spec.ts';

const DIGEST = 'as-made';

/** The observation with every object as `create` would have made it from the spec. */
export function asMade(observation: Observation, spec: ClusterSpec): Observation {
  const { kube } = observation;
  const hash = specHash(spec);
  const services = kube.services.map((service): ServiceFacts => {
    if (service.name !== spec.cluster.name) return service;
    const recorded = {
      [SPEC_ANNOTATION]: JSON.stringify(spec),
      'kubectl-redis.io/masters': String(spec.masters),
      'kubectl-redis.io/replicas': String(spec.replicas),
    };
    return { ...service, annotations: { ...service.annotations, ...recorded } };
  });
  const addressOf = (node: string): string => services.find((service) => service.name === node)?.clusterIP ?? '';
  const annotations = (node: string): Record<string, string> => ({
    [ANNOUNCE_ANNOTATION]: addressOf(node),
    [SPEC_HASH_ANNOTATION]: hash,
  });
  const nodes = ordinalsOf(spec).map((n) => {
    const node = nodeName(spec.cluster.name, n);
    return `${n} ${node} ${addressOf(node)} ${shardOf(spec, n)}`;
  });
  const config = { ...kube.config, [SPEC_HASH_KEY]: hash };
  const rendered = { [SPEC_KEY]: JSON.stringify(spec), [CONFIG_DIGEST_KEY]: DIGEST };
  const state = { ...kube.state, [NODES_KEY]: nodes.join('\n'), ...rendered };
  const configFacts = { digest: DIGEST, writer: null };
  const statefulSets = kube.statefulSets.map((set): StatefulSetFacts => ({
    ...set,
    templateLabels: { ...set.templateLabels, 'app.kubernetes.io/managed-by': 'kubectl-redis' },
    templateAnnotations: annotations(set.name),
    image: spec.image,
    readsState: true,
  }));
  const pods = kube.pods.map((pod): PodFacts => ({
    ...pod,
    owner: `StatefulSet/${pod.name.slice(0, -2)}`,
    annotations: annotations(pod.name.slice(0, -2)),
    readsState: true,
  }));
  return { ...observation, kube: { ...kube, services, config, configFacts, state, statefulSets, pods } };
}
