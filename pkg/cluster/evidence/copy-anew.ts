/**
 * What has a replica copy all of its primary that lacks keys although it is in step (lacking-keys). The way must hold where the pod stops
 * in the middle of it.
 *
 * Not by `restart`, which waits for a change of shape that was begun, as that would wait for it. And not by CLUSTER RESET, although that ends
 * its history, too: it forgets whose the slots are, and what is on its disk stays. A server that is started again before it has joined takes
 * the slots of each key that it finds there for its own, may have the higher config epoch of the two by then, and its primary drops the keys of
 * those slots: seen on Redis 7.0 and 8.6 and on Valkey 9, where 380 of 400 keys were nowhere any more.
 */
import type { ClusterNode, ClusterState } from '../model/state.ts';
import { goesWithPod } from './persistence.ts';

/** What is to be done, in one sentence without its full stop. */
export function copyAnew(
  { cluster, nodes, origin }: Pick<ClusterState, 'cluster' | 'nodes' | 'origin'>,
  pod: string,
): string {
  const node = nodes.find((one) => one.pod?.name === pod) ?? null;
  const how = wayOf(node, pod, `kubectl -n ${cluster.namespace}`);
  const again = origin === 'ours' || how.keeps ? '' : `; kubectl redis fix ${cluster.name} then gives it its place`;
  return `${firstOf(node)}${how.sentence}${again}; what was written to it alone goes`;
}

interface Way {
  readonly sentence: string;
  /** Whether it stays the node that it is. */
  readonly keeps: boolean;
}

/**
 * A server that starts with its log goes on with nobody's history, and one without data has none. With a snapshot alone it goes on where it
 * was, and copies nothing.
 */
function wayOf(node: ClusterNode | null, pod: string, kubectl: string): Way {
  const anew = `${kubectl} delete pod ${pod}`;
  const empty = node?.pod != null && goesWithPod(node.pod);
  if (empty || aofOf(node) !== false) return { sentence: `${anew} has it copy its primary anew`, keeps: !empty };
  const claim = node === null ? null : claimOf(node);
  const why = 'it keeps no append-only file, and with its snapshot it would go on as it is';
  const sentence =
    claim === null
      ? `${pod} needs an empty volume, and copies its primary anew then (${why})`
      : `${kubectl} delete pvc ${claim} --wait=false, then ${anew}, have it start with an empty volume and copy its primary anew (${why})`;
  return { sentence, keeps: false };
}

/** What made it so, where it still would: a copy that is made before does not last. */
function firstOf(node: ClusterNode | null): string {
  const config = (node?.reply?.kind === 'answered' ? node.reply.answer.config : null) ?? {};
  const maxmemory = config['maxmemory'] ?? '0';
  const causes = [
    ...(config['replica-read-only'] === 'no' ? ['replica-read-only'] : []),
    ...(config['replica-ignore-maxmemory'] === 'no' && maxmemory !== '0' ? ['replica-ignore-maxmemory'] : []),
  ];
  const them = causes.length === 1 ? 'it' : 'them';
  return causes.length === 0
    ? ''
    : `It has ${causes.map((name) => `${name} no`).join(' and ')}, and would lack keys again: set ${them} to yes first, also in its configuration. Then `;
}

function aofOf(node: ClusterNode | null): boolean | null {
  return node?.reply?.kind === 'answered' ? node.reply.answer.info.aofEnabled : null;
}

/** One that its StatefulSet makes anew. */
export function claimOf({ pod }: ClusterNode): string | null {
  if (pod === null || pod.owner?.startsWith('StatefulSet/') !== true) return null;
  const made = pod.claims.filter((claim) => claim.endsWith(`-${pod.name}`));
  return pod.claims.length === 1 ? (made[0] ?? null) : null;
}
