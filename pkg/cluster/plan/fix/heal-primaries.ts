/**
 * Primaries that are gone. Laws L7, L8: a replica with the keys takes over, the one that has most; before anybody is forgotten;
 * FORCE only where three witnesses say that the primary is dead, TAKEOVER only where there is no majority to vote, and then only
 * with consent and where the process can't come back behind our backs. Slots of a primary that may return are never given away.
 */
import { hasQuorum } from '../../check/quorum.ts';
import { isCertain, isSeenDown } from '../../check/down.ts';
import type { Problem } from '../../model/problem.ts';
import { formatRanges, subtractRanges } from '../../model/slots.ts';
import type { ClusterNode } from '../../model/state.ts';
import type { Member } from '../form-members.ts';
import { isNamed, left, repair, type Cure, type FixContext, type Healer } from './fix-context.ts';
import { forgetStep } from './heal-ghosts.ts';
import { startEmpty } from './heal-lost-volumes.ts';

/** `primary-down` and `slots-without-node`. */
export const healPrimaries: Healer = (context, problems) => problems.map((problem) => healOne(context, problem));

function healOne(context: FixContext, problem: Problem): Cure {
  const lost = lostPrimary(context, problem);
  if (lost === null) return left(problem, 'by-itself', 'Look again in some seconds');
  if (heirsOf(context, lost).length === 0 && context.state.nodes.every((node) => node.primaryId !== lost.nodeId))
    return withoutHeir(context, problem, lost);
  const best = bestHeir(context, lost);
  if (best === null)
    return left(problem, 'by-hand', 'Bring one of its replicas back, or itself with its volume: none of them answers');
  const doubt = doubtAbout(context, best);
  if (doubt !== null) return left(problem, 'by-hand', doubt);
  const title = `let ${best.step.pod} take over ${formatRanges(lost.slots)}`;
  if (isForgotten(context, lost)) {
    const reason = `${best.step.pod} has the only copy, and the others have forgotten whose these slots were: nobody would elect it`;
    return repair([problem], title, [{ kind: 'take-over', node: best.step, how: 'takeover', reason }]);
  }
  if (!hasQuorum(context.check))
    return left(problem, 'after-others', 'Without a majority of primaries nobody can be elected: see no-quorum');
  const witness = missingWitness(context, lost, best);
  if (witness !== null) return left(problem, 'by-itself', witness);
  const reason = `${nameOf(context, lost)} is dead by three witnesses; ${best.step.pod} has ${best.answer.info.keys} keys, the most recent of all`;
  return repair([problem], title, [{ kind: 'take-over', node: best.step, how: 'force', reason }]);
}

/** One shard after the other: each takes an epoch that the next must see. */
export const healNoQuorum: Healer = (context, problems) =>
  problems.map((problem) => {
    // No replica has anything either: nobody is to take over from nobody.
    const empty = startEmpty(context, problem);
    if (empty !== null) return empty;
    const lost = context.state.nodes.filter((node) => node.slots.length > 0 && context.check.isDown(node));
    const ready = lost.flatMap((node) => {
      const best = bestHeir(context, node);
      const whole =
        best !== null && isFenced(context, node) && !hasSilentHeir(context, node) && doubtAbout(context, best) === null;
      return whole ? [{ node, best }] : [];
    });
    const [first] = ready;
    const flag = '--takeover';
    if (first === undefined) {
      const hint = `Bring back pods, one of each shard: no replica may take over while its primary may still run, or while another replica that may have more does not answer`;
      return left(problem, 'by-hand', hint);
    }
    if (!context.policy.takeover) {
      const hint = `Bring the pods back if that can be. Else ${flag} lets ${ready.map(({ best }) => best.step.pod).join(', ')} take over; writes that they had not received are lost`;
      return left(problem, 'needs-consent', hint, flag);
    }
    const { best, node } = first;
    const title = `let ${best.step.pod} take over ${formatRanges(node.slots)} without a vote`;
    const reason = `no majority is left to elect anybody, and ${nameOf(context, node)} is dead for certain`;
    const loses = {
      slots: node.slots,
      keys: null,
      sentence: `writes to slots ${formatRanges(node.slots)} that ${best.step.pod} had not received`,
    };
    return repair([problem], title, [{ kind: 'take-over', node: best.step, how: 'takeover', reason }], loses);
  });

function nameOf({ check }: FixContext, node: ClusterNode): string {
  return check.nameOf(node);
}

function lostPrimary(context: FixContext, problem: Problem): ClusterNode | null {
  const named = context.state.nodes.filter((node) => node.slots.length > 0 && node.reply?.kind !== 'answered');
  const missing = context.check.missing.find(({ pod, node }) => node !== null && problem.nodes.includes(pod));
  return named.find((node) => isNamed(context, problem, node) || node === missing?.node) ?? null;
}

/** Replicas of it that answer. */
function heirsOf({ members }: FixContext, lost: ClusterNode): Member[] {
  return members.filter(({ node }) => node.role === 'replica' && node.primaryId === lost.nodeId);
}

/** Who has received most; with equal offsets the one with more keys, then the first by name. */
function bestHeir(context: FixContext, lost: ClusterNode): Member | null {
  const { keys, replicationOffset } = { keys: keysIn, replicationOffset: offsetOf };
  const ordered = heirsOf(context, lost).toSorted(
    (a, b) =>
      Number(keys(b) > 0) - Number(keys(a) > 0) || replicationOffset(b) - replicationOffset(a) || keys(b) - keys(a),
  );
  return ordered[0] ?? null;
}

function keysIn({ answer }: Member): number {
  return answer.info.keys;
}

function offsetOf({ answer }: Member): number {
  return answer.info.replicationOffset;
}

/** A replica without a key in a cluster with keys has most likely copied an empty node. */
function doubtAbout({ members }: FixContext, best: Member): string | null {
  if (best.answer.info.keys > 0 || members.every((member) => keysIn(member) === 0)) return null;
  return `${best.step.pod} has no key, so it may have copied a node that came back empty: look at its append-only file before anything else. If the shard was empty, kubectl redis failover ${best.step.pod} --force`;
}

function hasSilentHeir({ state }: FixContext, lost: ClusterNode): boolean {
  return state.nodes.some(
    (node) => node.primaryId === lost.nodeId && node.pod !== null && node.reply?.kind !== 'answered',
  );
}

/** What still speaks for waiting; null = all three say that it is dead: ourselves, the majority of the nodes, the replica. */
function missingWitness({ members, state }: FixContext, lost: ClusterNode, best: Member): string | null {
  const unnamed = state.nodes.some((node) => node.pod !== null && node.nodeId === null);
  const gone = lost.pod === null ? !unnamed : lost.unreachable !== null && isCertain(lost.unreachable.why);
  if (!gone) return 'It is not certain that it is dead: only the way to it may be broken';
  const seen = members.flatMap(({ answer }) => answer.view.filter(({ nodeId }) => nodeId === lost.nodeId));
  const failed = seen.filter(({ flags }) => isSeenDown(flags)).length;
  if (failed * 2 <= members.length)
    return 'The others have not found it failed yet; then a replica takes over by itself';
  if (best.answer.info.primaryLinkUp !== false) return `${best.step.pod} still has a link to its address`;
  return null;
}

/** Only those who followed it remember it, and no pod waits to come back as it: FORGET came before a failover (law L8). */
function isForgotten({ members, check }: FixContext, lost: ClusterNode): boolean {
  if (lost.pod !== null || check.missing.some(({ node }) => node === lost)) return false;
  const others = members.filter(({ node }) => node.primaryId !== lost.nodeId);
  return others.length > 0 && others.every(({ knows }) => !knows.has(lost.nodeId ?? ''));
}

/** Its process can't be running: no pod, none of its containers, a guard in its place, or a port where nobody listens. */
function isFenced({ check }: FixContext, node: ClusterNode): boolean {
  const host = check.observation.kube.hosts.find(({ name }) => name === node.host);
  if (host !== undefined && !host.ready) return false;
  if (node.pod === null) return true;
  const { unreachable } = node;
  return unreachable !== null && ['guard-waiting', 'not-running', 'refused', 'no-pod'].includes(unreachable.why);
}

/** Nobody has its keys but its own volume. */
function withoutHeir(context: FixContext, problem: Problem, lost: ClusterNode): Cure {
  const { check, policy, state } = context;
  const slots = formatRanges(lost.slots);
  const back = `Bring ${nameOf(context, lost)} back with its volume: no other node has its keys. Its slots are not given to others, because that would be the end of them`;
  const tied = check.missing.some(({ node }) => node === lost);
  const empty = lost.unreachable?.why === 'guard-waiting';
  if (tied || (lost.pod !== null && !empty)) return left(problem, 'refused', back);
  const silent = state.nodes.find((node) => node.pod !== null && node !== lost && node.reply?.kind !== 'answered');
  if (silent !== undefined)
    return left(problem, 'after-others', `${nameOf(context, silent)} does not answer, and may have to do with it`);
  const flag = `--accept-data-loss ${slots}`;
  if (subtractRanges(lost.slots, policy.acceptDataLoss).length > 0) {
    const hint = `If its volume still exists, bring the pod back with it. If it is gone for good, ${flag} gives its keys up, so that the slots can be served again, empty`;
    return left(problem, 'needs-consent', hint, flag);
  }
  const sentence = `every key of slots ${slots}: the only node that had them is gone with its volume`;
  const loses = { slots: lost.slots, keys: null, sentence };
  const steps = [forgetStep(context, lost, 'its data is gone; nobody else has it')];
  return repair([problem], `give up what ${nameOf(context, lost)} had`, steps, loses);
}
