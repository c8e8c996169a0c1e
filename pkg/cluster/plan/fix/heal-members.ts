/** Pods that are no part of the cluster, and nodes that lead nobody and nothing: into the cluster, and behind who needs a replica. */
import type { Step } from '../../model/plan.ts';
import type { Candidate } from '../../evidence/candidates.ts';
import { finishesShape } from '../../evidence/idle-shards.ts';
import { shapeToReach } from '../../check/balance.ts';
import { makesMissing } from '../../check/pods.ts';
import { secondOwners, takesSlotsAway } from '../../evidence/second-owners.ts';
import { NODE_LABEL, SHARD_LABEL } from '../../model/labels.ts';
import { recordOf } from '../../model/record.ts';
import { formatRanges } from '../../model/slots.ts';
import type { ClusterNode } from '../../model/state.ts';
import type { Member } from '../../evidence/members.ts';
import {
  hasGuard,
  isFound,
  isNamed,
  isYoung,
  left,
  repair,
  type Cure,
  type FixContext,
  type Healer,
} from './fix-context.ts';
import { giveItsOwnVolume } from '../contested.ts';
import { attach, homeOf, isReplica, whoMisses } from './heal-replicas.ts';
import { claimsOf } from './slot-evidence.ts';

/** Law L2: only an empty node that knows nobody, met by one that owns slots. */
export const healNewcomers: Healer = (context, problems) =>
  problems.map((problem) => {
    const { check, members, primaries } = context;
    const seed = primaries.find(({ node, step }) => node.slots.length > 0 && check.groups.main.includes(step.nodeId));
    const named = members.filter(
      ({ node, step }) => check.groups.outside.has(step.nodeId) && isNamed(context, problem, node),
    );
    // Met with slots that somebody silent owns, it would win them by its config epoch, and their owner would drop its keys.
    const claiming = named.find((member) => claimsOf(member).length > 0);
    if (claiming !== undefined && isFound(context, 'slots-contested'))
      return left(problem, 'after-others', 'Whose contested slots are is settled first');
    if (claiming !== undefined) {
      const hint = `${claiming.step.pod} claims slots ${formatRanges(claimsOf(claiming))} and is not of this cluster: CLUSTER FLUSHSLOTS on it, if it may give them up`;
      return left(problem, 'refused', hint);
    }
    const strange = named.find(({ knows, answer }) => knows.size > 1 || answer.info.keys > 0);
    if (strange !== undefined) {
      const { step, knows } = strange;
      const what = knows.size > 1 ? 'knows nodes that are not of this cluster' : 'holds keys of its own';
      const hint = `${step.pod} ${what}: its volume has another past. ${giveItsOwnVolume(step.pod, context.state.cluster)}`;
      return left(problem, 'refused', hint);
    }
    const now = named.filter((member) => !comesByItself(context, member));
    if (seed === undefined) return left(problem, 'after-others', 'No owner of slots answers that could introduce it');
    if (now.length === 0) return left(problem, 'by-itself', 'It started a moment ago, and its start script joins it');
    const steps = now.map(({ step, uid }): Step => ({
      kind: 'meet',
      node: seed.step,
      other: step,
      otherUid: uid,
      reason: `${step.pod} knows nobody`,
    }));
    return repair([problem], 'join nodes to the cluster', steps);
  });

/** Its start script brings it back where its shard has a primary that it can follow. */
function comesByItself(context: FixContext, { node }: Member): boolean {
  const led = context.state.nodes.some((one) => one.shardLabel === node.shardLabel && one.slots.length > 0);
  return led && node.shardLabel !== null && hasGuard(context, node) && isYoung(context, node);
}

/** As the replica of another shard it could not own slots any more, and the cluster would have one primary less for good. */
function mayLeadAgain({ primaries }: FixContext, { node }: Member): boolean {
  const led = primaries.some((one) => one.node.slots.length > 0 && one.node.shardLabel === node.shardLabel);
  return node.shardLabel === null || !led;
}

export const healEmptyPrimaries: Healer = (context, problems) =>
  problems.map((problem) => {
    const idle = context.primaries.filter(({ node }) => node.slots.length === 0 && isNamed(context, problem, node));
    const young = idle.find((member) => comesByItself(context, member));
    if (young !== undefined)
      return left(problem, 'by-itself', `${young.step.pod} started a moment ago, and joins its shard by itself`);
    if (isFound(context, 'slots-uncovered', 'slots-unclaimed', 'slots-contested', 'slots-open', 'slots-half-open'))
      return left(problem, 'after-others', 'Slots are settled first: it may get some');
    const heir = isFound(context, 'primary-down', 'slots-without-node')
      ? idle.find((member) => mayLeadAgain(context, member))
      : undefined;
    if (heir !== undefined) {
      const hint = `Nobody who answers serves the slots of its shard: ${heir.step.pod} follows its primary when that comes back, or gets its slots when they are given up`;
      return left(problem, 'after-others', hint);
    }
    const shape = shapeToReach(context.state, context.problems);
    if (shape !== undefined) return left(problem, 'by-hand', `${shape.sentence} ${shape.repair}`);
    const holding = idle.find((member) => member.answer.info.keys > 0);
    if (holding !== undefined)
      return left(problem, 'after-others', `${holding.step.pod} holds keys, which are brought to their owners first`);
    const steps = idle.flatMap((member): Step[] => {
      const home = homeOf(context, member);
      return home === null ? [] : [attach(member, home, 'it leads nothing')];
    });
    if (steps.length === 0) return left(problem, 'after-others', 'No primary that answers can take it');
    return repair([problem], 'attach idle nodes as replicas', steps);
  });

/**
 * From the shard that has most to spare, from a host where the other shard has no node yet, where that can be. One shard gives one at a time, and
 * keeps a replica that is in step.
 */
export const healReplicaCounts: Healer = (context, problems) => {
  const giving = new Set<ClusterNode>();
  return problems.map((problem) => {
    const wanted = context.state.desired?.replicas;
    const primary = context.primaries.find(({ node }) => node.slots.length > 0 && isNamed(context, problem, node));
    const { state } = context;
    const [second] = primary?.node.shardLabel == null ? [] : secondOwners(state, primary.node.shardLabel);
    if (second?.pod != null) {
      const { name } = second.pod;
      return left(problem, 'by-hand', `${name} owns slots of its own: ${takesSlotsAway(state, name)}`);
    }
    const donor = primary === undefined ? null : donorFor(context, primary, wanted ?? 1, giving);
    if (primary === undefined || donor === null) {
      if (giving.size > 0) return left(problem, 'after-others', 'One replica moves at a time from a shard');
      const hint =
        state.origin === 'ours'
          ? `No other shard has one to spare: ${makesMissing(state, context.check.observation.kube)}`
          : 'No other shard has one to spare: add a node';
      return left(problem, 'by-hand', hint);
    }
    giving.add(donor.from);
    const reason = `the shard of ${primary.step.pod} has too few replicas`;
    return repair([problem], 'move replicas where they are missing', [attach(donor.replica, primary, reason)]);
  });
};

interface Donor {
  /** The primary whose replica goes. */
  readonly from: ClusterNode;
  readonly replica: Member;
}

function donorFor(
  { state, evidence }: FixContext,
  primary: Member,
  wanted: number,
  giving: ReadonlySet<ClusterNode>,
): Donor | null {
  const target = state.shards.find((shard) => shard.primary === primary.node);
  const taken = (target?.replicas ?? []).map(({ host }) => host);
  // The primary's own host is the worst: what `healSharedHosts` has sent away from there would come back.
  const together = ({ node: { host } }: Candidate): number =>
    host === null
      ? 0
      : Number(host === primary.node.host) * (taken.length + 1) + taken.filter((one) => one === host).length;
  const shards = state.shards.flatMap((shard) => {
    const from = shard.primary;
    if (from === null || from === primary.node || giving.has(from)) return [];
    const { candidates } = evidence.successionOf(from);
    return [{ from, candidates, spare: candidates.length - wanted }];
  });
  for (const { from, candidates } of shards.filter(({ spare }) => spare > 0).toSorted((a, b) => b.spare - a.spare)) {
    const inStep = candidates.filter(({ standing }) => standing === 'in-step');
    const [replica] = candidates
      .filter((one) => isReplica(one.node) && inStep.some((other) => other !== one))
      .toSorted((a, b) => together(a) - together(b))
      .flatMap(({ member }) => member ?? []);
    if (replica !== undefined) return { from, replica };
  }
  return null;
}

/**
 * The record says for ever of which shard a node is (plan/scale-layout.ts), and its template says the same: so it is the place of the node that
 * changes, unless its pod is older than its template.
 */
function whatMakesLabelTrue({ state, check }: FixContext, { node, step }: Member): string {
  const { kube } = check.observation;
  const { name } = state.cluster;
  const set = kube.statefulSets.find(
    (one) => (one.templateLabels[NODE_LABEL] ?? one.name) === node.pod?.labels[NODE_LABEL],
  );
  const template = set?.templateLabels[SHARD_LABEL] ?? null;
  if (template !== null && template !== node.shardLabel)
    return `Its template says another shard than its label: kubectl redis restart ${name} --pod ${step.pod} makes the pod anew`;
  const [second] = secondOwners(state, node.shardLabel ?? '');
  if (second?.pod != null) return takesSlotsAway(state, second.pod.name);
  const { spec } = recordOf(kube, state.cluster);
  const shape = spec === null ? `kubectl redis slots ${name} shows who owns what` : finishesShape(state.nodes, spec);
  return `No node of shard ${node.shardLabel ?? '?'} owns slots, so ${step.pod} has nobody to follow there: ${shape}`;
}

/** Back behind the primary of its own shard; a label that a failover or a template made wrong needs its pod made anew. */
export const healShardLabels: Healer = (context, problems) =>
  problems.map((problem): Cure => {
    const member = context.members.find(({ node }) => isNamed(context, problem, node));
    const home = member === undefined ? null : homeOf(context, member);
    const own = home !== null && home.node.shardLabel === member?.node.shardLabel ? home : null;
    if (member === undefined) return left(problem, 'after-others', 'It does not answer');
    if (!isReplica(member.node) || own === null || member.node.primaryId === own.step.nodeId)
      return left(problem, 'by-hand', whatMakesLabelTrue(context, member));
    const missed = whoMisses(context, member);
    if (missed !== null) return left(problem, 'after-others', missed);
    return repair([problem], 'attach replicas to the primary of their own shard', [
      attach(member, own, `it is of shard ${member.node.shardLabel ?? ''}`),
    ]);
  });
