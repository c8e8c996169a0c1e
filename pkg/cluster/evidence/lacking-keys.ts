/**
 * Keys that a copy lacks although it has heard as much as others. An offset says how much of its primary's writes a replica was told, and
 * nothing of what became of them there: FLUSHALL on a replica that takes writes (replica-read-only no), or keys that it evicted by itself
 * (replica-ignore-maxmemory no), leave link and offset as they are. At one offset of one history all copies have as many keys: replicas
 * count a key until they are told that it expired.
 */
import type { ServerInfo } from '../model/observation.ts';
import type { ClusterNode, ClusterState } from '../model/state.ts';

/** Nodes are not asked in the same instant. What makes or removes a key takes at least this much of what a primary tells (`$1\r\nk\r\n`). */
const BYTES_OF_A_KEY = 7;
/** What removes any number of keys takes at least this much (`*1\r\n$7\r\nFLUSHDB\r\n`); a PING, by which replicas differ often, less. */
const BYTES_OF_A_FLUSH = 17;

/** @returns at least so many; 0 = none that anybody knows of */
export function keysLacking(copy: ServerInfo, holders: readonly ServerInfo[]): number {
  if (copy.syncInProgress) return 0;
  // Its primary says how many there are. Where that is silent, nobody tells whether all were told to flush since, and a person decides.
  const isLed = [copy, ...holders].some((one) => one.role === 'primary' && one.replicationId === copy.replicationId);
  return Math.max(0, ...holders.map((holder) => fewerThan(copy, holder, isLed)));
}

/** @param isLed who lost its link before may hold what all others were told to flush since, by a primary that can be asked */
function fewerThan(copy: ServerInfo, holder: ServerInfo, isLed: boolean): number {
  const stale = holder.role === 'replica' && holder.primaryLinkUp !== true;
  if (stale && isLed && copy.replicationOffset - holder.replicationOffset >= BYTES_OF_A_FLUSH) return 0;
  const { replicationId, keysAtOffset: has } = copy;
  const all = holder.keysAtOffset;
  if (replicationId === undefined || holder.replicationId !== replicationId || has === undefined || all === undefined)
    return 0;
  const between = Math.abs(holder.replicationOffset - copy.replicationOffset) / BYTES_OF_A_KEY;
  return Math.max(0, Math.floor(all - has - between));
}

/**
 * A primary that has fewer keys than a replica of it which has heard no more: it was emptied as a replica, and leads since. Nobody takes over from
 * one without slots, so that is none.
 */
export interface IncompletePrimary {
  readonly primary: ClusterNode;
  /** The replica that has most. */
  readonly holder: ClusterNode;
  readonly lacks: number;
}

/** Its keys are gone when its replicas copy it anew: what these have comes first. */
export function incompletePrimaries({ nodes }: Pick<ClusterState, 'nodes'>): IncompletePrimary[] {
  return nodes.flatMap((primary): IncompletePrimary[] => {
    const info = infoOf(primary);
    if (primary.role !== 'primary' || primary.slots.length === 0 || info === null) return [];
    const holders = nodes.flatMap((node) => {
      const own = node.primaryId === primary.nodeId && node.role === 'replica' ? infoOf(node) : null;
      const lacks = own === null || own.syncInProgress ? 0 : keysLacking(info, [own]);
      return lacks > 0 ? [{ primary, holder: node, lacks }] : [];
    });
    return holders.toSorted((a, b) => b.lacks - a.lacks).slice(0, 1);
  });
}

function infoOf({ reply }: ClusterNode): ServerInfo | null {
  return reply?.kind === 'answered' ? reply.answer.info : null;
}
