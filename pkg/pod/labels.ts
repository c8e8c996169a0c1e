/** Label sets and selectors; annotations.ts says what each key means. */
import { CLUSTER_LABEL, MANAGED_BY, MANAGED_BY_LABEL, SHARD_LABEL } from '../cluster/model/labels.ts';
import { nodeName, shardOf, type ClusterSpec } from '../cluster/model/spec.ts';
import { APP_LABEL, NAME_LABEL } from './annotations.ts';

/** Labels of an object of the cluster that is no node: `component` is `client`, `config`, `state`, `budget`, `bus` or `auth`. */
export function clusterLabels(cluster: string, component: string): Record<string, string> {
  return {
    [APP_LABEL]: cluster,
    [CLUSTER_LABEL]: cluster,
    'app.kubernetes.io/name': 'redis',
    'app.kubernetes.io/instance': cluster,
    'app.kubernetes.io/component': component,
    [MANAGED_BY_LABEL]: MANAGED_BY,
    'app.kubernetes.io/part-of': cluster,
  };
}

/**
 * On every object that we make: Argo CD counts whatever carries its application's name in `app.kubernetes.io/instance` as its own, and
 * would delete what is not in Git, as nodes that `scale` added are not. Elsewhere it says nothing.
 */
export const NOT_PRUNED: Readonly<Record<string, string>> = { 'argocd.argoproj.io/sync-options': 'Prune=false' };

/** Labels of NAME-state: without `instance`, so that no tool that goes by it takes the object for one of its own. */
export function stateLabels(cluster: string): Record<string, string> {
  const { 'app.kubernetes.io/instance': _, ...labels } = clusterLabels(cluster, 'state');
  return labels;
}

/** Labels of node N's Service, StatefulSet, pod and claim. The shard is left out where it may change under the object. */
export function nodeLabels(cluster: string, ordinal: number, shard?: string): Record<string, string> {
  const labels = { ...clusterLabels(cluster, 'node'), [NAME_LABEL]: nodeName(cluster, ordinal) };
  return shard === undefined ? labels : { ...labels, [SHARD_LABEL]: shard };
}

/** Selects node N's pod, and nothing of a neighbour's. */
export function nodeSelector(cluster: string, ordinal: number): Record<string, string> {
  return { [CLUSTER_LABEL]: cluster, [NAME_LABEL]: nodeName(cluster, ordinal) };
}

/** Labels of node N's pod when the cluster is made. */
export function podLabels(spec: ClusterSpec, ordinal: number): Record<string, string> {
  return nodeLabels(spec.cluster.name, ordinal, shardOf(spec, ordinal));
}
