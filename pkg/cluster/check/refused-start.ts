/**
 * The way out of `start-refused`, by what the guard says (start.sh, guard.sh, volume.sh, history.sh in pkg/pod/scripts). A volume that is not
 * the node's own is somebody's: it is never given up, only kept aside, and that only where another node has what this one would copy.
 */
import { claimOf } from '../evidence/copy-anew.ts';
import type { ClusterNode } from '../model/state.ts';
import { readGuard, type ByPerson } from '../wire/guard.ts';
import type { CheckContext } from './context.ts';
import { copyOf, imageOfOthers } from './way-back.ts';

type WayOut = (context: CheckContext, node: ClusterNode) => string;

const WAYS: Readonly<Record<ByPerson, WayOut>> = {
  'foreign-volume': ownVolume,
  'other-product': oneImage,
  'older-image': imageBefore,
  dump: loadFirst,
  'older-primary': compareFirst,
  'copied-objects': nameOnce,
  unknown: ({ kubectl, nameOf }, node) =>
    `It starts when that is mended; keep its volume meanwhile. ${kubectl(`logs ${nameOf(node)}`)} says it, too.`,
};

export function wayOfRefused(context: CheckContext, node: ClusterNode, refused: ByPerson): string {
  return WAYS[refused](context, node);
}

function ownVolume(context: CheckContext, node: ClusterNode): string {
  const name = context.nameOf(node);
  const claims = node.pod?.claims ?? [];
  const which =
    claims.length === 0 ? '' : ` (${context.kubectl(`describe pvc ${claims.join(' ')}`)} names the one it has now)`;
  const back = `Give ${name} its own volume back${which}; a new pod looks at it: ${context.kubectl(`delete pod ${name}`)}.`;
  const anew = emptyVolume(context, node);
  return anew === null
    ? `${back} Delete neither of the two volumes: no other node is known to have the data of ${name}, and what is on the one that it has now may be the only copy of another's.`
    : `${back} If its own is lost: ${anew}`;
}

/** The volume stays, whosever it is. null = no other node is known to have the data of this one. */
function emptyVolume(context: CheckContext, node: ClusterNode): string | null {
  const name = context.nameOf(node);
  const copy = copyOf(context, node);
  if (copy === null) return null;
  const has = `${context.nameOf(copy)} leads its shard (${copy.keys ?? 0} keys), and ${name} copies that into an empty volume`;
  const claim = claimOf(node);
  if (claim === null) return `${has}; keep the one that it has now, it may be the only copy of what is on it.`;
  const volume = `$(${context.kubectl(`get pvc ${claim} -o jsonpath={.spec.volumeName}`)})`;
  const keep = `kubectl patch pv ${volume} -p '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}'`;
  return `${has}. Keep the one that it has now, which may be the only copy of what is on it: first ${keep}; then ${context.kubectl(`delete pvc ${claim} --wait=false`)}, then ${context.kubectl(`delete pod ${name}`)}`;
}

function oneImage(context: CheckContext): string {
  const { name } = context.state.cluster;
  return context.state.origin === 'ours'
    ? `kubectl redis restart ${name} --image IMAGE gives all nodes one image; its own volume may stay as it is.`
    : 'Give all templates one image; its own volume may stay as it is.';
}

/** The image of the others is a way back only where it reads what is on the volume. */
function imageBefore(context: CheckContext, node: ClusterNode): string {
  const name = context.nameOf(node);
  const wrote = readGuard(node.unreachable)?.writtenBy;
  const reads = context.answered.length > 0 && context.answered.every(({ answer: { info } }) => info.product === wrote);
  const back = reads ? imageOfOthers(context, node) : null;
  const image = `${back?.replace(/\.$/, '') ?? `Give ${name} the image back that it ran before, in its template`}. Keep its volume: its data is on it.`;
  const anew = emptyVolume(context, node);
  return anew === null ? image : `${image} Or: ${anew}`;
}

function loadFirst({ nameOf }: CheckContext, node: ClusterNode): string {
  return `The first of the two ways that it names keeps the keys of the dump, which may be of long ago: where a replica has more, that leads first. The second starts ${nameOf(node)} without them and keeps the file.`;
}

function compareFirst(context: CheckContext, node: ClusterNode): string {
  const { name } = context.state.cluster;
  return `Which of the two has the keys that count is yours to say; until then keep the volumes of both. kubectl redis nodes ${name} shows the keys of its primary, and ${context.nameOf(node)} gives up what it has more only by the last of the commands that it names.`;
}

function nameOnce(context: CheckContext): string {
  return `Run the command that it names; ${context.state.cluster.name} is made here with addresses of its own. Keep the volumes.`;
}
