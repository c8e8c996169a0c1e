/** NetworkPolicy NAME-bus: only the cluster's own pods reach the bus port. */
import { CLUSTER_LABEL } from '../cluster/model/labels.ts';
import type { ClusterSpec } from '../cluster/model/spec.ts';
import { clusterLabels, NOT_PRUNED } from './labels.ts';
import type { Manifest } from './manifest.ts';
import { busPolicyName } from './names.ts';
import { BUS_PORT, REDIS_PORT } from '../cluster/model/node-ports.ts';

/**
 * The bus knows no password: whoever reaches it can join, and one MEET from a stranger can take a cluster's data. The client
 * port stays open to all; any other port of the pods is closed, because a pod that a policy selects takes only what is listed.
 */
export function busPolicy(spec: ClusterSpec): Manifest {
  const { name, namespace } = spec.cluster;
  const pods = { podSelector: { matchLabels: { [CLUSTER_LABEL]: name } } };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: {
      name: busPolicyName(name),
      namespace,
      labels: clusterLabels(name, 'bus'),
      annotations: NOT_PRUNED,
    },
    spec: {
      ...pods,
      policyTypes: ['Ingress'],
      ingress: [
        { ports: [{ protocol: 'TCP', port: REDIS_PORT }] },
        { from: [pods], ports: [{ protocol: 'TCP', port: BUS_PORT }] },
      ],
    },
  };
}
