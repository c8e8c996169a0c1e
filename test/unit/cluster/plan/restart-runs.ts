/** Restarts run from their beginning to their end, or to where they are cut short. */
import type { Observation } from '../../../../pkg/cluster/model/observation.ts';
import type { Step } from '../../../../pkg/cluster/model/plan.ts';
import { restartTarget, type RestartTarget, type RestartWish } from '../../../../pkg/cluster/plan/restart-goal.ts';
import { planIn, recordedIn, runRestartStep } from '../../../support/restart-world.ts';

export const NOON = '2026-11-23T12:00:00.000Z';
export const LATER = '2026-11-23T13:00:00.000Z';
export const wish = (change: Partial<RestartWish> = {}): RestartWish => ({
  at: NOON,
  image: null,
  config: {},
  live: [],
  pods: null,
  ...change,
});

export function targetOf(observation: Observation, wanted: RestartWish): RestartTarget {
  const target = restartTarget(observation.kube, recordedIn(observation), wanted);
  if (target === null) throw new Error('nothing is to be restarted');
  return target;
}

/** @param dies whether the run ends before a step, as a kill ends it */
export function run(
  start: Observation,
  target: RestartTarget,
  dies: (step: Step) => boolean = () => false,
): Observation {
  let now = start;
  for (let batches = 0; batches < 100; batches++) {
    const plan = planIn(now, target, true);
    if (plan.kind === 'refused') throw new Error(`${plan.code}: ${plan.sentence}`);
    const batch = plan.kind === 'batches' ? plan.batches[0] : undefined;
    if (batch === undefined) return now;
    for (const step of batch.steps) {
      if (dies(step)) return now;
      now = runRestartStep(now, step, target);
    }
  }
  throw new Error('it never ends');
}

/** Pods whose uid has changed, with how often. */
export function renewed(start: Observation, end: Observation): number[] {
  return end.kube.pods.map(
    ({ name, uid }) => uid.length - (start.kube.pods.find((pod) => pod.name === name)?.uid.length ?? 0),
  );
}
