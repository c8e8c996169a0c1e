/**
 * Every volume is lost: all guards wait for somebody who has data, and nobody has. Only with consent, because it is the guard that
 * keeps an empty node from taking the place of one whose volume comes back.
 *
 * Pods that came back one after the other may have been let in while others still had data: they run, without a key and without
 * a slot, and what they know of the cluster would keep the others waiting. They are reset; none of them has anything to lose.
 */
import { unusedVolumes, wayBackOfVolumes } from '../../evidence/leftovers.ts';
import { isAgreed, lossFlag, type Loss } from '../../model/loss.ts';
import { ALL_SLOTS } from '../../model/slots.ts';
import type { Step } from '../../model/plan.ts';
import type { Problem } from '../../model/problem.ts';
import type { PodFacts } from '../../model/observation.ts';
import type { Member } from '../../evidence/members.ts';
import { left, type Cure, type FixContext, type Healer } from './fix-context.ts';

interface Lost {
  readonly waiting: readonly PodFacts[];
  readonly empty: readonly Member[];
}

/** `cluster-down` */
export const healLostVolumes: Healer = (context, problems) =>
  problems.map((problem) => {
    const hint = 'Bring the pods back with their volumes; kubectl get pods says why they do not run';
    return startEmpty(context, problem) ?? left(problem, 'by-hand', hint);
  });

/** null = a node has data, or may have some. */
export function startEmpty(context: FixContext, problem: Problem): Cure | null {
  const lost = everyVolumeLost(context);
  if (lost === null) return null;
  const loses = lossOfAll(context);
  const volumes = unusedVolumes(context.state);
  const flag = volumes === null ? '--start-empty' : `--start-empty ${lossFlag(loses.slots)}`;
  const { startEmpty: asked, acceptDataLoss } = context.policy;
  if (!asked || (volumes !== null && !isAgreed(loses, acceptDataLoss))) {
    const again = `kubectl redis create ${context.state.cluster.name}`;
    const first =
      volumes === null ? '' : `Keys may be on the volume of ${volumes}. ${wayBackOfVolumes(context.state)}. `;
    const hint = `${first}If every volume is lost for good, ${flag} lets the nodes start empty, and ${again} makes a cluster of them; restore a backup after that`;
    return left(problem, 'needs-consent', hint, flag);
  }
  const reset = lost.empty.map(({ step }): Step => ({
    kind: 'reset-node',
    node: step,
    reason: 'it has no data, and nobody whom it knows is left',
  }));
  const replace = lost.waiting.map((pod): Step => ({
    kind: 'replace-pod',
    pod: pod.name,
    podUid: pod.uid,
    reason: 'it waits for a record that nobody has',
  }));
  const names = lost.waiting.map(({ name }) => name);
  const batches = [
    // First: whoever starts meanwhile sees it, and asks nobody.
    { title: 'let the nodes start empty', steps: [{ kind: 'clear-formed', reason: 'no node has data' } as const] },
    ...(reset.length === 0 ? [] : [{ title: 'reset the nodes that run empty', steps: reset }]),
    { title: 'start the pods anew', steps: replace },
    { title: 'wait for the pods', steps: [{ kind: 'wait-pods', pods: names, reason: 'they start empty' } as const] },
  ];
  return { kind: 'repair', problems: [problem], title: 'start without data', batches, loses };
}

/** What no node has is lost; so is what is on volumes that no pod uses, because the nodes forget the cluster that they were of. */
function lossOfAll({ state }: FixContext): Loss {
  const volumes = unusedVolumes(state);
  const unused = volumes === null ? '' : `; what is on the volume of ${volumes} is of no cluster then`;
  const sentence = `every key: no node has a volume with data${unused}`;
  return { slots: ALL_SLOTS, keys: null, seconds: null, sentence };
}

function everyVolumeLost({ state, check, members, evidence }: FixContext): Lost | null {
  const pods = state.nodes.filter(({ pod }) => pod !== null);
  const waiting = pods.flatMap((node) => {
    const life = evidence.lifeOf(node);
    const lost = node.unreachable?.why === 'guard-waiting' && life.kind === 'dead' && life.returns === 'empty';
    return lost && node.pod !== null ? [node.pod] : [];
  });
  if (waiting.length === 0 || check.missing.length > 0) return null;
  // Pods of another workload may have taken the numbers of those whose workload sleeps, with its volumes.
  if (check.observation.kube.statefulSets.some(({ replicas }) => replicas === 0)) return null;
  const empty = members.filter(({ answer, node }) => answer.info.keys === 0 && node.slots.length === 0);
  return waiting.length + empty.length === pods.length ? { waiting, empty } : null;
}
