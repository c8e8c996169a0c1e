/** A cluster in memory on which plans of `restart` are run step by step, with the laws that no step may break. */
import { interpret } from '../../pkg/cluster/interpret.ts';
import {
  ANNOUNCE_ANNOTATION,
  RESTART_ANNOTATION,
  RESTARTED_ANNOTATION,
  SPEC_HASH_ANNOTATION,
  SPEC_HASH_KEY,
  SPEC_KEY,
} from '../../pkg/cluster/model/labels.ts';
import type { Observation, PodFacts } from '../../pkg/cluster/model/observation.ts';
import type { Plan, Step } from '../../pkg/cluster/model/plan.ts';
import type { SlotRanges } from '../../pkg/cluster/model/slots.ts';
import { nodeName, specHash, type ClusterSpec } from '../../pkg/cluster/model/spec.ts';
import { planRestart, type RestartInput } from '../../pkg/cluster/plan/restart.ts';
import { isToRestart, type RestartTarget } from '../../pkg/cluster/plan/restart-goal.ts';
import { simulate } from '../../pkg/cluster/plan/simulate.ts';
import { recordOf } from '../../pkg/cluster/model/record.ts';
import { specAnnotations } from '../../pkg/pod/annotations.ts';
import { asMade } from './as-made.ts';
import { changeKube, changePod, changeService, changed } from './observation-changes.ts';
import type { Shape } from './observation-seats.ts';
import { DEFAULT_SHAPE, healthyObservation } from './observation.ts';
import { specOf } from './spec.ts';

export function restartWorld(change: Partial<Shape> = {}): Observation {
  const shape = { ...DEFAULT_SHAPE, ...change };
  const made = healthyObservation(shape);
  if (shape.kind === 'foreign') return made;
  const { masters, replicas } = shape;
  return asMade(made, specOf({ masters, replicas }));
}

export function recordedIn({ kube, cluster }: Observation): ClusterSpec | null {
  return recordOf(kube, cluster).spec;
}

export function planIn(
  observation: Observation,
  target: RestartTarget,
  agreedAway: SlotRanges = [],
  agreedLoss: SlotRanges = [],
  rendered: RestartInput['rendered'] = { config: false, templates: false },
): Plan {
  const { kube } = observation;
  const recorded = recordedIn(observation);
  const staleConfig = recorded !== null && kube.config?.[SPEC_HASH_KEY] !== specHash(recorded);
  const live = Object.keys(target.live).every((name) =>
    observation.replies.every((one) => configOf(one)[name] !== undefined),
  );
  const state = interpret(observation);
  const stale = { staleConfig, staleSettings: staleConfig };
  const decided = { target, liveIsSet: live, agreedAway, agreedLoss };
  return planRestart({ state, kube, recorded, ...stale, rendered, ...decided });
}

function configOf({ reply }: Observation['replies'][number]): Readonly<Record<string, string>> {
  return reply.kind === 'answered' ? (reply.answer.config ?? {}) : {};
}

/** @throws Error when the step breaks a law */
export function runRestartStep(observation: Observation, step: Step, target: RestartTarget): Observation {
  const recorded = recordedIn(observation);
  assertLawful(observation, step, target);
  switch (step.kind) {
    case 'record-spec':
      return changed(
        observation,
        changeService(step.spec.cluster.name, (service) => ({
          ...service,
          annotations: { ...service.annotations, ...specAnnotations(step.spec) },
        })),
        changeKube((kube) => ({ ...kube, state: { ...kube.state, [SPEC_KEY]: JSON.stringify(step.spec) } })),
      );
    case 'apply-config':
      return changed(
        observation,
        changeKube((kube) => ({
          ...kube,
          config: { ...kube.config, [SPEC_HASH_KEY]: recorded === null ? '' : specHash(recorded) },
        })),
      );
    case 'apply-workloads':
      return recorded === null ? observation : changed(observation, render(recorded, step.ordinals));
    case 'mark-pods':
      return step.pods.reduce(
        (now, { pod }) =>
          changed(
            now,
            changePod(pod, (facts) => ({
              ...facts,
              annotations: { ...facts.annotations, [RESTART_ANNOTATION]: step.at },
            })),
          ),
        observation,
      );
    case 'restart-pod':
    case 'replace-pod':
      return changed(
        observation,
        changePod(step.pod, (pod) => successorOf(observation, pod)),
      );
    default:
      return simulate(observation, { title: '', steps: [step] });
  }
}

function render(spec: ClusterSpec, ordinals: readonly number[]): (observation: Observation) => Observation {
  const names = new Map(ordinals.map((ordinal) => [nodeName(spec.cluster.name, ordinal), String(ordinal)]));
  return changeKube((kube) => ({
    ...kube,
    statefulSets: kube.statefulSets.map((set) => {
      const ordinal = names.get(set.name);
      const mark = ordinal === undefined ? undefined : spec.restarted?.[ordinal];
      if (ordinal === undefined) return set;
      const marks = mark === undefined ? {} : { [RESTARTED_ANNOTATION]: mark };
      const announced = set.templateAnnotations[ANNOUNCE_ANNOTATION] ?? '';
      const own = { [ANNOUNCE_ANNOTATION]: announced, [SPEC_HASH_ANNOTATION]: specHash(spec) };
      return { ...set, image: spec.image, templateAnnotations: { ...own, ...marks } };
    }),
  }));
}

/** As its template says; without the mark of the old one. */
function successorOf({ kube }: Observation, pod: PodFacts): PodFacts {
  const template = kube.statefulSets.find(({ name }) => pod.owner === `StatefulSet/${name}`);
  const image = template?.image ?? pod.container.image;
  const running = { ...pod.container, image, state: 'running', reason: null } as const;
  const annotations = template?.templateAnnotations ?? {};
  return { ...pod, uid: `${pod.uid}+`, annotations, phase: 'Running', ready: true, container: running };
}

/** One pod at a time, by live role, and never a shard's last copy unless that was agreed to (L13, L14). */
function assertLawful(observation: Observation, step: Step, target: RestartTarget): void {
  const { nodes } = interpret(observation);
  const broken = (law: string): never => {
    throw new Error(`${law}: ${JSON.stringify(step)}`);
  };
  const toRestart = (pod: PodFacts | null): boolean => pod !== null && isToRestart(target, pod, observation.kube);
  if (step.kind === 'restart-pod') {
    const node = nodes.find(({ pod }) => pod?.uid === step.podUid) ?? broken('restarted a pod that is not there');
    if (!toRestart(node.pod)) broken('restarted a pod that is new');
    if (nodes.some(({ primaryId }) => node.nodeId !== null && primaryId === node.nodeId))
      broken('restarted a primary that has replicas');
  }
  if (step.kind === 'failover') {
    const primary = nodes.find(({ nodeId }) => nodeId === step.primary.nodeId);
    const shard = nodes.filter(({ primaryId }) => primaryId === step.primary.nodeId);
    if (!toRestart(primary?.pod ?? null)) broken('took the role from a pod that is new');
    if (shard.some(({ pod }) => toRestart(pod))) broken('handed over before all replicas were new');
  }
}
