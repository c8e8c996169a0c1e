/** PodDisruptionBudget of one shard. */
import { CLUSTER_LABEL, SHARD_LABEL } from '../cluster/model/labels.ts';
import type { ClusterRef } from '../cluster/model/observation.ts';
import type { ClusterSpec } from '../cluster/model/spec.ts';
import { clusterLabels, NOT_PRUNED } from './labels.ts';
import type { Manifest } from './manifest.ts';
import { budgetName } from './names.ts';

/**
 * A host drains at once and a shard never loses two. One a shard, and never two over one pod: with those an eviction is an
 * error, and one over the whole cluster deadlocks a drain when an evicted pod can't be placed.
 */
export function budget(spec: ClusterSpec, shard: string): Manifest {
  return budgetOf(spec.cluster, shard, { maxUnavailable: 1 });
}

/**
 * The same for pods that people brought. As a number of pods that must stay: `maxUnavailable` counts the replicas of the pods'
 * controller, which is all nodes where one StatefulSet has them all, and nothing could ever be evicted.
 */
export function broughtBudget(cluster: ClusterRef, shard: string, members: number): Manifest {
  return budgetOf(cluster, shard, { minAvailable: members - 1 });
}

function budgetOf({ name, namespace }: ClusterRef, shard: string, limit: object): Manifest {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: {
      name: budgetName(name, shard),
      namespace,
      labels: { ...clusterLabels(name, 'budget'), [SHARD_LABEL]: shard },
      annotations: NOT_PRUNED,
    },
    spec: { ...limit, selector: { matchLabels: { [CLUSTER_LABEL]: name, [SHARD_LABEL]: shard } } },
  };
}
