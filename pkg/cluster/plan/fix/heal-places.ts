/** Roles and replicas that stand in the wrong place: mended by failover and re-attachment. The pods stay where they are. */
import { lossOfLimitOfHeir } from '../../evidence/eviction.ts';
import { LAG_LIMIT_BYTES, type Candidate } from '../../evidence/candidates.ts';
import type { Problem } from '../../model/problem.ts';
import type { Shard } from '../../model/state.ts';
import type { Member } from '../../evidence/members.ts';
import { reads } from '../server-version.ts';
import { isFound, isNamed, left, repair, type Cure, type FixContext, type Healer } from './fix-context.ts';
import { attach, isReplica } from './heal-replicas.ts';

/** A failover brings the role where there is room; the pods stay. */
export const healCrowdedHosts: Healer = (context, problems) =>
  oneAtATime(problems, (problem): Cure => {
    if (isFound(context, 'slots-open', 'slots-half-open', 'stray-keys'))
      return left(problem, 'after-others', 'A failover in the middle of a move would leave slots half open');
    const load = primariesByHost(context);
    const moves = context.primaries
      .filter(({ node }) => isNamed(context, problem, node))
      .flatMap((primary) => heirsElsewhere(context, primary, load).map((heir) => ({ primary, heir })));
    const [best] = moves.toSorted((a, b) => loadOf(load, a.heir) - loadOf(load, b.heir));
    if (best === undefined)
      return left(
        problem,
        'by-hand',
        'No replica in step stands on a host with fewer primaries: cordon the host, delete the pod of a replica, never of a primary, and uncordon it when that is in step elsewhere',
      );
    const reason = `${best.primary.node.host ?? ''} has too many primaries, ${best.heir.node.host ?? ''} fewer`;
    return repair([problem], 'hand roles over to where there is room', [
      { kind: 'failover', node: best.heir.step, primary: best.primary.step, reason },
    ]);
  });

/** What moves a role or a replica changes what the next may move. */
function oneAtATime(problems: readonly Problem[], cureFor: (problem: Problem) => Cure): Cure[] {
  let begun = false;
  return problems.map((problem) => {
    if (begun) return left(problem, 'after-others', 'One node moves at a time');
    const cure = cureFor(problem);
    begun = cure.kind === 'repair';
    return cure;
  });
}

function primariesByHost({ primaries }: FixContext): ReadonlyMap<string, number> {
  const load = new Map<string, number>();
  for (const { node } of primaries)
    if (node.slots.length > 0 && node.host !== null) load.set(node.host, (load.get(node.host) ?? 0) + 1);
  return load;
}

function loadOf(load: ReadonlyMap<string, number>, { node }: Member): number {
  return load.get(node.host ?? '') ?? 0;
}

/**
 * In step with their primary, of a server that reads what the other writes and the other way round, and with as much room, on a host that has
 * at least two primaries fewer: else it would go to and fro.
 */
function heirsElsewhere(
  { members, evidence }: FixContext,
  primary: Member,
  load: ReadonlyMap<string, number>,
): Member[] {
  const { candidates } = evidence.successionOf(primary.node);
  const inStep = new Set(candidates.filter(({ standing }) => standing === 'in-step').map(({ node }) => node));
  return members.filter(
    (member) =>
      inStep.has(member.node) &&
      member.node.host !== null &&
      member.answer.info.primaryLinkUp === true &&
      reads(member.answer.info, primary.answer.info) &&
      reads(primary.answer.info, member.answer.info) &&
      member.node.pod?.goingClaim === undefined &&
      (member.node.lagBytes ?? Infinity) <= LAG_LIMIT_BYTES &&
      lossOfLimitOfHeir(primary.node, member.node, evidence.nameOf) === null &&
      loadOf(load, member) + 1 < loadOf(load, primary),
  );
}

/**
 * A primary and its replica on one host, and another shard whose replica stands elsewhere: the two replicas change shards. The first
 * goes here; where one is then missing, the other follows (`replica-missing`). Only where the shard keeps another replica that is in
 * step meanwhile; and not where labels say who belongs to which shard: there a pod has to move.
 */
export const healSharedHosts: Healer = (context, problems) =>
  oneAtATime(problems, (problem): Cure => {
    const shard = context.state.shards.find(({ primary }) => primary !== null && isNamed(context, problem, primary));
    const host = shard?.primary?.host ?? null;
    const twin = shard?.replicas.find((node) => node.host === host && isReplica(node) && node.shardLabel === null);
    const replica = context.byId.get(twin?.nodeId ?? '');
    const goal = shard === undefined ? null : swapFor(context, shard, host);
    const keeps = shard?.primary == null ? [] : context.evidence.successionOf(shard.primary).candidates;
    const alone = !keeps.some(({ node, standing }) => node !== twin && standing === 'in-step');
    if (replica !== undefined && goal !== null && alone)
      return left(
        problem,
        'by-hand',
        'Its shard would be without a replica meanwhile: add one more replica to each shard first, and take it away afterwards',
      );
    if (replica === undefined || goal === null)
      return left(
        problem,
        'by-hand',
        'A pod has to move: cordon the host (kubectl cordon), delete the replica, uncordon',
      );
    const reason = `it stands beside its own primary on ${host ?? ''}; a replica of ${goal.step.pod} takes its place`;
    return repair([problem], 'let replicas of two shards change places', [attach(replica, goal, reason)]);
  });

/** A primary on another host, one of whose replicas, which answers and is in step, stands on another host, too: it can be sent here. */
function swapFor({ state, byId, evidence }: FixContext, shard: Shard, host: string | null): Member | null {
  const givesOne = ({ node, member, standing }: Candidate): boolean =>
    member !== null && standing === 'in-step' && isReplica(node) && node.host !== null && node.host !== host;
  const other = state.shards.find(
    ({ primary }) =>
      primary !== null &&
      primary !== shard.primary &&
      primary.host !== host &&
      evidence.successionOf(primary).candidates.some(givesOne),
  );
  return byId.get(other?.primary?.nodeId ?? '') ?? null;
}
