/** PodDisruptionBudget of one shard. */
import { CLUSTER_LABEL, SHARD_LABEL } from '../cluster/model/labels.ts';
import type { ClusterSpec } from '../cluster/model/spec.ts';
import { clusterLabels } from './labels.ts';
import type { Manifest } from './manifest.ts';
import { budgetName } from './names.ts';

/**
 * A host drains at once and a shard never loses two. One a shard, and never two over one pod: with those an eviction is an
 * error, and one over the whole cluster deadlocks a drain when an evicted pod can't be placed.
 */
export function budget(spec: ClusterSpec, shard: string): Manifest {
  const { name, namespace } = spec.cluster;
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: {
      name: budgetName(name, shard),
      namespace,
      labels: { ...clusterLabels(name, 'budget'), [SHARD_LABEL]: shard },
    },
    spec: { maxUnavailable: 1, selector: { matchLabels: { [CLUSTER_LABEL]: name, [SHARD_LABEL]: shard } } },
  };
}
