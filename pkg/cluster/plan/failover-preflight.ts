/** Whether a replica may take over, and what it would cost: the conditions of law L7, as far as they can be seen from outside. */
import { lossOfLimitOfHeir } from '../evidence/eviction.ts';
import type { FailoverGoal, Plan } from '../model/plan.ts';
import type { ClusterNode, ClusterState } from '../model/state.ts';
import { LAG_LIMIT_BYTES } from '../evidence/candidates.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { nameOfNode } from '../model/list-names.ts';
import type { Loss } from '../model/loss.ts';
import { formatRanges } from '../model/slots.ts';
import { refuseIncompleteHeir } from './refuse-heir.ts';

type How = FailoverGoal['how'];
type Refused = Extract<Plan, { kind: 'refused' }>;

/** What a failover is decided on. */
export interface FailoverSeen {
  readonly state: ClusterState;
  readonly evidence: Evidence;
}

const MIBIBYTE = 1024 * 1024;

/** The first reason why it can't work at all, with or without consent; null = it can. */
export function refuseReplica(
  { state, evidence }: FailoverSeen,
  replica: ClusterNode,
  primary: ClusterNode,
  how: How,
): Refused | null {
  const pod = nameOfNode(replica);
  const name = state.cluster.name;
  const answer = replica.reply?.kind === 'answered' ? replica.reply.answer : null;
  if (answer === null) {
    const { why = 'no-pod', detail = 'it has no pod' } = replica.unreachable ?? {};
    const code = why === 'loading' ? 'replica-loading' : 'replica-silent';
    return refused(
      code,
      `${pod} can't take over: ${detail} (${why})`,
      'Wait until it answers, or name another replica',
    );
  }
  if (primary.role === 'replica')
    return refused(
      'replica-chain',
      `${pod} follows ${nameOfNode(primary)}, which follows another itself`,
      status(name),
    );
  const open = openWith(state, primary);
  if (open !== null)
    return refused(
      'slots-open',
      open,
      `kubectl redis fix ${name} finishes what nobody moves any more; ${status(name)}`,
    );
  if (how === 'coordinated') return refuseCoordinated({ state, evidence }, replica, primary);
  if (how === 'force' && evidence.majority.is !== 'there')
    return refused(
      'no-majority',
      `Most primaries of ${name} do not answer: nobody could be elected`,
      'Bring their pods back; where they are gone for good, --takeover needs no votes',
    );
  return null;
}

function refuseCoordinated(
  { state, evidence }: FailoverSeen,
  replica: ClusterNode,
  primary: ClusterNode,
): Refused | null {
  const pod = nameOfNode(replica);
  const info = replica.reply?.kind === 'answered' ? replica.reply.answer.info : null;
  if (primary.reply?.kind !== 'answered') {
    const { why = 'no-pod', detail = 'it has no pod' } = primary.unreachable ?? {};
    const sentence = `${nameOfNode(primary)} can't hand its role over: ${detail} (${why})`;
    return refused(
      'primary-silent',
      sentence,
      'Bring its pod back; where it is dead, --force lets the replica be elected without it',
    );
  }
  if (info?.syncInProgress === true)
    return refused(
      'replica-syncing',
      `${pod} is copying from ${nameOfNode(primary)} and has not all of it yet`,
      'Wait until kubectl redis nodes shows its link up',
    );
  if (info?.primaryLinkUp !== true) {
    const since = info?.primaryLinkDownSeconds == null ? '' : ` for ${info.primaryLinkDownSeconds} s`;
    return refused(
      'link-down',
      `${pod} has had no connection to ${nameOfNode(primary)}${since}`,
      status(state.cluster.name),
    );
  }
  const incomplete = refuseIncompleteHeir({ primary, heir: replica }, evidence, state);
  if (incomplete !== null) return incomplete;
  if (replica.lagBytes !== null && replica.lagBytes > LAG_LIMIT_BYTES)
    return refused(
      'lag-too-large',
      `${pod} is ${Math.round(replica.lagBytes / MIBIBYTE)} MiB behind ${nameOfNode(primary)}, whose writes would wait for that (at most ${LAG_LIMIT_BYTES / MIBIBYTE} MiB)`,
      'Wait until it has caught up: kubectl redis nodes shows it',
    );
  if (evidence.majority.is !== 'there')
    return refused(
      'no-majority',
      `Most primaries of ${state.cluster.name} do not answer: nobody could be elected`,
      status(state.cluster.name),
    );
  return null;
}

/** What an unfinished move knows is lost with the role (a source forgets its marks; keys of a target become strays). */
function openWith(state: ClusterState, primary: ClusterNode): string | null {
  const open = state.openSlots.filter(
    ({ migratingFrom, importingTo }) => migratingFrom === primary.nodeId || importingTo === primary.nodeId,
  );
  if (open.length === 0) return null;
  return `${open.length === 1 ? `Slot ${open[0]?.slot} is` : `${open.length} slots are`} being moved from or to ${nameOfNode(primary)}`;
}

/**
 * What taking over may cost, above all without the primary's word; null: nothing that is known of, as the ladder of L7 allows it. A primary that is
 * not dead for certain may take writes until it hears of its successor.
 */
export function failoverLoss({ state, evidence }: FailoverSeen, { node, primary, how }: FailoverGoal): Loss | null {
  const old = state.nodes.find((one) => one.nodeId === primary.nodeId);
  if (old === undefined) return null;
  if (how === 'coordinated') {
    const heir = state.nodes.find((one) => one.nodeId === node.nodeId);
    return heir === undefined ? null : lossOfLimitOfHeir(old, heir, evidence.nameOf);
  }
  const succession = evidence.successionOf(old);
  const candidate = succession.candidates.find((one) => one.node.nodeId === node.nodeId);
  if (candidate?.member == null) return null;
  const loss = evidence.lossOf(succession, candidate);
  const witnesses = evidence.witnessesOf(old, candidate.member);
  const doubts = [
    ...(witnesses.every(({ agrees }) => agrees)
      ? []
      : [`${nameOfNode(old)} is not dead for certain (${witnesses.map(({ says }) => says).join('; ')})`]),
    ...(how === 'takeover' && evidence.majority.is === 'there'
      ? ['there is a majority that could elect it: --force is enough']
      : []),
  ];
  if (doubts.length === 0) return loss;
  const { slots } = old;
  const sentence =
    loss?.sentence ?? `the last writes to slots ${formatRanges(slots)}, which ${nameOfNode(candidate.node)} has not`;
  return {
    slots,
    keys: loss?.keys ?? null,
    seconds: loss?.seconds ?? null,
    sentence: `${sentence}: ${doubts.join('; ')}`,
  };
}

/**
 * What the decision hangs on: who goes, who comes, what each has, and who says that the primary is dead. Ages and offsets, which grow while
 * a person reads, are not in it.
 */
export function failoverFingerprint({ state, evidence }: FailoverSeen, goal: FailoverGoal): string {
  const old = state.nodes.find((one) => one.nodeId === goal.primary.nodeId);
  if (old === undefined) return JSON.stringify(goal);
  const { life, candidates } = evidence.successionOf(old);
  const chosen = candidates.find((one) => one.node.nodeId === goal.node.nodeId);
  return JSON.stringify({
    goal,
    slots: old.slots,
    life: [life.kind, life.kind === 'dead' ? life.returns : null],
    candidates: candidates
      .map(({ node, standing, member }) => `${node.nodeId} ${standing} ${member !== null}`)
      .toSorted(),
    witnesses: chosen?.member == null ? [] : evidence.witnessesOf(old, chosen.member).map(({ agrees }) => agrees),
  });
}

function status(name: string): string {
  return `kubectl redis status ${name} says what is wrong`;
}

function refused(code: string, sentence: string, hint: string): Refused {
  return { kind: 'refused', code, sentence, hint };
}
