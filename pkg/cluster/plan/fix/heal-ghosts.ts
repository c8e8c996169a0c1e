/**
 * Ids that no pod has. FORGET comes after every failover (law L8: a replica whose primary was forgotten can't be elected), and
 * never for an id that may be that of a pod which has not spoken yet (evidence/life.ts), however long that takes. A guard that comes back into its shard forgets its predecessor itself, and gets two minutes for it.
 */
import { leftoverOf, wayBackOf } from '../../evidence/leftovers.ts';
import { addressesOfPod } from '../../interpret/identity.ts';
import type { Step } from '../../model/plan.ts';
import type { ClusterNode } from '../../model/state.ts';
import { hasGuard, isNamed, isYoung, left, repair, type Cure, type FixContext, type Healer } from './fix-context.ts';

export const healGhosts: Healer = (context, problems) =>
  problems.flatMap((problem) => {
    const ghosts = ghostsOf(context).filter((node) => isNamed(context, problem, node));
    const reasons = ghosts.map((node) => ({ node, wait: whyNotYet(context, node) }));
    const now = reasons.filter(({ wait }) => wait === null).map(({ node }) => node);
    const [waiting] = reasons.flatMap(({ wait }) => (wait === null ? [] : [wait]));
    if (now.length > 0) {
      const steps = now.map((node) => forgetStep(context, node, 'it is no pod and owns nothing'));
      return [repair([problem], 'forget nodes that are gone', steps)];
    }
    return [left(problem, waiting?.why ?? 'after-others', waiting?.hint ?? 'Nobody that answers knows it any more')];
  });

/** Living ids that no pod has: another cluster's, or a process that Kubernetes does not know by this name. */
export const healStrangers: Healer = (context, problems) =>
  problems.map((problem): Cure => {
    const strangers = ghostsOf(context).filter((node) => isNamed(context, problem, node));
    const flag = '--forget-strangers';
    if (strangers.some((node) => node.slots.length > 0)) {
      const [known] = strangers.flatMap((node) => leftoverOf(context.state, node) ?? []);
      const find = known === undefined ? 'find the process at its address' : wayBackOf(context.state, known);
      const hint = `It owns slots, so a part of the data is with it: ${find}; fix neither forgets nor follows it`;
      return left(problem, 'refused', hint);
    }
    const [wait] = strangers.flatMap((node) => whyNotYet(context, node) ?? []);
    if (wait !== undefined) return left(problem, wait.why, wait.hint);
    if (!context.policy.forgetStrangers)
      return left(problem, 'needs-consent', `If it is none of yours, ${flag} makes every node forget it`, flag);
    const steps = strangers.map((node) => forgetStep(context, node, 'it is none of the pods'));
    return repair([problem], 'forget strangers', steps);
  });

function ghostsOf({ state }: FixContext): ClusterNode[] {
  return state.nodes.filter((node) => node.pod === null && node.nodeId !== null);
}

/** Everybody who knows it, all at once (law L9). */
export function forgetStep({ members }: FixContext, ghost: ClusterNode, reason: string): Step {
  const nodeId = ghost.nodeId ?? '';
  const nodes = members.filter(({ knows }) => knows.has(nodeId)).map(({ step }) => step);
  return { kind: 'forget', victim: { nodeId, pod: '' }, nodes, reason };
}

interface Wait {
  readonly why: 'by-itself' | 'after-others';
  readonly hint: string;
}

/** null = nothing speaks against forgetting it now. */
function whyNotYet(context: FixContext, ghost: ClusterNode): Wait | null {
  const { members, state, evidence } = context;
  const follower = members.find(({ node }) => node.primaryId === ghost.nodeId);
  if (follower !== undefined)
    return { why: 'after-others', hint: `${follower.step.pod} follows it, and has to be given another primary first` };
  const life = evidence.lifeOf(ghost);
  if (life.kind === 'dead' && life.returns === 'whole')
    return { why: 'after-others', hint: `Not yet: ${life.by}. Bring the pod back first` };
  const heir = state.nodes.find((node) => livesAt(context, node, ghost));
  if (heir !== undefined && hasGuard(context, heir) && (isYoung(context, heir) || isWaiting(heir)))
    return { why: 'by-itself', hint: `${heir.pod?.name ?? ''} comes back in its place and has it forgotten itself` };
  return null;
}

function isWaiting(node: ClusterNode): boolean {
  return node.unreachable?.why === 'guard-waiting';
}

function livesAt({ check }: FixContext, node: ClusterNode, ghost: ClusterNode): boolean {
  const ip = ghost.gossip?.ip ?? '';
  return node.pod !== null && ip !== '' && addressesOfPod(node.pod, check.observation.kube).includes(ip);
}
