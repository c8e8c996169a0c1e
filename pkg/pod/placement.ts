/** Where a node's pod may run: shards over hosts, and over zones where hosts have one. */
import { CLUSTER_LABEL, SHARD_LABEL } from '../cluster/model/labels.ts';
import type { AntiAffinity } from '../cluster/model/plan.ts';

const HOST = 'kubernetes.io/hostname';
const ZONE = 'topology.kubernetes.io/zone';
const SHARD_WEIGHT = 100;
const CLUSTER_WEIGHT = 50;

/**
 * The scheduling part of a pod's spec.
 *
 * - hard: two nodes of a shard never share a host; soft: where it can be avoided; off: no rule at all.
 * - In hard and soft, nodes of other shards are kept apart too where possible, and a shard's nodes are spread over zones.
 * - Without a shard all nodes of the cluster are kept apart and spread where it can be done.
 */
export function placement(cluster: string, shard: string | null, antiAffinity: AntiAffinity): Record<string, unknown> {
  if (antiAffinity === 'off') return {};
  const clusterTerm = { topologyKey: HOST, labelSelector: { matchLabels: { [CLUSTER_LABEL]: cluster } } };
  const nearCluster = { weight: CLUSTER_WEIGHT, podAffinityTerm: clusterTerm };
  if (shard === null) return rules({ preferredDuringSchedulingIgnoredDuringExecution: [nearCluster] }, clusterTerm);
  const shardTerm = {
    topologyKey: HOST,
    labelSelector: { matchLabels: { [CLUSTER_LABEL]: cluster, [SHARD_LABEL]: shard } },
  };
  const nearShard = { weight: SHARD_WEIGHT, podAffinityTerm: shardTerm };
  const podAntiAffinity =
    antiAffinity === 'hard'
      ? {
          requiredDuringSchedulingIgnoredDuringExecution: [shardTerm],
          preferredDuringSchedulingIgnoredDuringExecution: [nearCluster],
        }
      : { preferredDuringSchedulingIgnoredDuringExecution: [nearShard, nearCluster] };
  return rules(podAntiAffinity, shardTerm);
}

function rules(
  podAntiAffinity: object,
  { labelSelector }: { readonly labelSelector: object },
): Record<string, unknown> {
  return {
    affinity: { podAntiAffinity },
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: ZONE, whenUnsatisfiable: 'ScheduleAnyway', labelSelector }],
  };
}
