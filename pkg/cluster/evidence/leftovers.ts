/**
 * What a volume that no pod uses may hold: the keys of slots that nobody owns. A node that an older record does not name is not made
 * again, and nobody who was told to forget it knows it any more; its volume is all that tells of it. Before slots of a formed cluster
 * are given to anybody, that is asked here; a volume that may not be seen is not taken for none.
 */
import type { Loss } from '../model/loss.ts';
import { isForming } from './forming.ts';
import { listNames } from '../model/list-names.ts';
import { isUnread } from '../model/observation.ts';
import { formatRanges, type SlotRanges } from '../model/slots.ts';
import { nodeCount, ordinalOfNode } from '../model/spec.ts';
import type { ClusterNode, ClusterState, Leftover } from '../model/state.ts';

/** Of a node by the address at which others know it; null = no object tells which one it is. */
export function leftoverAt({ leftovers }: ClusterState, ip: string): Leftover | null {
  return ip === '' ? null : (leftovers.find(({ address }) => address === ip) ?? null);
}

/** Of an id that no pod has, where the record does not name it: one that it names is only away, or on its way out. */
export function leftoverOf(state: ClusterState, { pod, gossip }: ClusterNode): Leftover | null {
  const leftover = pod === null ? leftoverAt(state, gossip?.ip ?? '') : null;
  return leftover === null || isRecorded(state, leftover) ? null : leftover;
}

function isRecorded({ desired, cluster }: ClusterState, { node }: Leftover): boolean {
  const ordinal = node === null ? null : ordinalOfNode(cluster.name, node);
  if (desired === null || ordinal === null) return false;
  return desired.ordinals?.includes(ordinal) ?? ordinal <= nodeCount(desired);
}

/**
 * As `claim data-c-4-0, which no pod uses`; null = there is none for certain, or the cluster never had a key: its nodes that were never
 * joined, where `create` was killed between the mark and the last slot, had none.
 */
export function unusedVolumes(state: ClusterState): string | null {
  if (isForming(state)) return null;
  if (isUnread(state, 'persistentvolumeclaims')) return 'claims that we may not list';
  const claims = state.leftovers.flatMap(({ claim }) => claim ?? []);
  if (claims.length === 0) return null;
  return `${claims.length === 1 ? 'claim' : 'claims'} ${listNames(claims)}, which no pod uses`;
}

/** Claims of nodes that the record does not name: nobody makes a pod for them. What others made has no node in its name, and comes and goes. */
export function unrecordedClaims(state: ClusterState): string[] {
  return unrecorded(state).map(({ claim }) => claim);
}

/** Those of them that a person need be told of. */
export function claimsToName(state: ClusterState): string[] {
  return unrecorded(state).flatMap(({ claim, setAside }) => (setAside ? [] : [claim]));
}

function unrecorded(state: ClusterState): (Leftover & { claim: string })[] {
  if (state.origin !== 'ours' || !state.formed) return [];
  return state.leftovers.flatMap((one) =>
    one.claim === null || one.node === null || isRecorded(state, one) ? [] : [{ ...one, claim: one.claim }],
  );
}

/** What may be lost for good when slots that nobody owns are given to nodes that are there; null = nothing. */
export function lossOfGiving(state: ClusterState, slots: SlotRanges): Loss | null {
  const volumes = unusedVolumes(state);
  if (volumes === null) return null;
  const sentence = `every key of slots ${formatRanges(slots)} that is on the volume of ${volumes}`;
  return { slots, keys: null, seconds: null, sentence };
}

/** The way back of all that is unused, as a sentence without its full stop. */
export function wayBackOfVolumes(state: ClusterState): string {
  const { name } = state.cluster;
  // Those that it names come back with `create`, once it is right.
  const nodes = state.leftovers.flatMap((one) =>
    one.node === null || one.claim === null || isRecorded(state, one) ? [] : [one.node],
  );
  if (isUnread(state, 'persistentvolumeclaims'))
    return 'With the right to list persistentvolumeclaims it can be seen whether there are any';
  if (nodes.length === 0 || state.origin === 'foreign') return 'If one of them is of the cluster, bring its pod back';
  const [it, is] = nodes.length === 1 ? ['it', `${nodes.join()} is a node`] : ['them', `${nodes.join(', ')} are nodes`];
  return `If ${is} of ${name}, ConfigMap ${name}-state is an old record: put back the one that names ${it}, and run kubectl redis create ${name}`;
}

/** Which node it is, where its volume is, and how it comes back: for hints that else would say to forget it. */
export function wayBackOf(state: ClusterState, leftover: Leftover): string {
  const { name } = state.cluster;
  const it = leftover.node ?? '';
  const { claim } = leftover;
  const service = `It is ${it}, whose Service has its address`;
  if (state.origin === 'foreign' || isRecorded(state, leftover))
    return `${service}: bring its pod back with its volume. Do not CLUSTER FORGET it before`;
  const back = `ConfigMap ${name}-state does not name it, so that is an old record: put back the one that names it, and run kubectl redis create ${name}. Do not CLUSTER FORGET it before`;
  if (claim !== null) return `It is ${it}, and its volume is there (claim ${claim}). ${back}`;
  if (isUnread(state, 'persistentvolumeclaims'))
    return `${service}; whether its volume is there can't be seen. ${back}`;
  return `${service}, and there is no claim data-${it}-0: kubectl redis fix ${name} says what that loses`;
}
