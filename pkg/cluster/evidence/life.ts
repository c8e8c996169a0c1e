/**
 * Whether the process of a node runs, and what of it may come back. Silence is no proof of anything: a node that can't be asked is
 * `unknown` until somebody who can know says more (its kubelet, its guard, its port, or the other nodes).
 *
 * | what is seen                                            | life                     | what may come back                        |
 * |---------------------------------------------------------|--------------------------|-------------------------------------------|
 * | it answers                                              | answers                  |                                           |
 * | it loads, refuses the password, is not in cluster mode  | runs                     |                                           |
 * | its container does not run, its host is well            | dead                     | all, unless its data was the pod's own    |
 * | its guard waits, its volume has no data                 | dead                     | a node without data                       |
 * | its guard waits for anything else; nobody listens       | dead, unless it is heard | all                                       |
 * | no pod, and one is missing in its place                 | dead, unless it is heard | all; without its claim, one without data  |
 * | no pod, and another node is in its place                | dead, unless it is heard | nothing                                   |
 * | no pod, and the claim of its Service is there           | dead, unless it is heard | all                                       |
 * | no pod, and one whose volume is lost may be it          | dead, unless it is heard | a node without data                       |
 * | no pod, and every pod is another node; pods of others,  | dead, unless it is heard | all: nothing tells which volumes there are |
 * | or Services that may not be read                        |                          |                                           |
 * | the same; pods of ours                                  | dead, unless it is heard | nothing                                   |
 * | its host is not ready; no answer, a broken tunnel       | unknown                  |                                           |
 * | no pod, and a pod that can't be asked may be it         | unknown                  |                                           |
 */
import { addressesOfPod } from '../interpret/identity.ts';
import { isUnread, type KubeFacts } from '../model/observation.ts';
import { ordinalOfNode, podName } from '../model/spec.ts';
import type { ClusterNode, ClusterState } from '../model/state.ts';
import { readGuard } from '../wire/guard.ts';
import { isSeenDown } from './down.ts';
import type { Member } from './members.ts';
import { isOfOthers, type MissingPod } from './missing-pods.ts';

/** What of a dead node may come back: `whole` = with its data, as far as anybody knows. */
export type Returns = 'whole' | 'empty' | 'never';

/** `by`: who says so, as the end of a sentence in brackets. */
export type Life =
  | { readonly kind: 'answers' }
  | { readonly kind: 'runs'; readonly by: string }
  | { readonly kind: 'dead'; readonly by: string; readonly returns: Returns }
  | { readonly kind: 'unknown'; readonly by: string };

export interface LifeFacts {
  readonly state: ClusterState;
  readonly kube: KubeFacts;
  readonly members: readonly Member[];
  readonly missing: readonly MissingPod[];
  readonly nameOf: (node: ClusterNode) => string;
}

export function lifeOf(node: ClusterNode, facts: LifeFacts): Life {
  if (node.reply?.kind === 'answered') return { kind: 'answers' };
  const life = node.pod === null ? lifeOfGhost(node, facts) : lifeOfPod(node, facts);
  if (life.kind !== 'dead') return life;
  // What was seen from outside may be an old look, or a port that is not the one: whom most others hear is there. Of an id without a pod
  // nothing is seen from outside, so whoever hears it is believed.
  const { heard, lines } = hearingOf(node, facts);
  const there = node.pod === null ? heard > 0 : heard * 2 > lines;
  return there ? { kind: 'unknown', by: `${heard} of ${lines} other nodes still hear it` } : life;
}

function lifeOfPod(node: ClusterNode, { kube }: LifeFacts): Life {
  const { pod, unreachable } = node;
  const why = unreachable?.why ?? 'timeout';
  const detail = unreachable?.detail ?? 'it was not asked';
  const by = `${why}: ${detail}`;
  // It answered, if only with an error.
  if (why === 'loading' || why === 'auth' || why === 'permission' || why === 'not-cluster') return { kind: 'runs', by };
  const host = kube.hosts.find(({ name }) => name === node.host);
  if (host?.ready === false) return { kind: 'unknown', by: `its host ${host.name} is not ready` };
  switch (why) {
    case 'guard-waiting':
      // As after a pod was deleted by force on a host that is cut off.
      if (readGuard(unreachable)?.waitsFor === 'process')
        return { kind: 'unknown', by: `its guard waits ${detail.replace(/^waiting /, '')}` };
      return { kind: 'dead', by, returns: hasLostVolume(node) ? 'empty' : 'whole' };
    case 'not-running': {
      if (pod?.phase === 'Unknown') return { kind: 'unknown', by: 'nobody knows what its pod does' };
      const neverStarted = pod?.phase === 'Pending' && pod.container.restarts === 0;
      return { kind: 'dead', by, returns: pod?.ephemeralData === true && neverStarted ? 'empty' : 'whole' };
    }
    case 'refused':
    case 'no-pod':
      return { kind: 'dead', by, returns: 'whole' };
    case 'tunnel':
    case 'timeout':
    case 'error':
      return { kind: 'unknown', by };
    default:
      return why satisfies never;
  }
}

/** An id that no pod has. */
function lifeOfGhost(node: ClusterNode, facts: LifeFacts): Life {
  const { state, kube, missing, nameOf } = facts;
  const nameless = state.nodes.filter((one) => one.pod !== null && one.nodeId === null);
  // Of one that owns nothing no data is at stake, and the pod that waits may still have its identity.
  const mayBeIt = nameless.find((one) => node.slots.length === 0 || !hasLostVolume(one));
  if (mayBeIt !== undefined) return { kind: 'unknown', by: `${nameOf(mayBeIt)} can't be asked, and may be it` };
  // A pod that was deleted by force may still run there.
  const lost = kube.hosts.find(({ ready }) => !ready);
  const onLost: Life | null =
    lost === undefined ? null : { kind: 'unknown', by: `host ${lost.name} is not ready, and may still run it` };
  const own = missing.find((one) => one.node === node);
  if (onLost !== null && (own !== undefined || missing.length > 0)) return onLost;
  if (own !== undefined)
    return { kind: 'dead', by: `pod ${own.pod} is missing`, returns: returnsOfMissing(own, facts) };
  if (livesElsewhere(node, facts)) return { kind: 'dead', by: 'another node is in its place', returns: 'never' };
  const mayBe = missing.find((one) => one.node === null);
  if (mayBe !== undefined) return { kind: 'dead', by: `pod ${mayBe.pod} is missing, and may be it`, returns: 'whole' };
  const claim = claimOf(node, facts);
  if (claim !== null) return onLost ?? { kind: 'dead', by: `no pod has it, and ${claim} may be its`, returns: 'whole' };
  const others = isOfOthers(state, kube);
  const [waits] = nameless;
  if (waits !== undefined && (!others || nameless.length >= ghostsOf(facts).length))
    return { kind: 'dead', by: `${nameOf(waits)} lost its volume, and may be it`, returns: 'empty' };
  // Of one that owns nothing, and that nobody follows, no data is at stake.
  const counts =
    node.slots.length > 0 || state.nodes.some(({ primaryId }) => primaryId !== null && primaryId === node.nodeId);
  if ((others || isUnread(kube, 'services')) && counts)
    return onLost ?? { kind: 'dead', by: 'no pod has it, and its volume may be there', returns: 'whole' };
  return { kind: 'dead', by: 'every pod is another node', returns: 'never' };
}

/** Its guard says so. */
export function hasLostVolume({ unreachable }: ClusterNode): boolean {
  return readGuard(unreachable)?.withoutData === true;
}

/** Ids that no pod has, and that may be those of pods which nobody could ask. */
function ghostsOf(facts: LifeFacts): ClusterNode[] {
  const { state, missing } = facts;
  return state.nodes.filter(
    (one) => one.pod === null && !livesElsewhere(one, facts) && !missing.some(({ node }) => node === one),
  );
}

/**
 * The claim of a node of ours, by the Service that has its address: the record may be older than the node, which then is not missing.
 * null = there is none, or its pod says that there is no data on it, or a change of shape has moved all of it away.
 */
function claimOf(node: ClusterNode, { state, kube }: LifeFacts): string | null {
  const ip = node.gossip?.ip ?? '';
  const service = ip === '' ? undefined : kube.services.find(({ clusterIP }) => clusterIP === ip);
  const ordinal = service === undefined ? null : ordinalOfNode(state.cluster.name, service.name);
  if (state.origin !== 'ours' || ordinal === null) return null;
  if (node.slots.length === 0 && state.desired?.leaving?.includes(ordinal) === true) return null;
  const pod = podName(state.cluster.name, ordinal);
  if (state.nodes.some((one) => one.pod?.name === pod && hasLostVolume(one))) return null;
  const claim = `data-${pod}`;
  return areClaimsUnread(kube) || kube.claims.some(({ name }) => name === claim) ? `claim ${claim}` : null;
}

function areClaimsUnread(kube: KubeFacts): boolean {
  return isUnread(kube, 'persistentvolumeclaims');
}

/** Of pods that `create` made the claim is known by its name; where it is gone, a new pod gets a new one. */
export function returnsOfMissing(
  { pod }: Pick<MissingPod, 'pod'>,
  { state, kube }: Pick<LifeFacts, 'state' | 'kube'>,
): Returns {
  if (isOfOthers(state, kube) || areClaimsUnread(kube)) return 'whole';
  return kube.claims.some(({ name }) => name === `data-${pod}`) ? 'whole' : 'empty';
}

/** The pod that is where it was announced answers as another node. */
function livesElsewhere(node: ClusterNode, { members, kube }: LifeFacts): boolean {
  const ip = node.gossip?.ip ?? '';
  return ip !== '' && members.some(({ node: { pod } }) => pod !== null && addressesOfPod(pod, kube).includes(ip));
}

/** How many others know it, and how many of them have a link to it and no doubt. */
function hearingOf(
  node: ClusterNode,
  { members }: Pick<LifeFacts, 'members'>,
): { readonly heard: number; readonly lines: number } {
  const lines = members.flatMap(({ answer, nodeId }) =>
    nodeId === node.nodeId ? [] : answer.view.filter((line) => line.nodeId === node.nodeId),
  );
  return { heard: lines.filter(({ linkUp, flags }) => linkUp && !isSeenDown(flags)).length, lines: lines.length };
}

export function isHeardByMost(node: ClusterNode, facts: Pick<LifeFacts, 'members'>): boolean {
  const { heard, lines } = hearingOf(node, facts);
  return heard * 2 > lines;
}
