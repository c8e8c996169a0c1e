/** What every healer looks at, computed once, and what it answers. */
import { byHandOf } from '../../check/codes.ts';
import type { Batch, Step, StepNode } from '../../model/plan.ts';
import type { NoRooms } from '../../model/no-room.ts';
import type { Problem } from '../../model/problem.ts';
import type { ClusterNode, ClusterState } from '../../model/state.ts';
import { makeContext, type CheckContext } from '../../check/context.ts';
import type { Evidence } from '../../evidence/evidence.ts';
import type { Member } from '../../evidence/members.ts';
import type { Loss } from '../../model/loss.ts';
import type { FixFacts, FixPolicy, LeftReason, SlotKeys } from './fix-plan.ts';
import { INJECTED_ANNOTATION } from '../../model/labels.ts';

export interface FixContext {
  readonly state: ClusterState;
  readonly policy: FixPolicy;
  readonly check: CheckContext;
  readonly evidence: Evidence;
  readonly problems: readonly Problem[];
  readonly slotKeys: SlotKeys | null;
  readonly noRoom: NoRooms;
  /** Nodes that answered and are of the cluster, or on their way in. */
  readonly members: readonly Member[];
  readonly byId: ReadonlyMap<string, Member>;
  /** Members that lead, with slots or without. */
  readonly primaries: readonly Member[];
  readonly nowMs: number;
}

/** What is to be done about some problems of one code, or about one of them that is left. */
export type Cure =
  | {
      readonly kind: 'repair';
      readonly problems: readonly Problem[];
      readonly title: string;
      readonly batches: readonly Batch[];
      readonly loses: Loss | null;
    }
  | {
      readonly kind: 'left';
      readonly problem: Problem;
      readonly why: LeftReason;
      readonly flag: string | null;
      readonly hint: string;
    };

export type HealedCure = Extract<Cure, { kind: 'repair' }>;

/** Given all problems of its code, it answers for each of them. */
export type Healer = (context: FixContext, problems: readonly Problem[]) => readonly Cure[];

export function fixContext(
  state: ClusterState,
  policy: FixPolicy,
  facts: FixFacts,
  problems: readonly Problem[],
): FixContext {
  const check = makeContext(state, facts.observation, facts.replicaKeys);
  const { evidence } = check;
  const { members } = evidence;
  return {
    state,
    policy,
    check,
    evidence,
    problems,
    slotKeys: facts.slotKeys,
    noRoom: facts.noRoom ?? new Map(),
    members,
    byId: new Map(members.map((member) => [member.step.nodeId, member])),
    primaries: members.filter(({ node }) => node.role === 'primary'),
    nowMs: Date.parse(state.observedAt),
  };
}

export function left(problem: Problem, why: LeftReason, hint: string, flag: string | null = null): Cure {
  return { kind: 'left', problem, why, flag, hint: byHandOf(hint) };
}

/** The same answer for each. */
export function leftAll(problems: readonly Problem[], why: LeftReason, hint: string): Cure[] {
  return problems.map((problem) => left(problem, why, hint));
}

/** One batch of steps for all of them; without steps nothing can be done now. */
export function repair(
  problems: readonly Problem[],
  title: string,
  steps: readonly Step[],
  loses: Loss | null = null,
): HealedCure {
  return { kind: 'repair', problems, title, batches: [{ title, steps }], loses };
}

/**
 * Repairs of one code that must not stand side by side: each has its batches after those of the repairs before it. So all of them, and all
 * that they lose, are in the plan before anybody is asked.
 */
export function inTurn(repairs: readonly HealedCure[]): Cure[] {
  let before = 0;
  return repairs.map((one) => {
    const wait = Array.from({ length: before }, () => ({ title: one.title, steps: [] }));
    before += one.batches.length;
    return { ...one, batches: [...wait, ...one.batches] };
  });
}

export function isFound(context: FixContext, ...codes: readonly string[]): boolean {
  return context.problems.some(({ code }) => codes.includes(code));
}

/** Named in a problem: a pod, or the short id of a node without one. */
export function isNamed({ check }: FixContext, problem: Problem, node: ClusterNode): boolean {
  return problem.nodes.includes(check.nameOf(node));
}

export function stepNodeOf(node: ClusterNode): StepNode {
  return { nodeId: node.nodeId ?? '', pod: node.pod?.name ?? '' };
}

/** A node for which the start guard is at work: it comes back into its shard by itself. */
const YOUNG_SECONDS = 120;

/** Started, or was made, less than two minutes ago. */
export function isYoung({ nowMs }: Pick<FixContext, 'nowMs'>, node: ClusterNode): boolean {
  if (node.reply?.kind === 'answered') return node.reply.answer.info.uptimeSeconds < YOUNG_SECONDS;
  return node.pod !== null && nowMs - Date.parse(node.pod.createdAt) < YOUNG_SECONDS * 1000;
}

/** Its start script is ours, so a guard watches over it. */
export function hasGuard({ state }: Pick<FixContext, 'state'>, node: ClusterNode): boolean {
  return state.origin === 'ours' || node.pod?.annotations[INJECTED_ANNOTATION] !== undefined;
}
