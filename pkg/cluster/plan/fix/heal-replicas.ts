/** Replicas that follow the wrong node, or the right one where it is not. */
import type { Step } from '../../model/plan.ts';
import type { Problem } from '../../model/problem.ts';
import { incompletePrimaries } from '../../evidence/lacking-keys.ts';
import { isAgreed, joinLosses, lossFlag, type Loss } from '../../model/loss.ts';
import { formatRanges, intersectRanges, type SlotRanges } from '../../model/slots.ts';
import type { ClusterNode } from '../../model/state.ts';
import type { Member } from '../../evidence/members.ts';
import { topOf } from '../form-reconnect.ts';
import { isNamed, left, repair, stepNodeOf, type Cure, type FixContext, type Healer } from './fix-context.ts';

/** Telling it again makes it dial the address that gossip has. */
export const healStaleAddresses: Healer = (context, problems) =>
  attachAll(context, problems, 'point replication at the right address', (replica) => {
    const primary = context.byId.get(replica.node.primaryId ?? '');
    if (primary === undefined) return 'Its primary does not answer';
    return attach(replica, primary, `it dials ${replica.answer.info.primaryHost ?? 'another address'}`);
  });

export const healChains: Healer = (context, problems) =>
  attachAll(context, problems, 'attach replicas to the primary at the top', (replica) => {
    const top = topOf(context.byId, replica);
    return top === null ? 'The primary at the top does not answer' : attach(replica, top, 'it follows a replica');
  });

/**
 * Its primary is nobody's any more. If its own view still gives that primary slots that nobody has, its copy is the only one,
 * and REPLICATE would wipe it: then it takes over. It asks nobody, because the others do not know whose slots these are.
 */
export const healOrphans: Healer = (context, problems) =>
  problems.map((problem) => {
    const orphans = context.members.filter(({ node }) => isReplica(node) && isNamed(context, problem, node));
    const answers = orphans.map((orphan) => adopt(context, orphan));
    const refused = answers.find((answer) => typeof answer === 'string');
    const places = answers.filter((answer) => typeof answer !== 'string');
    if (places.length === 0) return left(problem, 'by-hand', refused ?? 'It does not answer any more');
    const steps = places.map(({ step }) => step);
    const loses = joinLosses(places.flatMap(({ loss }) => loss ?? []));
    return repair([problem], 'give replicas without a primary their place', steps, loses);
  });

interface Place {
  readonly step: Step;
  readonly loss: Loss | null;
}

function adopt(context: FixContext, orphan: Member): Place | string {
  const { state, evidence } = context;
  const lost = orphan.answer.view.find((line) => line.nodeId === orphan.node.primaryId);
  const theirs = lost?.slots ?? [];
  const owners = state.nodes.filter(
    ({ nodeId, slots }) => nodeId !== orphan.node.primaryId && intersectRanges(slots, theirs).length > 0,
  );
  const silent = owners.find(({ reply }) => reply?.kind !== 'answered');
  if (silent !== undefined)
    return `${evidence.nameOf(silent)} owns its slots and can't be asked: bring it back first, because what ${orphan.pod} has would be wiped by attaching it`;
  if (theirs.length > 0 && owners.length === 0) return takeOver(context, orphan, theirs);
  const keys = orphan.answer.info.keys;
  if (state.uncovered.length > 0 && keys > 0)
    return `${orphan.pod} may have the only copy of slots that nobody owns: its ${keys} keys would be wiped by attaching it. Save them first`;
  const home = homeOf(context, orphan);
  if (home === null) return 'No primary that answers can take it';
  if (keys > 0 && !goesOnWith(home, orphan))
    return `${orphan.pod} has ${keys} keys of ${lost === undefined ? 'a primary that nobody knows' : 'its primary'}, and that ${home.step.pod} has them is not known: attaching it would wipe them. Save them first; then CLUSTER REPLICATE there`;
  const reason = 'its primary is gone, and its slots have another owner';
  return { step: { kind: 'replicate', node: orphan.step, primary: home.step, reason }, loss: null };
}

/** Whether it leads on with the very history that the replica has: then it has all of that, or was chosen over it. */
function goesOnWith({ answer: { info } }: Member, { answer }: Member): boolean {
  const { replicationId } = answer.info;
  return replicationId !== undefined && [info.replicationId, info.formerReplicationId].includes(replicationId);
}

/**
 * Who would miss the copy of a replica that is told to follow another: a primary that does not answer, and nobody has as much, or one that was
 * emptied; null = nobody.
 */
export function whoMisses({ state, byId, evidence }: FixContext, { node }: Member): string | null {
  const emptied = incompletePrimaries(state).find(({ primary }) => primary.nodeId === node.primaryId);
  if (emptied !== undefined)
    return `${evidence.nameOf(emptied.primary)}, which it follows, has fewer keys than its replicas: who has most leads first`;
  if (node.primaryId === null || byId.has(node.primaryId)) return null;
  const primary = state.nodes.find(({ nodeId }) => nodeId === node.primaryId);
  const { candidates } = primary === undefined ? { candidates: [] } : evidence.successionOf(primary);
  if (candidates.some((one) => one.node !== node && one.standing === 'in-step')) return null;
  const name = primary === undefined ? node.primaryId.slice(0, 8) : evidence.nameOf(primary);
  return `${name}, which it follows, does not answer, and nobody else is known to have what it has`;
}

/** Nobody else has these slots: it leads them where no other replica may have more, and its primary can't come back with more. */
function takeOver({ state, evidence, policy }: FixContext, orphan: Member, theirs: SlotRanges): Place | string {
  const reason = `it has the only copy of slots ${formatRanges(theirs)}`;
  const lost = state.nodes.find(({ nodeId }) => nodeId === orphan.node.primaryId);
  const dead = lost === undefined ? null : stepNodeOf(lost);
  const step: Step = { kind: 'take-over', node: orphan.step, how: 'takeover', dead, reason };
  if (lost === undefined) return { step, loss: null };
  const succession = evidence.successionOf(lost);
  const { best } = succession;
  if (best?.member != null && best.member.nodeId !== orphan.nodeId)
    return `${best.member.pod} has received more than ${orphan.pod} and takes over first`;
  const loss = best === null ? null : evidence.lossOf(succession, best);
  if (loss === null || isAgreed(loss, policy.acceptDataLoss)) return { step, loss };
  return `It would lose ${loss.sentence}. ${lossFlag(loss.slots)} agrees to that`;
}

/** The primary of the node's own shard; where no label says which, the one with fewest replicas, then on another host. */
export function homeOf({ primaries, members }: FixContext, node: Member): Member | null {
  const owners = primaries.filter((one) => one.node.slots.length > 0 && one !== node);
  const own = owners.filter((one) => one.node.shardLabel !== null && one.node.shardLabel === node.node.shardLabel);
  if (own.length === 1) return own[0] ?? null;
  const followers = ({ step }: Member): number => members.filter((one) => one.node.primaryId === step.nodeId).length;
  const together = (one: Member): number => Number(one.node.host !== null && one.node.host === node.node.host);
  const ordered = owners.toSorted((a, b) => followers(a) - followers(b) || together(a) - together(b));
  return ordered[0] ?? null;
}

/** By its own word, and nobody counts slots as its own: it may be given another primary. */
export function isReplica(node: ClusterNode): boolean {
  return node.role === 'replica' && node.slots.length === 0;
}

export function attach(replica: Member, primary: Member, reason: string): Step {
  return { kind: 'replicate', node: replica.step, primary: primary.step, reason };
}

/** @param stepFor a sentence where nothing can be done for it now */
function attachAll(
  context: FixContext,
  problems: readonly Problem[],
  title: string,
  stepFor: (replica: Member) => Step | string,
): Cure[] {
  return problems.map((problem) => {
    const replicas = context.members.filter(({ node }) => isReplica(node) && isNamed(context, problem, node));
    const answers = replicas.map(stepFor);
    const steps = answers.filter((answer) => typeof answer !== 'string');
    const refused = answers.find((answer) => typeof answer === 'string');
    if (steps.length === 0) return left(problem, 'after-others', refused ?? 'It does not answer any more');
    return repair([problem], title, steps);
  });
}
