/** From a step to its effect: the one switch over all kinds of steps. */
import type { Observation } from '../../cluster/model/observation.ts';
import type { Step } from '../../cluster/model/plan.ts';
import type { ClusterSpec } from '../../cluster/model/spec.ts';
import type { ObservePorts } from '../observe.ts';
import type { MoveLimits, SlotMover, StraySettler } from '../ports.ts';
import type { Report } from '../report.ts';
import { awaitConvergence } from './await-convergence.ts';
import { loadFunctions } from './load-functions.ts';
import { moveSlots } from './move-slots.ts';
import { failover } from './failover.ts';
import { takeOver } from './lead.ts';
import { awaitEmpty, forget, resetNode } from './membership-steps.ts';
import { applyBudgets, applyConfig, applyServices, applyWorkloads, markFormed, recordSpec } from './object-steps.ts';
import { protectClaims } from './protect-claims.ts';
import { recordBrought } from './record-brought.ts';
import { applyRemoval } from './remove-steps.ts';
import { restartPod } from './restart-pod.ts';
import { addSlots, meet, replicate, setConfigEpoch, setNodeTimeout } from './redis-steps.ts';
import { clearFormed } from './clear-formed.ts';
import { closeSlots, coverSlots, setSlotOwner, raiseEpoch, yieldSlots } from './slot-owner-steps.ts';
import { settleStrays } from './settle-strays.ts';
import { markPods, setConfig } from './upkeep-steps.ts';
import { waitPods } from './wait-pods.ts';

const ASK_DEADLINE_MS = 2_000;

export interface ApplyDeps extends ObservePorts {
  readonly spec: ClusterSpec;
  readonly report: Report;
  readonly signal: AbortSignal;
  readonly podsTimeoutMs: number;
  /** The command that goes on after a failure. */
  readonly resume: string;
  /** Whether the cluster's objects are ours; pods that people brought have at most a ConfigMap of ours. */
  readonly ownsObjects: boolean;
  /** Only for operations whose plans move slots. */
  readonly moving?: { readonly mover: SlotMover; readonly limits: MoveLimits; readonly strays?: StraySettler };
}

/** Runs one step and verifies it. @throws AppError */
export async function applyStep(deps: ApplyDeps, step: Step, observation: Observation): Promise<void> {
  const { kube, spec } = deps;
  const onRedis = { redis: deps.redis, clock: deps.clock, observation, signal: deps.signal };
  switch (step.kind) {
    case 'apply-services':
      return applyServices(kube, spec, observation.kube, step);
    case 'apply-config':
      return deps.ownsObjects
        ? applyConfig(kube, spec, observation)
        : recordBrought(kube, spec.cluster, observation, false);
    case 'apply-budgets':
      return applyBudgets(kube, spec, step.shards);
    case 'apply-workloads':
      return applyWorkloads(deps, spec, observation.kube, step.ordinals);
    case 'replace-pod':
      await kube.remove('v1', 'Pod', step.pod, { uid: step.podUid });
      return;
    case 'wait-pods':
      await waitPods(
        {
          kube,
          clock: deps.clock,
          report: deps.report,
          signal: deps.signal,
          timeoutMs: deps.podsTimeoutMs,
          answers: async (pod) => (await deps.redis.ask(pod, { deadlineMs: ASK_DEADLINE_MS })).kind === 'answered',
          selector: `kubectl-redis.io/cluster=${spec.cluster.name}`,
          resume: deps.resume,
        },
        step.pods,
      );
      // By now they have their claims.
      if (deps.ownsObjects) await protectClaims(kube, spec.cluster);
      return;
    case 'mark-formed':
      return deps.ownsObjects
        ? markFormed(kube, spec, observation)
        : recordBrought(kube, spec.cluster, observation, true);
    case 'add-slots':
      return addSlots(onRedis, step);
    case 'set-config-epoch':
      return setConfigEpoch(onRedis, step);
    case 'set-node-timeout':
      return setNodeTimeout(onRedis, step);
    case 'meet':
      return meet(onRedis, step);
    case 'replicate':
      return replicate(onRedis, step);
    case 'await-convergence':
      return awaitConvergence(deps, observation, { ...deps, stillMs: deps.podsTimeoutMs });
    case 'move-slots':
      if (deps.moving === undefined) throw new Error('This operation moves no slots');
      return moveSlots({ ...onRedis, ...deps.moving, report: deps.report }, step);
    case 'settle-strays': {
      const { strays, limits } = deps.moving ?? {};
      if (strays === undefined || limits === undefined) throw new Error('This operation brings no keys home');
      return settleStrays({ strays, limits, observation, report: deps.report, signal: deps.signal }, step);
    }
    case 'record-spec':
      return recordSpec(kube, step, observation);
    case 'failover':
      return failover(onRedis, step);
    case 'take-over':
      return takeOver(onRedis, step);
    case 'restart-pod': {
      const { report, podsTimeoutMs: timeoutMs, resume } = deps;
      return restartPod({ ...onRedis, kube, report, timeoutMs, resume }, step);
    }
    case 'mark-pods':
      return markPods(kube, step);
    case 'set-config':
      return setConfig(onRedis, step);
    case 'load-functions':
      return loadFunctions(onRedis, step);
    case 'forget':
      return forget(onRedis, step);
    case 'await-empty':
      return awaitEmpty(onRedis, step);
    case 'remove-object':
    case 'wait-gone':
      return applyRemoval({ ...deps, cluster: spec.cluster, timeoutMs: deps.podsTimeoutMs }, step);
    case 'set-slot-owner':
      return setSlotOwner(onRedis, step);
    case 'close-slots':
      return closeSlots(onRedis, step);
    case 'cover-slots':
      return coverSlots(onRedis, step);
    case 'yield-slots':
      return yieldSlots(onRedis, step);
    case 'bump-epoch':
      return raiseEpoch(onRedis, step);
    case 'reset-node':
      return resetNode(onRedis, step);
    case 'clear-formed':
      return clearFormed(kube, spec.cluster, observation.kube, deps.clock.now());
    default:
      return step satisfies never;
  }
}
