/**
 * Primaries that are gone. Laws L7, L8: a replica with the keys takes over, the one that has most; before anybody is forgotten;
 * FORCE only where three witnesses say that the primary is dead, TAKEOVER only where there is no majority to vote, and then only
 * with consent and where the process can't come back behind our backs. Slots of a primary that may return are never given away.
 *
 * Who may lead, and what that would lose, is decided in evidence/succession.ts. Unasked a replica leads only where nothing is lost by
 * it: one that lacks what the primary may come back with waits for the primary, or for consent that names slots, time and keys.
 */
import type { Candidate } from '../../evidence/candidates.ts';
import { hasLostVolume } from '../../evidence/life.ts';
import { leftoverOf, unusedVolumes, wayBackOf, wayBackOfVolumes } from '../../evidence/leftovers.ts';
import type { Member } from '../../evidence/members.ts';
import type { Succession } from '../../evidence/succession.ts';
import { isAgreed, joinLosses, lossFlag, type Loss } from '../../model/loss.ts';
import type { Step } from '../../model/plan.ts';
import type { Problem } from '../../model/problem.ts';
import { formatRanges } from '../../model/slots.ts';
import type { ClusterNode } from '../../model/state.ts';
import { bringsBackMissing } from '../../check/pods.ts';
import { readGuard, refusedStart } from '../../wire/guard.ts';
import {
  inTurn,
  isNamed,
  left,
  repair,
  stepNodeOf,
  type Cure,
  type FixContext,
  type HealedCure,
  type Healer,
} from './fix-context.ts';
import { forgetStep } from './heal-ghosts.ts';
import { startEmpty } from './heal-lost-volumes.ts';

/** `primary-down` and `slots-without-node`. */
export const healPrimaries: Healer = (context, problems) => problems.map((problem) => healOne(context, problem));

function healOne(context: FixContext, problem: Problem): Cure {
  const lost = lostPrimary(context, problem);
  if (lost === null) return left(problem, 'by-itself', 'Look again in some seconds');
  const succession = context.evidence.successionOf(lost);
  if (succession.candidates.length === 0) return withoutHeir(context, problem, lost);
  const { best } = succession;
  if (best?.member == null) return left(problem, 'by-hand', bringAny(lost));
  const { member } = best;
  const step = { kind: 'take-over', node: member.step, dead: stepNodeOf(lost) } as const;
  if (isForgotten(context, lost)) {
    const reason = `${member.pod} has the only copy, and the others have forgotten whose these slots were: nobody would elect it`;
    return lead(context, problem, succession, best, { ...step, how: 'takeover', reason });
  }
  if (context.evidence.majority.is === 'gone')
    return left(problem, 'after-others', 'Without a majority of primaries nobody can be elected: see no-quorum');
  const witness = context.evidence.witnessesOf(lost, member).find(({ agrees }) => !agrees);
  if (witness !== undefined) return left(problem, 'by-itself', `Not dead for certain: ${witness.says}`);
  const reason = `${context.evidence.nameOf(lost)} is dead by three witnesses; ${member.pod} has ${keysOf(best)}, the most recent of all`;
  return lead(context, problem, succession, best, { ...step, how: 'force', reason });
}

function bringAny(lost: ClusterNode): string {
  const command = readGuard(lost.unreachable)?.startAnyway ?? null;
  return command === null
    ? 'Bring one of its replicas back, or itself with its volume: none of them answers'
    : `Bring one of its replicas back: none of them answers, and each may have more than is on its own volume. Without them: ${command}`;
}

/** Where it loses nothing, or what it loses was agreed to by its slots. */
function lead(context: FixContext, problem: Problem, succession: Succession, best: Candidate, step: Step): Cure {
  const { evidence } = context;
  const { slots } = succession.primary;
  const pod = best.member?.pod ?? '';
  const title = `let ${pod} take over ${formatRanges(slots)}`;
  const loss = evidence.lossOf(succession, best);
  if (loss === null) return repair([problem], title, [step]);
  if (isAgreed(loss, context.policy.acceptDataLoss)) return repair([problem], title, [step], loss);
  const flag = lossFlag(slots);
  const hint = `${bringBack(context, succession)}. ${flag} lets ${pod} lead instead, which would lose ${loss.sentence}`;
  return left(problem, 'needs-consent', hint, flag);
}

function bringBack({ evidence }: FixContext, { primary, candidates, life }: Succession): string {
  const silent = candidates.filter(({ member }) => member === null).map(({ node }) => evidence.nameOf(node));
  const others = silent.length === 0 ? '' : `, and ${silent.join(', ')}`;
  const name = evidence.nameOf(primary);
  const command = readGuard(primary.unreachable)?.startAnyway ?? null;
  const withKeys = readGuard(primary.unreachable)?.startWithKeys ?? null;
  if (withKeys !== null) return withItsKeys(name, withKeys);
  if (silent.length === 0 && refusedStart(primary.unreachable) === 'dump')
    return `${name} has no append-only file any more, and its dump may be of an earlier time than what others have: kubectl redis check says how to load it, and who has more leads before it does`;
  if (command !== null && silent.length === 0)
    return `${name} waits, because the data on its volume may be older than what it served. To go on with that: ${command}`;
  if (command !== null || (life.kind === 'dead' && life.returns !== 'whole'))
    return silent.length === 0 ? 'Nobody can come back with more' : `Bring ${silent.join(', ')} back first`;
  return `Bring ${name} back with its volume first${others}: it has what is lacking`;
}

function withItsKeys(name: string, command: string): string {
  return `The volume of ${name} has keys and no nodes.conf. If they are the keys of this node, it starts with them after: ${command}`;
}

function keysOf({ keys }: Candidate): string {
  return keys === null ? 'an unknown number of keys' : `${keys} keys`;
}

/**
 * All shards whose replica may take over, and what each loses, in one plan: who agrees sees them all. One shard after the other, because each
 * takes an epoch that the next must see; those whose turn comes when there is a majority again are elected.
 */
export const healNoQuorum: Healer = (context, problems) =>
  problems.flatMap((problem) => {
    // No replica has anything either: nobody is to take over from nobody.
    const empty = startEmpty(context, problem);
    if (empty !== null) return [empty];
    const { evidence, policy } = context;
    const led = evidence.majority.down.flatMap((primary) => takeoverOf(context, primary));
    const ready = led.filter(({ isCertain }) => isCertain);
    if (ready.length === 0) {
      const hint =
        'Bring back pods, one of each shard: no replica may take over while its primary may still run, or while another replica that may have more does not answer';
      return [left(problem, 'by-hand', hint)];
    }
    const elected = led.filter(({ isCertain }) => !isCertain);
    const open = led.filter(({ loss }) => loss !== null && !isAgreed(loss, policy.acceptDataLoss));
    // With a majority again the servers elect the others by themselves: what that loses is agreed to before the first, or nothing is done.
    if (!policy.takeover || open.length > 0) return [askFor(problem, ready, elected)];
    const cures = ready.map((one, at) => takeOver(context, problem, one, at < takeoversUntilMajority(context)));
    const [first] = cures;
    if (first !== undefined) {
      const all = joinLosses([...(first.loses === null ? [] : [first.loses]), ...elected.map(lossOfElection)]);
      cures[0] = { ...first, loses: all };
    }
    return inTurn(cures);
  });

/** How many have to lead without a vote before there are enough to vote. */
function takeoversUntilMajority({ evidence: { majority } }: FixContext): number {
  const { owners, down } = majority;
  return Math.floor(owners.length / 2) + 1 - (owners.length - down.length);
}

function takeOver(context: FixContext, problem: Problem, one: Takeover, isFirst: boolean): HealedCure {
  const { primary, member } = one;
  const title = `let ${member.pod} take over ${formatRanges(primary.slots)}${isFirst ? ' without a vote' : ''}`;
  const dead = `${context.evidence.nameOf(primary)} is dead for certain`;
  const reason = isFirst
    ? `no majority is left to elect anybody, and ${dead}`
    : `${dead}, and there is a majority to elect it by then`;
  const how = isFirst ? 'takeover' : 'force';
  const step: Step = { kind: 'take-over', node: member.step, how, dead: stepNodeOf(primary), reason };
  return repair([problem], title, [step], lossOfTaking(one));
}

/** Also of a replica that was in step: its primary may have taken writes that it told nobody. */
function lossOfTaking({ primary, member, loss }: Takeover): Loss {
  const { slots } = primary;
  const sentence = `writes to slots ${formatRanges(slots)} that ${member.pod} had not received`;
  return loss ?? { slots, keys: null, seconds: null, sentence };
}

/** The servers need no more than a majority for it; they ask neither us nor whether the primary is dead for certain. */
function lossOfElection(one: Takeover): Loss {
  const loss = lossOfTaking(one);
  return { ...loss, sentence: `${loss.sentence}, because the servers then elect ${one.member.pod} by themselves` };
}

function askFor(problem: Problem, takeovers: readonly Takeover[], elected: readonly Takeover[]): Cure {
  const slots = [...takeovers, ...elected].flatMap(({ loss, primary }) => (loss === null ? [] : primary.slots));
  const flags = ['--takeover', ...(slots.length === 0 ? [] : [lossFlag(slots)])].join(' ');
  const pods = takeovers.map(({ member }) => member.pod).join(', ');
  const losses = [...takeovers.map(lossOfTaking), ...elected.map(lossOfElection)]
    .map(({ sentence }) => sentence)
    .join('; ');
  const hint = `Bring the pods back if that can be. Else ${flags} lets ${pods} take over, which would lose ${losses}`;
  return left(problem, 'needs-consent', hint, flags);
}

interface Takeover {
  readonly primary: ClusterNode;
  readonly member: Member;
  readonly loss: Loss | null;
  /**
   * The primary's process can't be running, and everybody who may have more answers. Otherwise nothing of ours has the replica lead, and the
   * servers elect one by themselves.
   */
  readonly isCertain: boolean;
}

function takeoverOf({ evidence }: FixContext, primary: ClusterNode): Takeover[] {
  const succession = evidence.successionOf(primary);
  const { best, candidates, life } = succession;
  if (best?.member == null) return [];
  const isCertain = life.kind === 'dead' && candidates.every(({ member }) => member !== null);
  return [{ primary, member: best.member, loss: evidence.lossOf(succession, best), isCertain }];
}

function lostPrimary(context: FixContext, problem: Problem): ClusterNode | null {
  const named = context.state.nodes.filter((node) => node.slots.length > 0 && node.reply?.kind !== 'answered');
  const missing = context.check.missing.find(({ pod, node }) => node !== null && problem.nodes.includes(pod));
  return named.find((node) => isNamed(context, problem, node) || node === missing?.node) ?? null;
}

/** Only those who followed it remember it, and no pod waits to come back as it: FORGET came before a failover (law L8). */
function isForgotten({ members, check }: FixContext, lost: ClusterNode): boolean {
  if (lost.pod !== null || check.missing.some(({ node }) => node === lost)) return false;
  const others = members.filter(({ node }) => node.primaryId !== lost.nodeId);
  return others.length > 0 && others.every(({ knows }) => !knows.has(lost.nodeId ?? ''));
}

/** Nobody has its keys but its own volume. */
function withoutHeir(context: FixContext, problem: Problem, lost: ClusterNode): Cure {
  const { evidence, state } = context;
  const name = evidence.nameOf(lost);
  const slots = formatRanges(lost.slots);
  const life = evidence.lifeOf(lost);
  if (life.kind !== 'dead' || life.returns === 'whole') {
    const leftover = leftoverOf(state, lost);
    const known = leftover === null ? '' : `. ${wayBackOf(state, leftover)}`;
    const command = readGuard(lost.unreachable)?.startWithKeys ?? null;
    const missing = context.check.missing.filter(({ node }) => node === lost);
    const way = missing.length === 0 ? '' : ` (${bringsBackMissing(context.check, missing)})`;
    const back = command === null ? `Bring ${name} back with its volume${way}` : withItsKeys(name, command);
    const hint = `${back}: no other node has its keys. Its slots are not given to others, because that would be the end of them${known}`;
    return left(problem, 'refused', hint);
  }
  // Who waits with an empty volume is asked about nothing: it may be the very node that is lost.
  const silent = state.nodes.find(
    (node) => node.pod !== null && node !== lost && node.reply?.kind !== 'answered' && !hasLostVolume(node),
  );
  if (silent !== undefined)
    return left(problem, 'after-others', `${evidence.nameOf(silent)} does not answer, and may have to do with it`);
  const flag = lossFlag(lost.slots);
  const unused = unusedVolumes(state);
  if (!isAgreed(lost, context.policy.acceptDataLoss)) {
    const where = unused === null ? '' : ` It may be that of ${unused}. ${wayBackOfVolumes(state)}.`;
    const hint = `If its volume still exists, bring the pod back with it.${where} If it is gone for good, ${flag} gives its keys up, so that the slots can be served again, empty`;
    return left(problem, 'needs-consent', hint, flag);
  }
  const gone = unused === null ? 'is gone with its volume' : `is gone, and its volume may be that of ${unused}`;
  const sentence = `every key of slots ${slots}: the only node that had them ${gone}`;
  const loses = { slots: lost.slots, keys: null, seconds: null, sentence };
  const steps = [forgetStep(context, lost, 'its data is gone; nobody else has it')];
  return repair([problem], `give up what ${name} had`, steps, loses);
}
