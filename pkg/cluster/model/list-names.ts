/** Nodes and pods in sentences. Pure. */
import type { ClusterNode } from './state.ts';

/** Names in a sentence: `a`, `a and b`, `a, b and c`, `a, b, c, d and 7 more`. */
export function listNames(names: readonly string[], most = 5): string {
  const shown = names.length <= most ? names : [...names.slice(0, most - 1), `${names.length - most + 1} more`];
  return shown.length < 2 ? (shown[0] ?? '') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1) ?? ''}`;
}

/** Its pod, or the first digits of its id. */
export function nameOfNode({ pod, nodeId }: Pick<ClusterNode, 'pod' | 'nodeId'>): string {
  return pod?.name ?? nodeId?.slice(0, 8) ?? '?';
}
