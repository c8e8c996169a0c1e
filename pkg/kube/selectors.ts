/** Label selectors as text for a query (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/). Pure. */
import type { RawMeta, RawSelector, StringMap } from './api-json.ts';

/** Every pod of ours has it; its value is the cluster's name. */
export const CLUSTER_LABEL = 'kubectl-redis.io/cluster';

/**
 * Whether a pod, or the template that pods are made from, says itself that it is of another cluster: by our label, or by the annotation with
 * which a pod asks to be completed. Whatever else ties it to a name, it is not of that cluster: a workload may have been given to another.
 */
export function isOfAnother(meta: RawMeta | undefined, cluster: string): boolean {
  const said = meta?.labels?.[CLUSTER_LABEL] ?? meta?.annotations?.[CLUSTER_LABEL];
  return said !== undefined && said !== cluster;
}

/** null for a selector without terms, which would take in everything. */
export function labelsText(labels: StringMap | undefined): string | null {
  const terms = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return terms.length === 0 ? null : terms.join(',');
}

/** matchLabels and matchExpressions together; null when there are none. */
export function selectorText(selector: RawSelector | undefined): string | null {
  const expressions = (selector?.matchExpressions ?? []).map(({ key = '', operator, values = [] }) => {
    switch (operator) {
      case 'In':
        return `${key} in (${values.join(',')})`;
      case 'NotIn':
        return `${key} notin (${values.join(',')})`;
      case 'DoesNotExist':
        return `!${key}`;
      default:
        return key;
    }
  });
  const terms = [labelsText(selector?.matchLabels) ?? [], expressions].flat();
  return terms.length === 0 ? null : terms.join(',');
}
