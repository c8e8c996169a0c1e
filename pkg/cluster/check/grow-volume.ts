/** How a volume that is full gets room: by its claim, where the StorageClass lets claims grow. */
import type { ClaimFacts } from '../model/observation.ts';
import type { ClusterNode } from '../model/state.ts';
import type { CheckContext } from './context.ts';

/** What a server, the start script before it, or the kubelet of either says of a volume that takes no writes. */
const NO_WRITES =
  /no space left on device|read-only file system|input\/output error|disk quota exceeded|cannot write to the volume|short write while writing to the aof/i;

/** Those words in a text; null where there are none. */
export function volumeTrouble(texts: readonly string[]): string | null {
  for (const text of texts) {
    const [found] = NO_WRITES.exec(text) ?? [];
    if (found !== undefined) return found.toLowerCase();
  }
  return null;
}

/** What was found out about a pod's volume, as `: no space left on device`; empty where nothing was. */
export function volumeWords({ observation }: CheckContext, pod: string): string {
  const told = (observation.kube.troubles ?? []).filter((one) => one.pod === pod);
  const words = volumeTrouble(told.flatMap(({ sentence, evidence }) => [sentence, ...evidence]));
  return words === null ? '' : `: ${words}`;
}

/** What to do, as sentences with the command. */
export function growVolume(context: CheckContext, { pod }: ClusterNode): string {
  if (pod === null) return 'Give its volume room.';
  const claims = context.observation.kube.claims.filter(({ name }) => pod.claims.includes(name));
  if (pod.ephemeralData)
    return `Its data is on a volume of the pod itself: raise its sizeLimit in the template of ${pod.owner ?? pod.name}, or better give it a claim.`;
  const [claim] = claims;
  if (claim === undefined) return `Give its volume room; ${context.kubectl(`describe pod ${pod.name}`)} names it.`;
  return claims.length === 1
    ? growClaim(context, claim)
    : `Give the volume of its data room: one of the claims ${claims.map(({ name }) => name).join(', ')}.`;
}

function growClaim(context: CheckContext, { name, storageClass, size }: ClaimFacts): string {
  const above = size === undefined ? '' : ` above ${size}`;
  const patch = `'{"spec":{"resources":{"requests":{"storage":"SIZE"}}}}'`;
  const grow = `${context.kubectl(`patch pvc ${name} --type merge -p ${patch}`)}, with a SIZE${above}`;
  const known = (context.observation.kube.storageClasses ?? []).find((one) => one.name === storageClass);
  if (known === undefined)
    return `Grow its claim: ${grow}. Its StorageClass must allow it (allowVolumeExpansion). The node goes on by itself when there is room.`;
  if (known.expands)
    return `Grow its claim: ${grow}; StorageClass ${known.name} allows it. The node goes on by itself when there is room.`;
  return `StorageClass ${known.name} does not let claim ${name} grow. Free what else is on the volume, or give the node a larger claim: where a replica in step has room, hand the role to it first (kubectl redis failover).`;
}
