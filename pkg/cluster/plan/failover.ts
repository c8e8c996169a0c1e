/**
 * The plan of `failover`: one replica takes the role of its primary. Who that is, is chosen once, from what was typed; a plan that is
 * made again asks only whether that one leads by now, and so never hands the role back.
 *
 * The ladder of law L7: coordinated where the primary lives, FORCE where it is dead by three witnesses, TAKEOVER where there is no
 * majority to vote. What is off the ladder needs consent to a loss that is named.
 */
import type { Batch, FailoverGoal, Plan, Remark, Step, StepNode } from '../model/plan.ts';
import type { ClusterNode, ClusterState } from '../model/state.ts';
import { compareNatural } from '../natural-order.ts';
import { refuse } from './form-members.ts';
import { nameOfNode } from '../model/list-names.ts';
import { refuseUnknownName } from './refuse-unheard.ts';
import { refuseReplica, type FailoverSeen } from './failover-preflight.ts';

export type How = FailoverGoal['how'];

export interface FailoverWish {
  /** A pod, the name of its node (`redis-4`), or the beginning of a node id. */
  readonly who: string;
  /** Who takes over; null = whoever fits best. */
  readonly to: string | null;
  readonly how: How;
}

export type FailoverChoice =
  | { readonly kind: 'goal'; readonly goal: FailoverGoal; readonly remarks: readonly Remark[] }
  | { readonly kind: 'leads'; readonly node: StepNode }
  | Extract<Plan, { kind: 'refused' }>;

/** From what was typed to who takes over from whom. */
export function chooseFailover(seen: FailoverSeen, { who, to, how }: FailoverWish): FailoverChoice {
  const { state } = seen;
  const node = findNode(state, who);
  if (node.kind === 'refused') return node;
  const heir = to === null ? null : findNode(state, to);
  if (heir?.kind === 'refused') return heir;
  if (heir !== null && heir.node.role === 'primary' && heir.node.slots.length > 0)
    return { kind: 'leads', node: stepOf(heir.node) };
  const replica = heir?.node ?? (node.node.role === 'replica' ? node.node : null);
  if (replica !== null) return follow(seen, replica, node.node, how);
  if (node.node.role !== 'primary')
    return (
      refuseUnknownName(state) ??
      refused('role-unknown', `Whether ${nameOfNode(node.node)} leads or follows is not known`, status(state))
    );
  return handOver(seen, node.node, how);
}

/** Of what was typed. An id needs six digits of it, so that a number is not taken for one. */
function findNode(
  state: ClusterState,
  typed: string,
): { readonly kind: 'found'; readonly node: ClusterNode } | Refused {
  const byName = state.nodes.filter((node) => node.pod?.name === typed || node.pod?.labels['name'] === typed);
  const byId = /^[0-9a-f]{6,40}$/.test(typed) ? state.nodes.filter((node) => node.nodeId?.startsWith(typed)) : [];
  const found = byName.length > 0 ? byName : byId;
  const [first] = found;
  if (first !== undefined && found.length === 1) return { kind: 'found', node: first };
  const unheard = found.length === 0 && /^[0-9a-f]{6,40}$/.test(typed) ? refuseUnknownName(state) : null;
  if (unheard !== null) return unheard;
  const pods = state.nodes.flatMap((node) => node.pod?.name ?? []).toSorted(compareNatural);
  const which =
    found.length > 1 ? `${found.length} nodes are called ${typed}` : `${state.cluster.name} has no node ${typed}`;
  return refused(found.length > 1 ? 'node-ambiguous' : 'node-unknown', which, `Its pods: ${pods.join(', ')}`);
}

type Refused = Extract<Plan, { kind: 'refused' }>;

/** A replica was named: from its primary. */
function follow(seen: FailoverSeen, replica: ClusterNode, named: ClusterNode, how: How): FailoverChoice {
  const { state } = seen;
  const primary = state.nodes.find((node) => node.nodeId !== null && node.nodeId === replica.primaryId);
  if (primary === undefined)
    return (
      refuseUnknownName(state) ??
      refused('replica-orphaned', `${nameOfNode(replica)} follows nobody that is known`, status(state))
    );
  if (named !== replica && named !== primary) {
    const sentence = `${nameOfNode(replica)} follows ${nameOfNode(primary)}, not ${nameOfNode(named)}`;
    return refused('not-its-replica', sentence, `kubectl redis slots ${state.cluster.name} shows who follows whom`);
  }
  return goalOf(seen, replica, primary, how);
}

/** A primary was named: its best replica. */
function handOver(seen: FailoverSeen, primary: ClusterNode, how: How): FailoverChoice {
  const { state, evidence } = seen;
  const { candidates, best } = evidence.successionOf(primary);
  const [first] = candidates;
  if (first === undefined)
    return refused(
      'no-replica',
      `${nameOfNode(primary)} has no replica that could take over`,
      `More replicas: kubectl redis scale ${state.cluster.name} --replicas 1`,
    );
  if (best !== null) return goalOf(seen, best.node, primary, how);
  const why = refuseReplica(seen, first.node, primary, how);
  return why ?? refused('no-replica', `No replica of ${nameOfNode(primary)} answers`, status(state));
}

function goalOf(seen: FailoverSeen, replica: ClusterNode, primary: ClusterNode, how: How): FailoverChoice {
  const why = refuseReplica(seen, replica, primary, how);
  if (why !== null) return why;
  return {
    kind: 'goal',
    goal: { kind: 'failover', node: stepOf(replica), primary: stepOf(primary), how },
    remarks: [],
  };
}

/** @returns nothing once the goal's node leads in every view that could be had */
export function planFailover(seen: FailoverSeen, goal: FailoverGoal): Plan {
  const { state } = seen;
  const { node, primary, how } = goal;
  const now = state.nodes.find((one) => one.nodeId === node.nodeId);
  if (now === undefined || now.pod?.name !== node.pod)
    return refuse('node-changed', `${node.pod} is not node ${node.nodeId.slice(0, 8)} any more`, status(state));
  if (now.role === 'primary' && now.slots.length > 0) return { kind: 'nothing', remarks: [] };
  const old = state.nodes.find((one) => one.nodeId === primary.nodeId);
  const why = old === undefined ? null : refuseReplica(seen, now, old, how);
  if (why !== null) return why;
  const reason = `it shall lead in place of ${primary.pod === '' ? primary.nodeId.slice(0, 8) : primary.pod}`;
  const step: Step =
    how === 'coordinated'
      ? { kind: 'failover', node, primary, reason }
      : { kind: 'take-over', node, how, dead: isSurelyDead(seen, now, old) ? primary : null, reason };
  const batch: Batch = { title: `${node.pod} takes over`, steps: [step] };
  return { kind: 'batches', batches: [batch], remarks: [] };
}

/** Then nothing is done if it turns out to live after all; else it was agreed to in any case. */
function isSurelyDead({ evidence }: FailoverSeen, node: ClusterNode, old: ClusterNode | undefined): boolean {
  const member = evidence.members.find((one) => one.node === node);
  return old !== undefined && member !== undefined && evidence.witnessesOf(old, member).every(({ agrees }) => agrees);
}

function stepOf(node: ClusterNode): StepNode {
  return { nodeId: node.nodeId ?? '', pod: node.pod?.name ?? '' };
}

function refused(code: string, sentence: string, hint: string): Refused {
  return { kind: 'refused', code, sentence, hint };
}

function status(state: ClusterState): string {
  return `kubectl redis status ${state.cluster.name} says what is wrong`;
}
