/**
 * Keys that a copy lacks although it has heard as much as others. An offset says how much of its primary's writes a replica was told, and
 * nothing of what became of them there: FLUSHALL on a replica that takes writes (replica-read-only no), or keys that it evicted by itself
 * (replica-ignore-maxmemory no), leave link and offset as they are. At one offset of one history all copies have as many keys: replicas
 * count a key until they are told that it expired.
 */
import type { ServerInfo } from '../model/observation.ts';
import type { ClusterState } from '../model/state.ts';

/** Nodes are not asked in the same instant. What makes or removes a key takes at least this much of what a primary tells (`$1\r\nk\r\n`). */
const BYTES_OF_A_KEY = 7;

/** @returns at least so many; 0 = none that anybody knows of */
export function keysLacking(copy: ServerInfo, holders: readonly ServerInfo[]): number {
  if (copy.syncInProgress) return 0;
  return Math.max(0, ...holders.map((holder) => fewerThan(copy, holder)));
}

function fewerThan(copy: ServerInfo, holder: ServerInfo): number {
  const { replicationId, keysAtOffset: has } = copy;
  const all = holder.keysAtOffset;
  if (replicationId === undefined || holder.replicationId !== replicationId || has === undefined || all === undefined)
    return 0;
  const between = Math.abs(holder.replicationOffset - copy.replicationOffset) / BYTES_OF_A_KEY;
  return Math.max(0, Math.floor(all - has - between));
}

/** What has a replica copy all of its primary: a server that starts with its log goes on with nobody's history. */
export function copyAnew({ cluster, origin }: Pick<ClusterState, 'cluster' | 'origin'>, pod: string): string {
  const restart =
    origin === 'ours'
      ? `kubectl redis restart ${cluster.name} --pod ${pod}`
      : `kubectl -n ${cluster.namespace} delete pod ${pod}`;
  return `${restart} has it copy its primary anew; what was written to it alone goes`;
}
