/**
 * The nodes that a cluster is formed of, and what must not be joined: nodes that know strangers (law L2), nodes that hold keys
 * and belong to no cluster yet (FAILURES 1.35), slots that two of them claim, slots whose keys may be on a volume that none of them has.
 */
import type { Member } from '../evidence/members.ts';
import { failoverCommand } from '../model/failover-command.ts';
import type { GossipNode, UnreachableReason } from '../model/observation.ts';
import { secondOwners, takesSlotsAway } from '../evidence/second-owners.ts';
import type { Plan } from '../model/plan.ts';
import { ordinalsOf, podName, shardOf, type ClusterSpec } from '../model/spec.ts';
import type { ClusterNode, ClusterState } from '../model/state.ts';
import { lossFlag } from '../model/loss.ts';
import { ALL_SLOTS, formatRanges, subtractRanges, unionRanges, type SlotRanges } from '../model/slots.ts';
import { leftoverAt, lossOfGiving, unusedVolumes, wayBackOf, wayBackOfVolumes } from '../evidence/leftovers.ts';
import { giveItsOwnVolume, refuseContested } from './contested.ts';

/** The first reason not to go on, or null. */
export function refuseForming(members: readonly Member[], state: ClusterState): Plan | null {
  return (
    refuseSilent(state) ??
    refuseStrangers(members, state) ??
    refuseKeys(members, state) ??
    refuseContested(members, state) ??
    refuseUnusedVolumes(members, state)
  );
}

export function refuse(code: string, sentence: string, hint: string): Plan {
  return { kind: 'refused', code, sentence, hint };
}

function refuseSilent(state: ClusterState): Plan | null {
  const silent = state.nodes.find((node) => node.pod !== null && node.reply?.kind !== 'answered');
  if (silent === undefined) return null;
  const why = silent.unreachable === null ? 'no answer' : `${silent.unreachable.why}: ${silent.unreachable.detail}`;
  return refuse(
    silenceCode(silent, 'node-silent'),
    `${silent.pod?.name} can't be asked (${why})`,
    `Look at it with kubectl describe pod ${silent.pod?.name} and kubectl logs ${silent.pod?.name}, then run the same command again`,
  );
}

/** No answer that waiting brings: a person has to change a password or a configuration. */
const LASTING: ReadonlySet<UnreachableReason> = new Set(['auth', 'permission', 'not-cluster']);

/** @returns `passing` for a silence that may end by itself, else what the node refused */
export function silenceCode({ unreachable }: ClusterNode, passing: string): string {
  return unreachable !== null && LASTING.has(unreachable.why) ? unreachable.why : passing;
}

/** Law L2: never join a node that knows anybody, or is just being introduced to anybody, who is not one of our pods. */
function refuseStrangers(members: readonly Member[], state: ClusterState): Plan | null {
  const ids = new Set(members.map((member) => member.step.nodeId));
  const addresses = new Set(members.flatMap((member) => [member.node.pod?.ip ?? '', member.node.gossip?.ip ?? '']));
  const isOurs = (other: GossipNode): boolean =>
    // The id in a handshake is a random one until the other has answered.
    other.flags.includes('handshake') ? addresses.has(other.ip) : ids.has(other.nodeId);
  for (const member of members) {
    const stranger = member.answer.view.find((other) => !isOurs(other));
    if (stranger === undefined) continue;
    const at = stranger.ip === '' ? 'an unknown address' : `${stranger.ip}:${stranger.port}`;
    return refuse(
      'foreign-node',
      `${member.step.pod} knows node ${stranger.nodeId.slice(0, 8)} at ${at}, which is no pod of ${state.cluster.name}`,
      wayOutOf(stranger, member, state),
    );
  }
  return null;
}

/** Who is forgotten leaves its slots to nobody, so nobody is told to forget who may still have keys. */
function wayOutOf(stranger: GossipNode, { step: { pod } }: Member, state: ClusterState): string {
  const { name } = state.cluster;
  const own = giveItsOwnVolume(pod, state.cluster);
  const known = leftoverAt(state, stranger.ip);
  if (known !== null) return wayBackOf(state, known);
  const { slots } = state.nodes.find(({ nodeId }) => nodeId === stranger.nodeId) ?? stranger;
  const owned = unionRanges(slots, stranger.slots);
  if (owned.length > 0)
    return `It owns slots ${formatRanges(owned)}, and their keys are with it: bring it back with its volume; kubectl redis fix ${name} says what else can be done. ${own}`;
  return `If a pod of ${name} is missing, bring it back; a node that is gone for good kubectl redis fix ${name} has forgotten, where nothing is lost by it. ${own}`;
}

/** Slots that nobody owns in any view of those who answer. */
export function freeSlots(members: readonly Member[]): SlotRanges {
  const claimed = members.flatMap(({ answer }) => answer.view.map(({ slots }) => slots));
  return subtractRanges(
    ALL_SLOTS,
    claimed.reduce<SlotRanges>((all, slots) => unionRanges(all, slots), []),
  );
}

/** Of a cluster that was formed they had an owner once, unless its forming was cut short. */
function refuseUnusedVolumes(members: readonly Member[], state: ClusterState): Plan | null {
  const free = freeSlots(members);
  const loss = free.length === 0 ? null : lossOfGiving(state, free);
  if (loss === null) return null;
  const { name } = state.cluster;
  return refuse(
    'volume-unused',
    `Nobody owns slots ${formatRanges(free)} of ${name}; their keys may be on the volume of ${unusedVolumes(state) ?? ''}`,
    `${wayBackOfVolumes(state)}. Else kubectl redis fix ${name} ${lossFlag(free)} gives these slots to nodes that are there, without those keys`,
  );
}

/** A fresh node with keys would lose them as a replica, or strand them as a primary. */
export function refuseKeys(members: readonly Member[], state: ClusterState): Plan | null {
  const full = members.find(
    (member) =>
      member.knows.size === 1 &&
      member.node.slots.length === 0 &&
      member.answer.info.keys > 0 &&
      member.answer.info.role === 'primary',
  );
  if (full === undefined) return null;
  return refuse(
    'node-not-empty',
    `${full.step.pod} holds ${full.answer.info.keys} keys and belongs to no cluster yet`,
    `They may be the only copy: save what you need from it first. Then run FLUSHALL on it, and kubectl redis create ${state.cluster.name} again`,
  );
}

/** Who owns slots can't be told to follow anybody: the server refuses, and its keys would be wiped if it did not. */
export function refuseSecondOwner(
  shards: readonly { readonly primary: Member; readonly replicas: readonly Member[] }[],
  state: ClusterState,
  spec: ClusterSpec,
): Plan | null {
  for (const { primary, replicas } of shards) {
    const owner = replicas.find(({ node }) => node.slots.length > 0);
    if (owner === undefined) continue;
    const { pod } = owner.step;
    // Where there are as many owners as were asked for, each leads a shard, and only a label is stale.
    const wayOut = secondOwners(state).includes(owner.node)
      ? takesSlotsAway(state, pod)
      : `It leads a shard of its own by now, and nothing of it has to move. ${oneEach([owner, primary], state, spec)}`;
    return refuse(
      'second-owner',
      `${pod} is to follow ${primary.step.pod}, and owns slots ${formatRanges(owner.node.slots)} itself`,
      `${wayOut}; then run the same command again`,
    );
  }
  return null;
}

/**
 * How two owners come to be labelled as of one shard. The label of one may be another than is recorded for it; else one took over from a node
 * of another shard that it followed. A node whose shard has no owner is to lead then: so each shard has one owner again, and any other failover
 * would leave it as it is.
 */
function oneEach(two: readonly Member[], { nodes, cluster }: ClusterState, spec: ClusterSpec): string {
  const { name } = cluster;
  const recorded = (pod: string): number | undefined => ordinalsOf(spec).find((one) => podName(name, one) === pod);
  for (const { node, step } of two) {
    const ordinal = recorded(step.pod);
    if (ordinal === undefined || shardOf(spec, ordinal) === node.shardLabel) continue;
    return `The label of ${step.pod} is stale, which says shard ${node.shardLabel}: kubectl redis restart ${name} --pod ${step.pod} makes the pod anew, as of shard ${shardOf(spec, ordinal)}`;
  }
  const led = new Set(nodes.flatMap(({ slots, shardLabel }) => (slots.length > 0 ? [shardLabel] : [])));
  const heir = nodes.find(
    ({ primaryId, shardLabel, reply }) =>
      two.some(({ step }) => step.nodeId === primaryId) &&
      shardLabel !== null &&
      !led.has(shardLabel) &&
      reply?.kind === 'answered',
  );
  const isOurs = two.every(({ step }) => recorded(step.pod) !== undefined);
  const label = isOurs ? '' : '. Or correct the label kubectl-redis.io/shard of one, if that is what is wrong';
  return heir?.pod == null
    ? `kubectl redis fix ${name} gives it a replica of the shard that it leads, which can lead then${label}`
    : `${failoverCommand(cluster, heir)} lets ${heir.pod.name} lead, whose shard ${heir.shardLabel} has no other primary${label}`;
}
