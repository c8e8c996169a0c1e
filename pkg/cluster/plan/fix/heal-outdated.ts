/** Pods in which no server runs, of templates that have been put right since. */
import { runningImage } from '../../check/images.ts';
import { goesWithPod } from '../../evidence/persistence.ts';
import type { PodFacts } from '../../model/observation.ts';
import type { Step } from '../../model/plan.ts';
import { recordOf } from '../../model/record.ts';
import type { ClusterNode } from '../../model/state.ts';
import { refusedStart } from '../../wire/guard.ts';
import { left, repair, type FixContext, type Healer } from './fix-context.ts';

/** Reasons that no time mends: what the image is, or is made of. */
const BAD_IMAGE = /ImagePull|ErrImage|InvalidImage|CreateContainer/;
/** A container that ends again and again. Once may be the crash of its host. */
const CRASHES = /^(CrashLoopBackOff|Error)$/;
const CRASHES_ENOUGH = 2;

/**
 * `pod-outdated`. Only a pod that does not come up by itself, and never where the data goes with it: after an outage pods of the template
 * before start again, and a restart that stopped half way may have left templates that never do. For the same reason the present image must
 * be known to be good: another pod runs it; or, where no pod is ready, it is the recorded one and no pod is known that fails with it.
 */
export const healOutdatedPods: Healer = (context, problems) => {
  const { kube } = context.check.observation;
  const image = goodImage(context);
  const pods = problems.map((problem) => {
    const node = context.state.nodes.find(({ pod }) => pod !== null && problem.nodes.includes(pod.name));
    const set = kube.statefulSets.find(({ name }) => node?.pod?.owner === `StatefulSet/${name}`);
    const isGood = node?.pod != null && isStuck(node, node.pod) && set !== undefined && set.image === image;
    return { problem, pod: node?.pod ?? null, isGood };
  });
  const steps = pods.flatMap(({ pod, isGood }): Step[] => {
    if (pod === null || !isGood) return [];
    const reason = 'no server runs in it, and its template is another one by now';
    return [{ kind: 'replace-pod', pod: pod.name, podUid: pod.uid, reason }];
  });
  const good = pods.filter(({ isGood }) => isGood).map(({ problem }) => problem);
  return [
    ...(steps.length === 0 ? [] : [repair(good, 'make pods anew that do not run', steps)]),
    ...pods.filter(({ isGood }) => !isGood).map(({ problem }) => left(problem, 'by-hand', problem.repair)),
  ];
};

function isStuck({ unreachable }: ClusterNode, pod: PodFacts): boolean {
  if (goesWithPod(pod)) return false;
  const { reason, restarts } = pod.container;
  if (refusedStart(unreachable) !== null) return true;
  if (unreachable?.why === 'guard-waiting') return false;
  return BAD_IMAGE.test(reason ?? '') || (CRASHES.test(reason ?? '') && restarts >= CRASHES_ENOUGH);
}

/** null: none is known to be good. */
function goodImage({ state, check }: FixContext): string | null {
  const { kube } = check.observation;
  const runs = runningImage(check);
  if (runs !== null) return runs;
  const recorded = recordOf(kube, state.cluster).spec?.image ?? null;
  return kube.pods.some(({ container }) => container.image === recorded) ? null : recorded;
}
