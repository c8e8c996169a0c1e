/** `restart`, without a terminal: decide what is to be new, then run the loop under the lease. */
import { AppError, refusal, usageError } from '../errors.ts';
import { interpret } from '../cluster/interpret.ts';
import { RESTARTED_ANNOTATION } from '../cluster/model/labels.ts';
import type { ClusterRef, KubeFacts, Observation } from '../cluster/model/observation.ts';
import type { Loss } from '../cluster/model/loss.ts';
import type { Plan, Remark, Step } from '../cluster/model/plan.ts';
import { recordOf } from '../cluster/model/record.ts';
import { ALL_SLOTS, countSlots, type SlotRanges } from '../cluster/model/slots.ts';
import type { ClusterSpec } from '../cluster/model/spec.ts';
import type { ClusterState } from '../cluster/model/state.ts';
import { planRestart, type RestartInput } from '../cluster/plan/restart.ts';
import {
  isToRestart,
  restartTarget,
  restartTime,
  type RestartTarget,
  type RestartWish,
} from '../cluster/plan/restart-goal.ts';
import { outlineRestart, type OutlineShard } from '../cluster/plan/restart-outline.ts';
import { lossOfRestart, slotsAway } from '../cluster/plan/restart-refuse.ts';
import { whyOlderThan } from '../cluster/plan/server-version.ts';
import { liveNames } from '../pod/live-config.ts';
import { converge, type Converged, type ConvergeDeps } from './converge.ts';
import { observeToChange, type ObservePorts } from './observe.ts';
import { underLease, type Held } from './operation.ts';
import { patientLook } from './patience.ts';
import type { Report } from './report.ts';
import { applyForeignStep } from './restart-foreign.ts';
import { staleConfigOf, type StaleConfig } from './stale-config.ts';
import { applyStep } from './steps/apply.ts';

const ASK_DEADLINE_MS = 5_000;
/** As the pods' stop script: clients that ask the old primary meanwhile are redirected, later they would meet a closed socket. */
const AFTER_HAND_OVER_MS = 3_000;

export interface RestartSight extends StaleConfig {
  readonly observation: Observation;
  readonly state: ClusterState;
  readonly recorded: ClusterSpec | null;
}

export interface PreparedRestart {
  readonly cluster: ClusterRef;
  readonly seen: RestartSight;
  readonly wish: RestartWish;
  /** null: everything is as it was asked for. */
  readonly target: RestartTarget | null;
  readonly plan: Plan;
  readonly shards: readonly OutlineShard[];
  /** Slots that are away for as long as a pod takes to restart; more than 0 needs consent. */
  readonly slotsAway: number;
  /** Those slots. */
  readonly away: SlotRanges;
  /** What is lost with that, where a node keeps nothing on disk: it needs consent by its slots. */
  readonly loss: Loss | null;
  /** Of all that was shown: equal where a person who agreed to the one has agreed to the other. */
  readonly fingerprint: string;
  readonly remarks: readonly Remark[];
}

export interface PrepareRestartInput {
  readonly cluster: ClusterRef;
  readonly image: string | null;
  /** As redis.conf spells them; checked. */
  readonly config: Readonly<Record<string, string>>;
  /** Pods or names of their nodes; empty = all. */
  readonly pods: readonly string[];
  /** What is waited for, where an unfinished restart finds an owner of slots silent. */
  readonly tell: (sentence: string) => void;
  readonly signal: AbortSignal;
}

/** Reads, and changes nothing. @throws AppError for whatever restart would refuse */
export async function prepareRestart(ports: ObservePorts, input: PrepareRestartInput): Promise<PreparedRestart> {
  const { cluster, image, config } = input;
  const now = ports.clock.now();
  const wishIn = ({ observation }: RestartSight): RestartWish => {
    const at = restartTime(now, observation.kube);
    return { at, image, config, live: liveNames(config), pods: namedPods(observation.kube, input) };
  };
  const seen = await lookPatiently(ports, input, wishIn);
  const { recorded, state, observation } = seen;
  refuseChangeOfOthers(seen, input);
  // (A record that was put back from a backup may have one that is older than the servers.)
  const next = image ?? recorded?.image ?? null;
  if (next !== null) refuseOlderImage(state, next);
  const wish = wishIn(seen);
  const target = restartTarget(observation.kube, recorded, wish);
  if (target === null)
    return {
      cluster,
      seen,
      wish,
      target,
      plan: { kind: 'nothing', remarks: [] },
      shards: [],
      slotsAway: 0,
      away: [],
      loss: null,
      fingerprint: '',
      remarks: [],
    };
  const plan = planRestart(planInput(seen, { ...AS_SHOWN, target }));
  const shards = outlineRestart(state, observation.kube, target);
  const away = slotsAway(state, observation.kube, target);
  const loss = lossOfRestart({ state, kube: observation.kube, target, recorded });
  const { spec, live, continues } = target;
  const fingerprint = JSON.stringify({
    shards,
    continues,
    live,
    image: spec?.image ?? null,
    config: spec?.config ?? null,
    lost: loss?.slots ?? [],
  });
  return {
    cluster,
    seen,
    wish,
    target,
    plan,
    shards,
    slotsAway: countSlots(away),
    away,
    loss,
    fingerprint,
    remarks: remarksOn(seen, target),
  };
}

/** A plan that is only shown: what needs consent is said beside it. */
const AS_SHOWN = { agreedAway: ALL_SLOTS, agreedLoss: ALL_SLOTS, liveIsSet: false } as const;

/** The run before may have been killed in the middle of a failover: what that leaves passes by itself. */
function lookPatiently(
  ports: ObservePorts,
  { cluster, signal, tell }: PrepareRestartInput,
  wishIn: (seen: RestartSight) => RestartWish,
): Promise<RestartSight> {
  const plan = (seen: RestartSight): Plan => {
    const target = restartTarget(seen.observation.kube, seen.recorded, wishIn(seen));
    if (target?.continues !== true) return { kind: 'nothing', remarks: [] };
    return planRestart(planInput(seen, { ...AS_SHOWN, target }));
  };
  return patientLook({ clock: ports.clock, signal, look: () => look(ports, cluster, signal), plan, tell })();
}

function remarksOn({ observation }: RestartSight, { goal, continues, spec }: RestartTarget): Remark[] {
  if (!continues) return [];
  const pods = observation.kube.pods.filter(({ name }) => goal.pods.some(({ pod }) => pod === name));
  const all = spec === null ? observation.kube.pods.length : Object.keys(spec.restarted ?? {}).length;
  const left = pods.filter((pod) => spec === null || pod.annotations[RESTARTED_ANNOTATION] !== goal.at).length;
  const sentence = `The restart of ${goal.at} was begun and is not finished: ${left} of ${all} pods are left`;
  return [{ code: 'restart-unfinished', sentence }];
}

function refuseChangeOfOthers({ recorded, state }: RestartSight, { image, config }: PrepareRestartInput): void {
  if (recorded !== null || (image === null && Object.keys(config).length === 0)) return;
  throw refusal(
    'foreign-cluster',
    `${state.cluster.name} was not made by kubectl redis create: its templates are not ours to change`,
    'Change image and settings with what made it; kubectl redis restart without them restarts its pods by role',
  );
}

function refuseOlderImage(state: ClusterState, image: string): void {
  const why = whyOlderThan(image, state.nodes);
  if (why !== null)
    throw refusal(
      'older-image',
      `${image} is not for this cluster: ${why}`,
      'Give an image of the same version or a later one',
    );
}

function namedPods(kube: KubeFacts, { pods, cluster }: PrepareRestartInput): readonly string[] | null {
  if (pods.length === 0) return null;
  return pods.map((typed) => {
    const found = kube.pods.find(({ name, labels }) => name === typed || labels['name'] === typed);
    if (found === undefined)
      throw usageError(
        `${cluster.name} has no pod ${typed}`,
        `its pods: ${kube.pods.map(({ name }) => name).join(', ')}`,
      );
    return found.name;
  });
}

async function look(ports: ObservePorts, cluster: ClusterRef, signal: AbortSignal): Promise<RestartSight> {
  const options = { deadlineMs: ASK_DEADLINE_MS, withConfig: true, countKeys: true, signal };
  const observation = await observeToChange(ports, cluster, options);
  const { kube } = observation;
  const recorded = recordOf(kube, cluster).spec;
  return { observation, state: interpret(observation), recorded, ...staleConfigOf(kube, recorded) };
}

type Decided = Pick<RestartInput, 'target' | 'agreedAway' | 'agreedLoss' | 'liveIsSet'> &
  Partial<Pick<RestartInput, 'rendered'>>;

function planInput({ observation, ...seen }: RestartSight, decided: Decided): RestartInput {
  return { ...seen, kube: observation.kube, rendered: { config: false, templates: false }, ...decided };
}

export interface RunRestartInput {
  readonly prepared: PreparedRestart;
  readonly target: RestartTarget;
  /** Slots that may be away while their only node restarts: what was shown and agreed to. */
  readonly agreedAway: SlotRanges;
  /** Slots whose keys may be lost: what was shown and agreed to. */
  readonly agreedLoss: SlotRanges;
  readonly report: Report;
  readonly podsTimeoutMs: number;
  readonly resume: string;
  readonly signal: AbortSignal;
}

/** Runs the plan to its end under the lease. @throws AppError; the same command then goes on from there */
export async function runRestart(given: ObservePorts, input: RunRestartInput): Promise<Converged<RestartSight>> {
  const { cluster } = input.prepared;
  return underLease(given, cluster, 'restart', input, async (held, ports) => {
    try {
      return await converge(loopOf(ports, input, held, input.target));
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'config-fixed') throw error;
      const target = await withoutLive(ports, input, held);
      if (target === null) throw error;
      held.report({ kind: 'trouble', sentence: `${error.message}: its pods are restarted for it` });
      return converge(loopOf(ports, input, held, target));
    }
  });
}

/** The same, with every directive by restart. */
async function withoutLive(
  ports: ObservePorts,
  { prepared }: RunRestartInput,
  held: Held,
): Promise<RestartTarget | null> {
  const { observation, recorded } = await look(ports, prepared.cluster, held.signal);
  return restartTarget(observation.kube, recorded, { ...prepared.wish, live: [] });
}

function loopOf(
  ports: ObservePorts,
  input: RunRestartInput,
  held: Held,
  target: RestartTarget,
): ConvergeDeps<RestartSight> {
  const { cluster } = input.prepared;
  const { agreedAway, agreedLoss } = input;
  let liveIsSet = false;
  let rendered = { config: false, templates: false };
  const plan = (seen: RestartSight): Plan => {
    const made = planRestart(planInput(seen, { target, agreedAway, agreedLoss, liveIsSet, rendered }));
    // No refusal: it was under way.
    if (made.kind === 'refused' && made.code === 'put-back')
      throw new AppError(made.sentence, { code: made.code, hint: made.hint });
    return made;
  };
  const tell = (sentence: string): void => held.report({ kind: 'trouble', sentence });
  return {
    observe: patientLook({ ...held, look: () => look(ports, cluster, held.signal), plan, tell }),
    plan,
    apply: async (step, seen) => {
      await applyOne(ports, input, held, step, seen);
      // It is planned again only when all nodes took it.
      if (step.kind === 'set-config') liveIsSet = true;
      if (step.kind === 'apply-config') rendered = { ...rendered, config: true };
      if (step.kind === 'apply-workloads') rendered = { ...rendered, templates: true };
      if (step.kind === 'failover') await held.clock.sleep(AFTER_HAND_OVER_MS, held.signal);
    },
    ...held,
  };
}

function applyOne(
  ports: ObservePorts,
  { podsTimeoutMs, resume }: RunRestartInput,
  held: Held,
  step: Step,
  { recorded, observation }: RestartSight,
): Promise<void> {
  const deps = { ...ports, ...held, podsTimeoutMs, resume };
  if (recorded === null) return applyForeignStep({ ...deps, observation }, step);
  return applyStep({ ...deps, spec: recorded, ownsObjects: true }, step, observation);
}

/** Pods of the goal that are new by now, of how many. */
export function restartedPods({ observation }: RestartSight, target: RestartTarget): number {
  const names = new Set(target.goal.pods.map(({ pod }) => pod));
  return observation.kube.pods.filter((pod) => names.has(pod.name) && !isToRestart(target, pod, observation.kube))
    .length;
}
