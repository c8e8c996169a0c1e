/**
 * Whether a replica may take over, and what it would cost: the conditions of law L7, as far as they can be seen from outside.
 *
 * A dead primary has three witnesses: it does not answer us, for a reason that is no broken tunnel; most other primaries have it
 * down for failed; and Kubernetes says that its pod is gone or not ready, or the replica itself lost it.
 */
import type { UnreachableReason } from '../model/observation.ts';
import type { FailoverGoal, Plan } from '../model/plan.ts';
import type { ClusterNode, ClusterState } from '../model/state.ts';
import { LAG_LIMIT_BYTES } from '../check/replication.ts';

type How = FailoverGoal['how'];
type Refused = Extract<Plan, { kind: 'refused' }>;

/** Silence that says nothing of the node itself. */
const NO_WITNESS: ReadonlySet<UnreachableReason> = new Set(['tunnel', 'auth', 'permission', 'loading', 'not-cluster']);
const MIBIBYTE = 1024 * 1024;

/** The first reason why it can't work at all, with or without consent; null = it can. */
export function refuseReplica(
  state: ClusterState,
  replica: ClusterNode,
  primary: ClusterNode,
  how: How,
): Refused | null {
  const pod = nameOf(replica);
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
    return refused('replica-chain', `${pod} follows ${nameOf(primary)}, which follows another itself`, status(name));
  const open = openWith(state, primary);
  if (open !== null) return refused('slots-open', open, `Finish the move first: ${status(name)}`);
  if (how === 'coordinated') return refuseCoordinated(state, replica, primary);
  if (how === 'force' && !hasMajority(state))
    return refused(
      'no-majority',
      `Most primaries of ${name} do not answer: nobody could be elected`,
      'Bring their pods back; where they are gone for good, --takeover needs no votes',
    );
  return null;
}

function refuseCoordinated(state: ClusterState, replica: ClusterNode, primary: ClusterNode): Refused | null {
  const pod = nameOf(replica);
  const info = replica.reply?.kind === 'answered' ? replica.reply.answer.info : null;
  if (primary.reply?.kind !== 'answered') {
    const { why = 'no-pod', detail = 'it has no pod' } = primary.unreachable ?? {};
    const sentence = `${nameOf(primary)} can't hand its role over: ${detail} (${why})`;
    return refused(
      'primary-silent',
      sentence,
      'Bring its pod back; where it is dead, --force lets the replica be elected without it',
    );
  }
  if (info?.syncInProgress === true)
    return refused(
      'replica-syncing',
      `${pod} is copying from ${nameOf(primary)} and has not all of it yet`,
      'Wait until kubectl redis nodes shows its link up',
    );
  if (info?.primaryLinkUp !== true) {
    const since = info?.primaryLinkDownSeconds == null ? '' : ` for ${info.primaryLinkDownSeconds} s`;
    return refused(
      'link-down',
      `${pod} has had no connection to ${nameOf(primary)}${since}`,
      status(state.cluster.name),
    );
  }
  if (replica.lagBytes !== null && replica.lagBytes > LAG_LIMIT_BYTES)
    return refused(
      'lag-too-large',
      `${pod} is ${Math.round(replica.lagBytes / MIBIBYTE)} MiB behind ${nameOf(primary)}, whose writes would wait for that (at most ${LAG_LIMIT_BYTES / MIBIBYTE} MiB)`,
      'Wait until it has caught up: kubectl redis nodes shows it',
    );
  if (!hasMajority(state))
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
  return `${open.length === 1 ? `Slot ${open[0]?.slot} is` : `${open.length} slots are`} being moved from or to ${nameOf(primary)}`;
}

/** Of the primaries that own slots, those who vote, more than half answer. */
export function hasMajority(state: ClusterState): boolean {
  const owners = state.nodes.filter((node) => node.role === 'primary' && node.slots.length > 0);
  return owners.filter((node) => node.reply?.kind === 'answered').length * 2 > owners.length;
}

export interface Witnesses {
  readonly count: number;
  /** What each says, in words; those that don't, too. */
  readonly says: readonly string[];
}

/** Who says that the primary is dead. */
export function witnessesOf(state: ClusterState, replica: ClusterNode, primary: ClusterNode): Witnesses {
  const silent = primary.reply?.kind !== 'answered' && !NO_WITNESS.has(primary.unreachable?.why ?? 'no-pod');
  const peers = state.nodes.flatMap((node) =>
    node.reply?.kind === 'answered' && node.role === 'primary' && node.slots.length > 0 && node !== primary
      ? [node.reply.answer.view.find((line) => line.nodeId === primary.nodeId)?.flags ?? []]
      : [],
  );
  // Without a majority nobody can be marked as failed: then a suspicion of all is as much as there can be.
  const failed = peers.filter((flags) => flags.includes('fail') || (!hasMajority(state) && flags.includes('fail?')));
  const info = replica.reply?.kind === 'answered' ? replica.reply.answer.info : null;
  const { pod } = primary;
  const gone = pod === null || pod.phase !== 'Running' || !pod.ready || pod.terminating;
  const lost = info !== null && info.primaryLinkUp === false;
  const name = nameOf(primary);
  const all: readonly (readonly [boolean, string, string])[] = [
    [
      silent,
      `${name} does not answer`,
      primary.reply?.kind === 'answered' ? `${name} answers` : `only the way to ${name} is broken`,
    ],
    [
      failed.length * 2 > peers.length,
      `${failed.length} of ${peers.length} other primaries have it down for failed`,
      `${failed.length} of ${peers.length} other primaries have it down for failed`,
    ],
    [
      gone || lost,
      gone ? 'Kubernetes has no ready pod of it' : `${nameOf(replica)} has lost it`,
      'Kubernetes says that its pod is ready',
    ],
  ];
  return { count: all.filter(([is]) => is).length, says: all.map(([is, yes, no]) => (is ? yes : no)) };
}

/** What taking over without the primary's word may cost; null: nothing that is known of, as the ladder of L7 allows it. */
export function lossOf(state: ClusterState, { node, primary, how }: FailoverGoal): string | null {
  const replica = state.nodes.find((one) => one.nodeId === node.nodeId);
  const old = state.nodes.find((one) => one.nodeId === primary.nodeId);
  if (how === 'coordinated' || replica === undefined || old === undefined) return null;
  const { count, says } = witnessesOf(state, replica, old);
  const better = betterSibling(state, replica);
  const reasons = [
    ...(count < 3 ? [`${nameOf(old)} is not dead for certain (${says.join('; ')})`] : []),
    ...(how === 'takeover' && hasMajority(state) ? ['there is a majority that could elect it: --force is enough'] : []),
    ...(better === null ? [] : [`${nameOf(better.node)} has ${better.bytes} bytes more`]),
  ];
  if (reasons.length === 0) return null;
  return `${behind(replica)}: ${reasons.join('; ')}`;
}

/** `writes of the last 120 bytes`. */
function behind(replica: ClusterNode): string {
  if (replica.lagBytes !== null) return `writes worth ${replica.lagBytes} bytes, and those that come until then`;
  const info = replica.reply?.kind === 'answered' ? replica.reply.answer.info : null;
  const since = info?.primaryLinkDownSeconds ?? null;
  return since === null ? 'writes that it has not received' : `writes of the last ${since} s`;
}

/** Another replica of the same primary that has more. */
function betterSibling(state: ClusterState, replica: ClusterNode): { node: ClusterNode; bytes: number } | null {
  const offsetOf = (node: ClusterNode): number =>
    node.reply?.kind === 'answered' ? node.reply.answer.info.replicationOffset : -1;
  const own = offsetOf(replica);
  const siblings = state.nodes.filter(
    (node) => node !== replica && node.primaryId === replica.primaryId && offsetOf(node) > own,
  );
  const best = siblings.toSorted((a, b) => offsetOf(b) - offsetOf(a))[0];
  // Where the link is up they were only asked at different moments.
  const linked = replica.reply?.kind === 'answered' && replica.reply.answer.info.primaryLinkUp === true;
  return best === undefined || linked ? null : { node: best, bytes: offsetOf(best) - own };
}

/** Its pod, or the first digits of its id. */
export function nameOf(node: ClusterNode): string {
  return node.pod?.name ?? node.nodeId?.slice(0, 8) ?? '?';
}

function status(name: string): string {
  return `kubectl redis status ${name} says what is wrong`;
}

function refused(code: string, sentence: string, hint: string): Refused {
  return { kind: 'refused', code, sentence, hint };
}
