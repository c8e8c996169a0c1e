/** Keys at the wrong node, slots that nobody or more than one claims, and views that name the wrong owner. */
import { endsWith, silentTellers } from '../../check/views.ts';
import type { Step } from '../../model/plan.ts';
import type { Problem } from '../../model/problem.ts';
import {
  containsSlot,
  formatRanges,
  intersectRanges,
  slotsFromRanges,
  subtractRanges,
  type SlotRanges,
} from '../../model/slots.ts';
import { lossOfGiving } from '../../evidence/leftovers.ts';
import type { Member } from '../../evidence/members.ts';
import { goesToOlder } from '../refuse-older.ts';
import { meetUnknown } from '../unknown-nodes.ts';
import { isFound, isNamed, left, leftAll, repair, type Cure, type FixContext, type Healer } from './fix-context.ts';
import { claimsOf, isOutvoted, keysOf } from './slot-evidence.ts';
import { withoutVolumes } from './unused-volumes.ts';

/**
 * Laws L5, L6: the owner's copy of a key wins; another one that differs is saved first. In the middle of an upgrade an owner may run an older
 * server, which takes no key of the holder's (law L14): then the slot goes to the holder, for in that direction keys can go. The holder opens
 * it, and what is half open is moved on by `healOpenSlots`.
 */
export const healStrays: Healer = (context, problems) => {
  const holders = context.primaries.filter(({ node }) => problems.some((problem) => isNamed(context, problem, node)));
  if (holders.length === 0) return leftAll(problems, 'after-others', 'Its holder does not answer any more');
  const owner = context.state.nodes.find((node) => node.slots.length > 0 && node.reply?.kind !== 'answered');
  if (owner !== undefined) {
    const name = context.check.nameOf(owner);
    return leftAll(
      problems,
      'after-others',
      `${name}, an owner of slots, does not answer: some of these keys may be its`,
    );
  }
  const steps = holders.map(({ step, node }): Step => {
    const older = context.state.nodes.filter((one) => one !== node && one.slots.length > 0 && goesToOlder(node, one));
    const reason = `${step.pod} holds keys of slots that it does not own`;
    const names = older.map(context.check.nameOf).join(', ');
    if (older.length === 0) return { kind: 'settle-strays', holder: step, slots: null, reason };
    return {
      kind: 'settle-strays',
      holder: step,
      slots: null,
      older: older.flatMap(({ nodeId }) => nodeId ?? []),
      reason: `${reason}; those of ${names}, whose server is older and takes none of them, go to ${step.pod}`,
    };
  });
  return [repair(problems, 'bring keys to the owners of their slots', steps)];
};

/** Nodes name an owner that denies it: the one that holds the keys is told that it is, before all others. */
export const healUnclaimed: Healer = (context, problems) => problems.map((problem) => claim(context, problem));

function claim(context: FixContext, problem: Problem): Cure {
  const named = context.primaries.filter(({ node }) => isNamed(context, problem, node));
  if (named.some((member) => isUncounted(context, member, problem.slots)))
    return left(problem, 'by-hand', 'Who holds the keys of these slots could not be counted');
  const holders = named.filter((member) => holdsAny(context, member, problem.slots));
  const open = named.filter(({ node }) => node.gossip?.importing.some(({ slot }) => containsSlot(problem.slots, slot)));
  if (holders.length > 1) return leftWithKeys(problem, holders);
  const [owner] = holders.length === 1 ? holders : open.length === 1 ? open : named.toSorted(byVotes(context, problem));
  if (owner === undefined) return left(problem, 'after-others', 'The node that is named for them does not answer');
  if (isOutvoted(context, owner)) return left(problem, 'after-others', waitForRival(owner));
  const ranges = problem.slots;
  const loses = holders.length === 0 ? lossOfGiving(context.state, ranges) : null;
  const unused = loses === null ? null : withoutVolumes(context, problem, ranges);
  if (unused !== null) return unused;
  const reason = `nobody serves slots ${formatRanges(ranges)}`;
  const step: Step = { kind: 'set-slot-owner', node: owner.step, owner: owner.step, ranges, reason };
  return repair([problem], 'name an owner of slots that nobody claims', [step], loses);
}

/** Whom most views name comes first. */
function byVotes({ members }: FixContext, { slots }: Problem): (a: Member, b: Member) => number {
  const votes = ({ step }: Member): number =>
    members.filter(({ answer }) =>
      answer.view.some((line) => line.nodeId === step.nodeId && intersectRanges(line.slots, slots).length > 0),
    ).length;
  return (a, b) => votes(b) - votes(a);
}

/** Two claim it. As long as they do not hear of each other nothing is lost: who has nothing of it yields, before they do. */
export const healContested: Healer = (context, problems) =>
  problems.map((problem) => {
    const claiming = context.primaries.filter(
      (member) => isNamed(context, problem, member.node) && intersectRanges(claimsOf(member), problem.slots).length > 0,
    );
    const unknown = claiming.some((member) => isUncounted(context, member, problem.slots));
    if (claiming.length < problem.nodes.length)
      return left(problem, 'after-others', 'One of them does not answer: bring it back first');
    if (unknown) return left(problem, 'by-hand', 'Who holds the keys of these slots could not be counted');
    const holders = claiming.filter((member) => holdsAny(context, member, problem.slots));
    if (holders.length > 1) return leftWithKeys(problem, holders);
    const [owner] = holders.length === 1 ? holders : claiming.toSorted((a, b) => epochOf(b) - epochOf(a));
    if (owner !== undefined && isOutvoted(context, owner)) return left(problem, 'after-others', waitForRival(owner));
    const steps = claiming
      .filter((member) => member !== owner)
      .map((member): Step => ({
        kind: 'yield-slots',
        node: member.step,
        owner: owner?.step ?? member.step,
        ranges: intersectRanges(claimsOf(member), problem.slots),
        reason: `${owner?.step.pod ?? ''} has their keys`,
      }));
    return repair([problem], 'settle who owns slots that two claim', steps);
  });

function leftWithKeys(problem: Problem, holders: readonly Member[]): Cure {
  const names = holders.map(({ step }) => step.pod).join(' and ');
  const hint = `${names} both hold keys of them, and one copy would be lost: save one side's keys (DUMP), delete them there, then run fix again`;
  return left(problem, 'by-hand', hint);
}

function epochOf({ node }: Member): number {
  return node.gossip?.configEpoch ?? 0;
}

function waitForRival({ pod }: Member): string {
  return `${pod} would get an epoch above all others, and claims slots that a silent node owns by a newer one: bring that back first`;
}

function isUncounted(context: FixContext, member: Member, slots: SlotRanges): boolean {
  return slotsFromRanges(slots).some((slot) => keysOf(context, member, slot) === null);
}

function holdsAny(context: FixContext, member: Member, slots: SlotRanges): boolean {
  return slotsFromRanges(slots).some((slot) => (keysOf(context, member, slot) ?? 0) > 0);
}

/** A primary that names another owner is told; a node that does not know another is led to it. Others hear it from them. */
export const healViews: Healer = (context, problems) => {
  if (isFound(context, 'slots-contested'))
    return leftAll(problems, 'after-others', 'Whose contested slots are comes first: who loses them deletes its keys');
  const steps = [...unknownNodes(context), ...staleOwners(context), ...overratedEpochs(context)];
  if (steps.length > 0) return [repair(problems, 'bring the views together', steps)];
  const silent = silentTellers(context.check, context.problems);
  if (silent.length > 0) return leftAll(problems, 'after-others', endsWith(silent));
  const hint = isFound(context, 'link-down')
    ? 'Nodes have no link to each other: mend that first (Services, network policies)'
    : 'Look again in ten seconds; kubectl redis check says whether it stays';
  return leftAll(problems, isFound(context, 'link-down') ? 'after-others' : 'by-itself', hint);
};

/** Only between nodes that others of the cluster know (law L2), and one step for each that is missed. */
function unknownNodes({ members, check }: FixContext): Step[] {
  const main = new Set(check.groups.main);
  return meetUnknown(members.filter(({ step }) => main.has(step.nodeId)));
}

/**
 * A view that gives an owner a higher config epoch than it has: it took another's word for its own, when they were at each other's
 * address. It would never believe that one of these slots moved. A new epoch, above all others, is right for who owns them.
 */
function overratedEpochs(context: FixContext): Step[] {
  const { primaries, members } = context;
  return primaries.flatMap((member): Step[] => {
    const { step, node, answer } = member;
    const own = answer.view.find(({ nodeId }) => nodeId === step.nodeId)?.configEpoch ?? 0;
    const viewer = members.find((one) =>
      one.answer.view.some((line) => line.nodeId === step.nodeId && line.configEpoch > own),
    );
    if (viewer === undefined || node.slots.length === 0 || isOutvoted(context, member)) return [];
    const reason = `${viewer.step.pod} gives ${step.pod} a config epoch that it does not have`;
    return [{ kind: 'bump-epoch', node: step, reason }];
  });
}

/** Replicas take no SETSLOT: they follow what their primary and gossip say. */
function staleOwners({ primaries }: FixContext): Step[] {
  return primaries.flatMap((viewer) =>
    primaries.flatMap((owner): Step[] => {
      const line = viewer.answer.view.find(({ nodeId }) => nodeId === owner.step.nodeId);
      if (owner === viewer || line === undefined) return [];
      const claimed = intersectRanges(claimsOf(owner), owner.node.slots);
      const ranges = subtractRanges(subtractRanges(claimed, line.slots), claimsOf(viewer));
      if (ranges.length === 0) return [];
      const reason = `${viewer.step.pod} does not take ${owner.step.pod} for the owner of slots ${formatRanges(ranges)}`;
      return [{ kind: 'set-slot-owner', node: viewer.step, owner: owner.step, ranges, reason }];
    }),
  );
}
