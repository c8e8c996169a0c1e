/** What `scale` and `rebalance` do not begin, and do not go on with: what has to be mended first. */
import { formatRanges, rangesFromSlots, subtractRanges, type SlotRange } from '../model/slots.ts';
import type { KubeFacts, ServerInfo } from '../model/observation.ts';
import type { Plan } from '../model/plan.ts';
import { recordOf } from '../model/record.ts';
import { scaleCommand } from '../model/scale-command.ts';
import { shardOf, type ClusterSpec } from '../model/spec.ts';
import type { ClusterNode, ClusterState } from '../model/state.ts';
import type { Member } from '../evidence/members.ts';
import { finishesShape, idleShards } from '../evidence/idle-shards.ts';
import { leftoverOf, wayBackOf } from '../evidence/leftovers.ts';
import { straysOf } from '../evidence/strays.ts';
import { listNames } from '../model/list-names.ts';
import { keysInWords } from '../model/loss.ts';
import { giveItsOwnVolume } from './contested.ts';
import { refuse, silenceCode } from './form-members.ts';
import { refuseHeir, refuseIncompletePrimary, refuseIncompleteReplicas } from './refuse-heir.ts';
import { refuseOlderTarget } from './refuse-older.ts';
import { restartCommand } from './restart-command.ts';
import { isAsBefore } from './restart-goal.ts';
import { ownedOf, type LeavingNode, type ScaleContext } from './scale-context.ts';
import { isMember } from './scale-join.ts';
import { refuseObjects } from './refuse-record.ts';
import { refuseUnheard } from './refuse-unheard.ts';
import { refuseUnwritable } from './refuse-writes.ts';
import { endsOf, finishSteps, idOfNew, openPairs, transfersOf } from './scale-moves.ts';
import { isForgettable } from './scale-remove.ts';
import { imageTakesKeysOf, takesKeysOf } from './server-version.ts';

/** The first reason, or null. */
export function refuseScale(context: ScaleContext): Plan | null {
  const { state, members, kube, evidence } = context;
  return (
    refuseObjects(state, kube) ??
    refuseUnsound(state, members) ??
    refuseIncompletePrimary(state) ??
    refuseIncompleteReplicas(state, evidence) ??
    refuseLedElsewhere(context) ??
    refuseSilentLeaving(context) ??
    refuseLeavingStrays(context) ??
    refuseUnwritable(state) ??
    refuseOlder(context) ??
    refuseGhosts(context) ??
    refuseStrangers(context) ??
    refuseFullNewcomers(context) ??
    refuseGoingClaims(context) ??
    refuseSmallHeirs(context)
  );
}

/** Who leads its slots is of another shard, which has an owner besides: one of them would lose what it leads to a replica. */
function refuseLedElsewhere({ state, spec }: ScaleContext): Plan | null {
  const led = idleShards(state.nodes, spec).find(({ heir }) => heir !== null);
  if (led === undefined) return null;
  return refuse(
    'shard-led-elsewhere',
    `The slots of shard ${led.name} are led by a node of another shard: ${listNames(led.pods)} ${led.pods.length === 1 ? 'follows' : 'follow'} it`,
    `${finishesShape(state.nodes, spec)}; then run the same command again`,
  );
}

/** Also where a new node shall have them: it starts with the image that is recorded. */
function refuseOlder(context: ScaleContext): Plan | null {
  const { state, members, spec, shards } = context;
  const moves = transfersOf(context);
  const known = refuseOlderTarget(state, moves, endsOf(finishSteps(state, members)), {
    first: wayBackOfScale(context),
    image: spec.image,
  });
  if (known !== null) return known;
  const fresh = new Set(shards.map(({ name }) => idOfNew(name)));
  const givers = new Set(moves.flatMap(({ from, to }) => (fresh.has(to) ? [from] : [])));
  // What runs it by now says what it is; a tag of a company's own may mean anything.
  const running = members.find(({ node }) => node.pod?.container.image === spec.image)?.answer.info;
  const takes = (info: ServerInfo): boolean =>
    running === undefined ? imageTakesKeysOf(spec.image, info) : takesKeysOf(running, info);
  const newer = members.find(({ step, answer }) => givers.has(step.nodeId) && !takes(answer.info));
  if (newer === undefined) return null;
  const { product, version } = newer.answer.info;
  const { name } = spec.cluster;
  const image = newer.node.pod?.container.image ?? 'IMAGE';
  const restart = `kubectl redis restart ${name} --image ${image} records what it runs`;
  return refuse(
    'target-older',
    `New nodes would run ${spec.image}, which takes no key of ${newer.step.pod}: that runs ${product} ${version}`,
    `${[wayBackOfScale(context), restart].filter((part) => part !== null).join('; then ')}; then run the same command again`,
  );
}

/**
 * A restart waits for a change of shape that was begun, and that waits here for the restart: so it is given up first, and what it made is
 * removed again. Nothing has to move for the shape that the owners of slots have (`transfersOf`). null = none was begun.
 */
function wayBackOfScale({ kube, spec, state: { nodes } }: ScaleContext): string | null {
  const recorded = recordOf(kube, spec.cluster).spec;
  if (recorded?.scaling == null) return null;
  const owners = nodes.filter(({ slots, pod }) => slots.length > 0 && pod !== null);
  const inShards = new Set(owners.flatMap(({ pod, shardLabel }) => (pod === null ? [] : [shardLabel ?? pod.name])));
  const sizes = [...inShards].map(
    (shard) => nodes.filter(({ pod, shardLabel }) => pod !== null && shardLabel === shard).length,
  );
  const replicas = Math.max(0, Math.min(recorded.replicas, ...sizes.map((size) => size - 1)));
  return `${scaleCommand(spec.cluster.name, { masters: inShards.size, replicas })} gives up the change that was begun`;
}

/** Its keys are not known, so they are not none: a node goes when it was heard to be empty, and what we stopped was. */
function refuseSilentLeaving(context: ScaleContext): Plan | null {
  const { name } = context.state.cluster;
  for (const { name: set, pod, node } of context.leaving) {
    if (node === null || node.nodeId === null || node.role === 'replica' || node.reply?.kind === 'answered') continue;
    const workload = ownedOf(context, 'StatefulSet', set);
    if (workload === null || workload.terminating) continue;
    const why = node.unreachable === null ? 'it has no pod' : `${node.unreachable.why}: ${node.unreachable.detail}`;
    return refuse(
      silenceCode(node, 'node-silent'),
      `${pod} is to go and can't be asked (${why}): whether it holds keys is not known`,
      `kubectl redis status ${name} says what is wrong; run the same command when it answers`,
    );
  }
  return null;
}

/** They would not go with its slots, and their node stays for as long as it holds them: said before anything moves. */
function refuseLeavingStrays({ state, leaving }: ScaleContext): Plan | null {
  const { name } = state.cluster;
  for (const { pod, node } of leaving) {
    const strays = node === null ? null : straysOf(node);
    // Who did not count is waited for when its slots have gone: it goes when it is empty.
    if (typeof strays !== 'number') continue;
    return refuse(
      'stray-keys',
      `${pod} is to go and holds ${keysInWords(strays)} in slots that it does not own`,
      `kubectl redis fix ${name} brings them to their owners; then run the same command again`,
    );
  }
  return null;
}

/**
 * Nothing is brought to a volume that goes with its pod, and no copy goes while all others of its shard are on such volumes. More replicas may
 * come: they are the way out.
 */
function refuseGoingClaims({ spec, leaving, shards, target }: ScaleContext): Plan | null {
  const going = ({ node }: Member): boolean => node.pod?.goingClaim !== undefined;
  const givers = new Set(leaving.flatMap(({ node }) => (node !== null && node.slots.length > 0 ? [node.nodeId] : [])));
  for (const { name, members, head, heir } of shards) {
    const isOfIt = ({ ordinal, node }: LeavingNode): boolean =>
      shardOf(spec, ordinal) === name && node?.pod != null && node.pod.goingClaim === undefined;
    const lastGoes = members.length > 0 && members.every(going) && leaving.some(isOfIt);
    const isHeir = heir !== null && heir !== head && going(heir);
    const isTaker = head !== null && going(head) && [...givers].some((id) => id !== head.node.nodeId);
    const [first] = lastGoes ? members : isHeir ? [heir] : isTaker ? [head] : [];
    if (first === undefined) continue;
    const { cluster } = target;
    return refuse(
      'no-volume',
      `${first.step.pod} keeps its data on claim ${first.node.pod?.goingClaim}, which is being deleted: nothing may be left to it alone, nor moved to it`,
      `kubectl redis check ${cluster.name} says how it gets a new volume; run the same command then`,
    );
  }
  return null;
}

/** Those to whom a role is handed because its node goes. */
function refuseSmallHeirs({ state, evidence, shards }: ScaleContext): Plan | null {
  for (const { head, heir } of shards) {
    if (head === null || heir === null || head === heir) continue;
    const refused = refuseHeir({ primary: head.node, heir: heir.node }, evidence, state);
    if (refused !== null) return refused;
  }
  return null;
}

/**
 * A new shape is not begun in the middle of a restart: with an image or directives half of the nodes would be others than the new ones. A
 * change of shape that was begun is gone on with in any case, for a restart waits for it.
 */
export function refuseRestarting(kube: KubeFacts, recorded: ClusterSpec, { nodes }: ClusterState): Plan | null {
  const old = recorded.scaling === null ? kube.pods.filter((pod) => isAsBefore(pod, recorded, kube)) : [];
  const [first] = old;
  if (first === undefined) return null;
  const { name } = recorded.cluster;
  const others = old.length === 1 ? '' : ` and ${old.length - 1} more`;
  return refuse(
    'restart-unfinished',
    `A restart of ${name} was begun and is not finished: ${first.name}${others} ${old.length === 1 ? 'is' : 'are'} as before`,
    `${restartCommand(name, recorded.image, nodes)} goes on with it; then run the same command again`,
  );
}

/**
 * Slots must be whole, and it must be known whose they are, before any of them moves or any of their nodes goes.
 * @param counts whether the silence of an owner matters
 */
export function refuseUnsound(
  state: ClusterState,
  members: readonly Member[],
  counts: (node: ClusterNode) => boolean = () => true,
): Plan | null {
  const { name } = state.cluster;
  const status = `kubectl redis status ${name} says what is wrong; run the same command when it is mended`;
  const unheard = refuseUnheard(state, counts);
  if (unheard !== null) return unheard;
  if (!state.formed) {
    const sentence = `${name} is not a cluster yet: its nodes were never joined`;
    return refuse('not-formed', sentence, `kubectl redis create ${name} finishes it`);
  }
  const silent = state.nodes.find((node) => node.slots.length > 0 && node.reply?.kind !== 'answered' && counts(node));
  if (silent !== undefined) return refuseSilent(silent, state, status);
  if (state.uncovered.length > 0)
    return refuse('slots-uncovered', `Nobody owns slots ${formatRanges(state.uncovered)} of ${name}`, status);
  const contested = contestedSlots(state);
  if (contested.length > 0)
    return refuse(
      'slots-contested',
      `Nodes do not agree whose slots ${formatRanges(contested)} of ${name} are`,
      status,
    );
  const torn = openPairs(state, members).filter(({ source, target }) => source === null || target === null);
  if (torn.length > 0) {
    const slots = formatRanges(rangesFromSlots(torn.map(({ slot }) => slot)));
    return refuse(
      'slots-open',
      `Slots ${slots} of ${name} are open between nodes that are not both its primaries`,
      status,
    );
  }
  return null;
}

/** Open ones are left out: whose they are is said when their move is finished. */
function contestedSlots({ contested, openSlots }: ClusterState): SlotRange[] {
  const open = rangesFromSlots(openSlots.map(({ slot }) => slot));
  return subtractRanges(
    contested.map(({ range }) => range),
    open,
  );
}

function refuseSilent(node: ClusterNode, state: ClusterState, status: string): Plan {
  const who = node.pod?.name ?? `Node ${node.nodeId?.slice(0, 8) ?? '?'}`;
  const why = node.unreachable === null ? 'it has no pod' : `${node.unreachable.why}: ${node.unreachable.detail}`;
  const leftover = leftoverOf(state, node);
  const start = `kubectl redis create ${state.cluster.name} starts what is missing, with its volume`;
  const back = leftover === null ? start : wayBackOf(state, leftover);
  const hint = node.pod === null ? back : status;
  return refuse(silenceCode(node, 'owner-silent'), `${who} owns slots and can't be asked (${why})`, hint);
}

/** An id that is no pod, and that must not simply be forgotten. A leaving one is only on its way out. */
function refuseGhosts(context: ScaleContext): Plan | null {
  const { state, leaving, kube } = context;
  const services = new Set(kube.services.map((service) => service.clusterIP));
  const ghost = state.nodes.find(
    (node) =>
      node.pod === null &&
      !isForgettable(context, node) &&
      !leaving.some((one) => one.node === node) &&
      !services.has(node.gossip?.ip ?? ''),
  );
  if (ghost === undefined) return null;
  const at = ghost.announced ?? 'an unknown address';
  return refuse(
    'ghost-node',
    `The nodes know ${ghost.nodeId?.slice(0, 8) ?? '?'} at ${at}, which is no pod of ${state.cluster.name} and does not count as failed`,
    `If it is gone for good, wait a minute. If it is none of ${state.cluster.name}, kubectl redis fix ${state.cluster.name} --forget-strangers has it forgotten, unless it owns slots`,
  );
}

/** Law L2: a node that knows anybody who is not of this cluster is not met. */
function refuseStrangers(context: ScaleContext): Plan | null {
  const known = new Set(context.state.nodes.map((node) => node.nodeId));
  const inside = context.members.filter((member) => isMember(context, member));
  const ours = new Set([
    ...inside.flatMap((member) => [...member.knows]),
    ...context.members.map(({ step }) => step.nodeId),
  ]);
  for (const member of context.members) {
    if (inside.includes(member)) continue;
    const stranger = [...member.knows].find((id) => !ours.has(id) || !known.has(id));
    if (stranger === undefined) continue;
    const sentence = `${member.step.pod} knows node ${stranger.slice(0, 8)}, which is not of ${context.state.cluster.name}: its volume has another past`;
    return refuse('foreign-node', sentence, giveItsOwnVolume(member.step.pod, context.state.cluster));
  }
  return null;
}

/** A newcomer with keys would lose them behind a primary, or strand them as one. */
function refuseFullNewcomers(context: ScaleContext): Plan | null {
  const full = context.members.find((member) => !isMember(context, member) && member.answer.info.keys > 0);
  if (full === undefined) return null;
  const { step, answer } = full;
  const sentence = `${step.pod} is to join, and holds ${answer.info.keys} keys of its own`;
  return refuse(
    'node-not-empty',
    sentence,
    `They may be the only copy: save what you need from it first. Then run FLUSHALL on it, and the same command again`,
  );
}
