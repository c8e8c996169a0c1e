/** What no plan may do, whatever the cluster looks like: the laws, held against every step of every repair. */
import { check } from '../../../../../pkg/cluster/check/check.ts';
import { interpret } from '../../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../../pkg/cluster/model/observation.ts';
import type { Step } from '../../../../../pkg/cluster/model/plan.ts';
import { intersectRanges } from '../../../../../pkg/cluster/model/slots.ts';
import type { ClusterState } from '../../../../../pkg/cluster/model/state.ts';
import type { FixPlan } from '../../../../../pkg/cluster/plan/fix/fix-plan.ts';

/** Sentences; none = the plan is lawful. */
export function breachesOf(observation: Observation, plan: FixPlan, consent: boolean): string[] {
  const state = interpret(observation);
  const problems = check(state, observation).map(({ code }) => code);
  const breaches = plan.repairs.flatMap(({ batches }) =>
    batches.flatMap(({ steps }) => steps.flatMap((step) => breachOf(state, step, problems))),
  );
  const lossy = plan.repairs.filter(({ loses }) => loses !== null).map(({ code }) => `${code} loses data unasked`);
  return [...breaches, ...(consent ? [] : lossy), ...unanswered(observation, state, plan)];
}

/** Every problem is healed by a repair of its code, or left with a reason. */
function unanswered(observation: Observation, state: ClusterState, plan: FixPlan): string[] {
  const healed = new Set(plan.repairs.map(({ code }) => code));
  const left = new Set(plan.left.map(({ problem }) => problem.sentence));
  const shared = plan.repairs.length > 0;
  return check(state, observation)
    .filter(({ code, sentence }) => !healed.has(code) && !left.has(sentence) && !shared)
    .map(({ code }) => `${code} is not answered`);
}

function breachOf(state: ClusterState, step: Step, problems: readonly string[]): string[] {
  const nodeOf = (nodeId: string) => state.nodes.find((node) => node.nodeId === nodeId);
  const followers = (nodeId: string) =>
    state.nodes.filter((node) => node.primaryId === nodeId && node.reply?.kind === 'answered');
  switch (step.kind) {
    case 'forget': {
      const victim = nodeOf(step.victim.nodeId);
      return [
        ...(victim?.pod != null && victim.unreachable?.why !== 'guard-waiting'
          ? ['L8: forgets a node that has a pod']
          : []),
        ...(followers(step.victim.nodeId).length > 0 ? ['L8: forgets a node that is followed'] : []),
      ];
    }
    case 'meet':
      return [
        ...(nodeOf(step.other.nodeId)?.pod == null ? ['L2: meets a node without a pod'] : []),
        ...(problems.includes('address-mismatch') && problems.includes('slots-contested')
          ? ['L4: brings nodes together that claim the same slots']
          : []),
      ];
    case 'settle-strays':
      return nodeOf(step.holder.nodeId)?.role === 'primary' ? [] : ['L5: takes keys from a replica'];
    case 'replicate': {
      const [node, primary] = [nodeOf(step.node.nodeId), nodeOf(step.primary.nodeId)];
      return [
        ...((node?.slots.length ?? 0) > 0 ? ['an owner of slots is made a replica'] : []),
        ...(primary?.role === 'primary' ? [] : ['a replica is attached to a replica']),
      ];
    }
    case 'take-over': {
      const lead = nodeOf(nodeOf(step.node.nodeId)?.primaryId ?? '');
      return lead?.reply?.kind === 'answered' && lead.slots.length > 0 ? ['L7: takes over from a living primary'] : [];
    }
    case 'cover-slots':
      return state.nodes
        .filter((node) => node.nodeId !== step.node.nodeId && intersectRanges(node.slots, step.ranges).length > 0)
        .map(() => 'L4: gives away slots that somebody owns');
    case 'reset-node': {
      const node = nodeOf(step.node.nodeId);
      const keys = node?.reply?.kind === 'answered' ? node.reply.answer.info.keys : 1;
      return keys > 0 || (node?.slots.length ?? 0) > 0 ? ['L4: resets a node with keys or slots'] : [];
    }
    case 'move-slots':
      return step.source.nodeId === step.target.nodeId ? ['moves slots to where they are'] : [];
    default:
      return [];
  }
}
