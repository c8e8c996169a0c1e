/**
 * How a pod that does not run comes back, where its last words say what is wrong. A volume that can't be read is given up only where
 * another node holds all of the data: never the last copy.
 */
import { claimOf } from '../evidence/copy-anew.ts';
import type { TroubleFacts } from '../model/reasons.ts';
import type { ClusterNode } from '../model/state.ts';
import type { CheckContext } from './context.ts';
import { growVolume, volumeTrouble } from './grow-volume.ts';
import { goBackTo, runningImage } from './images.ts';

const UNREADABLE =
  /bad file format|unexpected end of file|short read|wrong signature|internal error in rdb|corrupt|error reading the (append|rdb)|invalid aof manifest|unrecoverable error|fatal error loading the db|rdb file reading failure/i;
const NEWER_DATA = /can't handle rdb format version/i;

/** null where nothing better is known than to look at the pod. */
export function wayBack(context: CheckContext, node: ClusterNode): string | null {
  const trouble = node.pod === null ? undefined : context.troubleOf(node.pod.name);
  if (node.pod === null || trouble === undefined) return null;
  const said = (pattern: RegExp): boolean => [trouble.sentence, ...trouble.evidence].some((line) => pattern.test(line));
  if (trouble.code === 'image' || said(NEWER_DATA)) return backToImage(context, node, trouble);
  if (volumeTrouble([trouble.sentence, ...trouble.evidence]) !== null) return growVolume(context, node);
  return said(UNREADABLE) ? withoutVolume(context, node) : null;
}

/** Another image than the others run: the way back is theirs. */
function backToImage(context: CheckContext, node: ClusterNode, { code }: TroubleFacts): string | null {
  const back = imageOfOthers(context, node);
  if (back !== null || code === 'image') return back;
  const own = node.pod?.container.image ?? '';
  return `Its data was written by a newer server than ${own}: give it an image of that version or a later one.`;
}

/** null where it has that already, or may not be told to have it. */
export function imageOfOthers(context: CheckContext, node: ClusterNode): string | null {
  const runs = runningImage(context);
  const isOurs = context.state.origin === 'ours';
  const command = runs !== null && isOurs ? goBackTo(runs, context.state) : null;
  if (runs === null || runs === (node.pod?.container.image ?? '') || (isOurs && command === null)) return null;
  const back = command ?? `Set the image of ${node.pod?.owner ?? 'its template'} back to ${runs}`;
  return `${back} goes back to the image that the other pods run.`;
}

function withoutVolume(context: CheckContext, node: ClusterNode): string {
  const name = context.nameOf(node);
  const copy = copyOf(context, node);
  if (copy === null)
    return `Do not delete its claim: ${name} may hold the only copy of its data. Copy the volume first; redis-check-aof --fix or redis-check-rdb on it then brings back what can be read.`;
  const has = `${context.nameOf(copy)} leads its shard (${copy.keys ?? 0} keys), and a copy of that replaces what ${name} has whenever it comes back`;
  const claim = claimOf(node);
  if (claim === null) return `${has}: give ${name} an empty volume, and it copies them again.`;
  return `${has}: so it can start with an empty volume: ${context.kubectl(`delete pvc ${claim} --wait=false`)}, then ${context.kubectl(`delete pod ${name}`)}`;
}

/**
 * The primary of its shard, if it answers, owns slots and has keys. Not for a node that owns slots or that others follow: then its
 * own copy is the one that counts.
 */
export function copyOf(context: CheckContext, node: ClusterNode): ClusterNode | null {
  const { nodes } = context.state;
  if (
    node.slots.length > 0 ||
    nodes.some((one) => one !== node && one.primaryId !== null && one.primaryId === node.nodeId)
  )
    return null;
  const primary = node.primaryId === null ? context.shardOf(node)?.primary : context.byId.get(node.primaryId);
  if (primary == null || primary === node || primary.role !== 'primary' || primary.reply?.kind !== 'answered')
    return null;
  return primary.slots.length > 0 && (primary.keys ?? 0) > 0 ? primary : null;
}
