/** Steps of `restart` on a cluster whose objects are not ours: only its pods and its nodes are touched. */
import type { Observation } from '../cluster/model/observation.ts';
import type { Step } from '../cluster/model/plan.ts';
import type { ObservePorts } from './observe.ts';
import type { Report } from './report.ts';
import { awaitConvergence } from './steps/await-convergence.ts';
import { failover } from './steps/failover.ts';
import { POD_NAME_LABEL } from '../cluster/model/labels.ts';
import { replicate } from './steps/redis-steps.ts';
import { restartPod } from './steps/restart-pod.ts';
import { markPods } from './steps/upkeep-steps.ts';
import { waitPods } from './steps/wait-pods.ts';

const ASK_DEADLINE_MS = 2_000;

interface Deps extends ObservePorts {
  readonly observation: Observation;
  readonly report: Report;
  readonly signal: AbortSignal;
  readonly podsTimeoutMs: number;
  readonly resume: string;
}

/** @throws AppError */
export async function applyForeignStep(deps: Deps, step: Step): Promise<void> {
  const { kube, redis, observation, report, signal, podsTimeoutMs: timeoutMs } = deps;
  switch (step.kind) {
    case 'mark-pods':
      return markPods(kube, step);
    case 'restart-pod':
      return restartPod({ ...deps, timeoutMs }, step);
    case 'failover':
      return failover(deps, step);
    case 'replicate':
      return replicate(deps, step);
    case 'await-convergence':
      return awaitConvergence(deps, observation, { report, signal, stillMs: timeoutMs });
    case 'replace-pod':
      await kube.remove('v1', 'Pod', step.pod, { uid: step.podUid });
      return;
    case 'wait-pods':
      return waitPods(
        {
          ...deps,
          timeoutMs,
          answers: async (pod) => (await redis.ask(pod, { deadlineMs: ASK_DEADLINE_MS })).kind === 'answered',
          selector: `${POD_NAME_LABEL} in (${step.pods.join(',')})`,
        },
        step.pods,
      );
    default:
      throw new Error(`a restart of pods alone has no step ${step.kind}`);
  }
}
