/** Pods in which no server runs, of templates that have been put right since. */
import { runningImage } from '../../check/images.ts';
import type { Step } from '../../model/plan.ts';
import { recordOf } from '../../model/record.ts';
import type { Problem } from '../../model/problem.ts';
import { left, repair, type Cure, type Healer } from './fix-context.ts';

/**
 * `pod-outdated`. Never where the data goes with the pod. And only where the present template is known to be good, because another pod
 * runs its image; or nothing better is known, because no pod is ready and the image is the recorded one: a restart that stopped half way
 * has left templates that may never start.
 */
export const healOutdatedPods: Healer = ({ state, check }, problems) => {
  const { kube } = check.observation;
  const runs = runningImage(check) ?? recordOf(kube, state.cluster).spec?.image ?? null;
  const pods = problems.map((problem) => {
    const pod = kube.pods.find(({ name }) => problem.nodes.includes(name));
    const set = kube.statefulSets.find(({ name }) => pod?.owner === `StatefulSet/${name}`);
    const isKept = pod?.ephemeralData === false && pod.goingClaim === undefined;
    return { problem, pod, isGood: state.origin === 'ours' && isKept && set !== undefined && set.image === runs };
  });
  const steps = pods.flatMap(({ pod, isGood }): Step[] => {
    if (pod === undefined || !isGood) return [];
    const reason = 'no server runs in it, and its template is another one by now';
    return [{ kind: 'replace-pod', pod: pod.name, podUid: pod.uid, reason }];
  });
  const good = pods.filter(({ isGood }) => isGood).map(({ problem }) => problem);
  return [
    ...(steps.length === 0 ? [] : [repairOf(good, steps)]),
    ...pods.filter(({ isGood }) => !isGood).map(({ problem }) => left(problem, 'by-hand', problem.repair)),
  ];
};

/** Side by side: who is waited for is not up before it is replaced. */
function repairOf(problems: readonly Problem[], steps: readonly Step[]): Cure {
  const pods = problems.flatMap(({ nodes }) => nodes);
  const wait: Step = { kind: 'wait-pods', pods, reason: 'they come with their volumes' };
  return repair(problems, 'make pods anew that do not run', [...steps, wait]);
}
