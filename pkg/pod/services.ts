/** Services: one for clients, and one for each node, which is the node's address for ever. */
import { nodeName, type ClusterSpec } from '../cluster/model/spec.ts';
import type { ClusterRef } from '../cluster/model/observation.ts';
import { CLUSTER_LABEL } from '../cluster/model/labels.ts';
import { BUS_PORT, REDIS_PORT, SECOND_BUS_PORT } from '../cluster/model/node-ports.ts';
import { specAnnotations } from './annotations.ts';
import { clusterLabels, NOT_PRUNED, nodeLabels, nodeSelector } from './labels.ts';
import type { Manifest } from './manifest.ts';

const redisPort = { name: 'tcp-redis', protocol: 'TCP', port: REDIS_PORT, targetPort: REDIS_PORT };
const secondBusPort = { name: 'tcp-bus-again', protocol: 'TCP', port: SECOND_BUS_PORT, targetPort: BUS_PORT };
const busPort = { name: 'tcp-bus', protocol: 'TCP', port: BUS_PORT, targetPort: BUS_PORT };

/** Service NAME: ready pods only; its annotations are a copy of what is recorded, for people. */
export function clientService(spec: ClusterSpec): Manifest {
  const service = broughtClientService(spec.cluster);
  return { ...service, metadata: { ...service.metadata, annotations: { ...NOT_PRUNED, ...specAnnotations(spec) } } };
}

/** The same for pods that people brought: it records nothing, because their shape is not ours to change. */
export function broughtClientService({ name, namespace }: ClusterRef): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, labels: clusterLabels(name, 'client'), annotations: NOT_PRUNED },
    spec: {
      type: 'ClusterIP',
      selector: { [CLUSTER_LABEL]: name },
      ports: [redisPort],
      publishNotReadyAddresses: false,
      sessionAffinity: 'None',
    },
  };
}

/**
 * Service NAME-N, whose second bus port leads to the same port of the pod. It publishes a pod that is not ready, because a node has to be met and to resync before it can be; one
 * address family, because a node announces one address; and no rule that prefers near endpoints: there is only one.
 */
export function nodeService(spec: ClusterSpec, ordinal: number): Manifest {
  const { name, namespace } = spec.cluster;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: nodeName(name, ordinal),
      namespace,
      labels: nodeLabels(name, ordinal),
      annotations: NOT_PRUNED,
    },
    spec: {
      type: 'ClusterIP',
      selector: nodeSelector(name, ordinal),
      ports: [redisPort, busPort, secondBusPort],
      publishNotReadyAddresses: true,
      ipFamilyPolicy: 'SingleStack',
      internalTrafficPolicy: 'Cluster',
      sessionAffinity: 'None',
    },
  };
}
