/** `kubectl redis failover`, as it is to be typed: it is given a pod, and must find the cluster of it. */
import { CLUSTER_LABEL } from './labels.ts';
import { nameOfNode } from './list-names.ts';
import type { ClusterRef } from './observation.ts';
import type { ClusterNode } from './state.ts';

/** The verb finds a cluster by the label of the pod. Pods of others have none, and may be in no list of clusters: theirs is named. */
export function failoverCommand({ name }: ClusterRef, node: ClusterNode): string {
  const flag = node.pod?.labels[CLUSTER_LABEL] === name ? '' : ` --cluster ${name}`;
  return `kubectl redis failover ${nameOfNode(node)}${flag}`;
}
