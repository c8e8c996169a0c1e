/** Pods that use one claim: of two processes on one volume the second waits for ever, or both write to one log. Pure. */
import type { PodFacts } from '../model/observation.ts';
import type { ClusterState } from '../model/state.ts';
import { readGuard } from '../wire/guard.ts';

export interface SharedClaim {
  readonly claim: string;
  readonly pods: readonly PodFacts[];
  /** Those of them that nothing would make again, while something makes the others: somebody copied a pod by hand. Empty = not known. */
  readonly copies: readonly PodFacts[];
}

/**
 * Only where it can't be meant: a pod by hand beside one of a controller, or one that waits for another process. Nodes that keep directories
 * of their own on one volume share it on purpose, and the pod before a new one is on its way out.
 */
export function sharedClaims({ nodes }: Pick<ClusterState, 'nodes'>): SharedClaim[] {
  const users = new Map<string, PodFacts[]>();
  for (const { pod } of nodes) {
    if (pod === null || pod.terminating) continue;
    for (const claim of pod.claims) users.set(claim, [...(users.get(claim) ?? []), pod]);
  }
  const waits = new Set(
    nodes.flatMap(({ pod, unreachable }) => (readGuard(unreachable)?.waitsFor === 'process' ? [pod?.name] : [])),
  );
  return [...users].flatMap(([claim, pods]): SharedClaim[] => {
    if (pods.length < 2) return [];
    const bare = pods.filter(({ owner }) => owner === null);
    const copies = bare.length < pods.length ? bare : [];
    return copies.length > 0 || pods.some(({ name }) => waits.has(name)) ? [{ claim, pods, copies }] : [];
  });
}
