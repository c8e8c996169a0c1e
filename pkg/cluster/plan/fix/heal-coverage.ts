/**
 * Slots that nobody owns. Who holds keys of one gets it; one of which nobody holds a key goes where it makes the fewest ranges.
 * Nothing is given away while anybody who might hold keys can't be asked: that would be the end of them (law L4). A volume that no pod
 * uses can't be asked for as long as the record does not name its node; without it slots are given away only where that was agreed to.
 */
import type { Step } from '../../model/plan.ts';
import type { Problem } from '../../model/problem.ts';
import { containsSlot, formatRanges, rangesFromSlots, slotsFromRanges, type SlotRange } from '../../model/slots.ts';
import { returnsOfMissing } from '../../evidence/life.ts';
import { lossOfGiving, unrecordedClaims, wayBackOfVolumes } from '../../evidence/leftovers.ts';
import { isAgreed } from '../../model/loss.ts';
import type { ClusterNode } from '../../model/state.ts';
import type { Member } from '../../evidence/members.ts';
import { isFound, left, repair, type Cure, type FixContext, type Healer } from './fix-context.ts';
import { withoutVolumes } from './unused-volumes.ts';
import { startEmpty } from './heal-lost-volumes.ts';
import { isOutvoted, keysOf } from './slot-evidence.ts';

export const healCoverage: Healer = (context, problems) => problems.map((problem) => cover(context, problem));

function cover(context: FixContext, problem: Problem): Cure {
  // Whoever runs knows of no owner any more, and whoever waits has no keys.
  const empty = startEmpty(context, problem);
  if (empty !== null) return empty;
  const wait = whyNotYet(context);
  if (wait !== null) return left(problem, 'after-others', wait);
  const slots = slotsFromRanges(context.state.uncovered);
  const holders = new Map(slots.map((slot) => [slot, holdersOf(context, slot)]));
  if ([...holders.values()].includes(null))
    return left(problem, 'by-hand', 'Who holds keys of these slots could not be counted: no node may get them before');
  const torn = slots.filter((slot) => (holders.get(slot)?.length ?? 0) > 1);
  const clear = slots.filter((slot) => !torn.includes(slot));
  if (clear.length === 0) {
    const hint = `More than one node holds keys of slots ${formatRanges(rangesFromSlots(torn))}: save what one side has (DUMP), delete it there, then run fix again`;
    return left(problem, 'by-hand', hint);
  }
  const gifts = new Map<Member, number[]>();
  const give = (member: Member, some: readonly number[]): void =>
    void gifts.set(member, [...(gifts.get(member) ?? []), ...some]);
  for (const slot of clear) for (const member of holders.get(slot) ?? []) give(member, [slot]);
  const vacant = rangesFromSlots(clear.filter((slot) => holders.get(slot)?.length === 0));
  for (const [at, range] of vacant.entries()) {
    const member = takerOf(context, range, at);
    if (member === null) return left(problem, 'after-others', 'No primary that answers can take them');
    give(member, slotsFromRanges([range]));
  }
  const given = rangesFromSlots(clear);
  const title = 'give slots without an owner to who has their keys, or to a neighbour';
  const steps = [...gifts].map(([member, some]) => stepOf(context, member, some));
  // (Also those that somebody holds keys of: what is there may be what a move had brought, and the rest is on the volume.)
  return withoutVolumes(context, problem, given) ?? repair([problem], title, steps, lossOfGiving(context.state, given));
}

function stepOf({ primaries }: FixContext, { step: node }: Member, slots: readonly number[]): Step {
  const ranges = rangesFromSlots(slots);
  const others = primaries.map(({ step }) => step).filter(({ nodeId }) => nodeId !== node.nodeId);
  return { kind: 'cover-slots', node, ranges, others, reason: `nobody owns slots ${formatRanges(ranges)}` };
}

function whyNotYet(context: FixContext): string | null {
  const { state, check } = context;
  const agreed = isAgreed({ slots: state.uncovered }, context.policy.acceptDataLoss);
  const silent = state.nodes.find(
    (node) => node.pod !== null && node.reply?.kind !== 'answered' && !(agreed && isEmptied(context, node)),
  );
  if (silent !== undefined)
    return `${check.nameOf(silent)} does not answer, and may hold their keys: bring it back first`;
  const { kube } = check.observation;
  const missing = check.missing.find((one) => !agreed || returnsOfMissing(one, { state, kube }) !== 'empty');
  const leftover = state.leftovers.find(({ node, claim }) => claim !== null && `${node}-0` === missing?.pod);
  if (leftover?.claim != null && unrecordedClaims(state).includes(leftover.claim))
    return `${missing?.pod} is missing, and its volume may hold their keys. ${wayBackOfVolumes(state)}`;
  if (missing !== undefined)
    return `${missing.pod} is missing, and its volume may hold their keys: kubectl redis create brings it back`;
  if (isFound(context, 'replica-orphaned'))
    return 'A replica without a primary may hold their keys: it is given its place first';
  const rival = context.primaries.find((member) => isOutvoted(context, member));
  if (rival !== undefined)
    return `${rival.pod} claims slots that a silent node owns by a newer config epoch: bring that back first`;
  const late = context.members.find(
    ({ step, node }) => check.groups.outside.has(step.nodeId) && !ownsAny(context, node.shardLabel),
  );
  return late === undefined ? null : `${late.step.pod} is of a shard without slots, and joins the cluster first`;
}

/**
 * Its volume has no data. Where what was on it was agreed to be lost, the run that had the node forgotten goes on with its slots; unasked they
 * wait until it answers, for as long as that may be with the volume that it had.
 */
function isEmptied({ evidence }: FixContext, node: ClusterNode): boolean {
  const life = evidence.lifeOf(node);
  return life.kind === 'dead' && life.returns === 'empty';
}

function ownsAny({ state }: FixContext, shard: string | null): boolean {
  return shard === null || state.nodes.some((node) => node.shardLabel === shard && node.slots.length > 0);
}

/** null = somebody was not counted. */
function holdersOf(context: FixContext, slot: number): Member[] | null {
  const counts = context.primaries.map((member) => ({ member, keys: keysOf(context, member, slot) }));
  if (counts.some(({ keys }) => keys === null)) return null;
  return counts.filter(({ keys }) => (keys ?? 0) > 0).map(({ member }) => member);
}

/** A primary that waits for slots, where the cluster has fewer owners than it should; else the owner of the slots beside them. */
function takerOf({ primaries, state, check }: FixContext, range: SlotRange, at: number): Member | null {
  const joined = primaries.filter(
    (member) => !check.groups.outside.has(member.nodeId) && !isOutvoted({ state }, member),
  );
  const owners = joined.filter(({ node }) => node.slots.length > 0);
  const shardsWithSlots = new Set(owners.flatMap(({ node }) => node.shardLabel ?? []));
  const idle = joined.filter(({ node }) => node.slots.length === 0 && !shardsWithSlots.has(node.shardLabel ?? ''));
  const lacking = idle.length > 0 && owners.length < (state.desired?.masters ?? owners.length + 1);
  if (lacking) return idle[at % idle.length] ?? null;
  const beside = [range.start - 1, range.end + 1].flatMap((slot) =>
    owners.filter(({ node }) => containsSlot(node.slots, slot)),
  );
  return beside[0] ?? owners[0] ?? joined[0] ?? null;
}
