/** `scale`, without a terminal: look, prepare (what would be there, what it costs), then run the loop under the lease. */
import { AppError, refusal } from '../errors.ts';
import { interpret } from '../cluster/interpret.ts';
import { isUnread, type ClusterRef, type KubeFacts, type Observation } from '../cluster/model/observation.ts';
import type { Plan, Remark } from '../cluster/model/plan.ts';
import { recordOf } from '../cluster/model/record.ts';
import type { ClusterSpec } from '../cluster/model/spec.ts';
import type { ClusterState, DesiredShape } from '../cluster/model/state.ts';
import { planScale } from '../cluster/plan/scale.ts';
import { layShape } from '../cluster/plan/scale-layout.ts';
import { outlineScale, type ScaleOutline } from '../cluster/plan/scale-outline.ts';
import { checkHosts, refuseMemory, roomsOf } from '../cluster/plan/scale-preflight.ts';
import { converge, type Converged } from './converge.ts';
import { readInventory, type Inventory } from './inventory.ts';
import { observeToChange, type ObservePorts } from './observe.ts';
import { patientLook, patientMoves } from './patience.ts';
import { underLease } from './operation.ts';
import type { MoveLimits, SlotMover } from './ports.ts';
import type { Report } from './report.ts';
import { applyStep } from './steps/apply.ts';

const ASK_DEADLINE_MS = 2_000;

type Wanted = Pick<DesiredShape, 'masters' | 'replicas'>;

export interface ScaleSight {
  readonly observation: Observation;
  readonly state: ClusterState;
  readonly inventory: Inventory;
  readonly recorded: ClusterSpec;
}

export interface PreparedScale {
  readonly seen: ScaleSight;
  readonly wanted: Wanted;
  readonly plan: Plan;
  readonly outline: ScaleOutline;
  readonly remarks: readonly Remark[];
  /** Of all that was shown, but for counts that change all the time. */
  readonly fingerprint: string;
}

/** null = as it is. */
export interface AskedShape {
  readonly masters: number | null;
  readonly replicas: number | null;
}

/** Pure: what would be there, what moves, what it costs. @throws AppError for whatever scale would refuse */
export function prepareScale(seen: ScaleSight, asked: AskedShape): PreparedScale {
  const { recorded, state } = seen;
  const wanted = { masters: asked.masters ?? recorded.masters, replicas: asked.replicas ?? recorded.replicas };
  const plan = planOf(seen, wanted, null);
  const kube = seen.observation.kube;
  const spec = layShape({ spec: recorded, state, kube }, wanted);
  const outline = outlineScale({ state, kube, owned: seen.inventory.owned }, spec);
  const fingerprint = fingerprintOf(outline, wanted, plan.kind);
  if (plan.kind !== 'batches')
    return { seen, wanted, plan, outline, remarks: plan.kind === 'nothing' ? plan.remarks : [], fingerprint };
  const short = refuseMemory(outline.moves, roomsOf(state, outline.spec));
  if (short !== null) throw short;
  const hosts = checkHosts(outline, isUnread(kube, 'nodes') ? null : kube.hosts);
  if (hosts instanceof AppError) throw hosts;
  return { seen, wanted, plan, outline, remarks: [...plan.remarks, ...hosts], fingerprint };
}

function fingerprintOf({ shards, moves, handOvers }: ScaleOutline, wanted: Wanted, outcome: Plan['kind']): string {
  const fates = shards.map(({ name, nodes, slotsNow }) => ({ name, nodes, slotsNow }));
  const transfers = moves.map(({ from, to, slots }) => ({ from, to, slots }));
  return JSON.stringify({ outcome, wanted, fates, transfers, handOvers });
}

/** Nodes that go with their volumes. */
export function goingNodes({ shards }: ScaleOutline): string[] {
  return shards.flatMap(({ nodes }) => nodes.filter(({ fate }) => fate === 'goes').map(({ name }) => name));
}

/**
 * What a plan is made of that is shown. Keys in slots of others are counted only here: some servers drop the keys that they gave away a
 * little later, and while slots move those are none.
 */
export function lookBeforeScale(
  ports: ObservePorts,
  cluster: ClusterRef,
  signal: AbortSignal,
  isThere?: (kube: KubeFacts) => Promise<void>,
): Promise<ScaleSight> {
  return lookForScale(ports, cluster, { countKeys: true, signal }, isThere);
}

/**
 * Reads everything and changes nothing.
 * @param isThere is given what was read before anything is made of it; throws where that is no cluster
 * @throws AppError where the cluster is not one that `create` made
 */
async function lookForScale(
  ports: ObservePorts,
  cluster: ClusterRef,
  options: { readonly countKeys: boolean; readonly signal: AbortSignal },
  isThere: (kube: KubeFacts) => Promise<void> = () => Promise.resolve(),
): Promise<ScaleSight> {
  const [inventory, observation] = await Promise.all([
    readInventory(ports.kube, cluster, false),
    observeToChange(ports, cluster, { deadlineMs: ASK_DEADLINE_MS, withConfig: true, ...options }),
  ]);
  await isThere(observation.kube);
  const state = interpret(observation);
  return { observation, state, inventory, recorded: recordedSpec(observation.kube, cluster) };
}

function recordedSpec(kube: KubeFacts, cluster: ClusterRef): ClusterSpec {
  const { spec } = recordOf(kube, cluster);
  if (spec !== null) return spec;
  throw refusal(
    'foreign-cluster',
    `${cluster.name} was not made by kubectl redis create: no shape is recorded`,
    'Change its shape with what made it',
  );
}

function planOf(
  { state, observation, inventory, recorded }: ScaleSight,
  wanted: Wanted,
  agreedToGo: readonly string[] | null,
): Plan {
  return planScale({ state, kube: observation.kube, owned: inventory.owned, recorded, wanted, agreedToGo });
}

export interface RunScaleInput {
  readonly cluster: ClusterRef;
  readonly wanted: Wanted;
  /** Nodes that may go with their volumes. */
  readonly agreedToGo: readonly string[];
  readonly mover: SlotMover;
  readonly limits: MoveLimits;
  /** Pairs of nodes that move slots at a time. */
  readonly parallel: number;
  readonly report: Report;
  readonly podsTimeoutMs: number;
  readonly resume: string;
  readonly signal: AbortSignal;
}

/** Runs the plan to its end under the lease. @throws AppError; the same command then goes on from there */
export async function runScale(given: ObservePorts, input: RunScaleInput): Promise<Converged<ScaleSight>> {
  const { cluster, wanted, limits, podsTimeoutMs, resume } = input;
  return underLease({ ...given, mover: input.mover }, cluster, 'scale', input, (held, ports) => {
    const { mover } = ports;
    const look = (): Promise<ScaleSight> => lookForScale(ports, cluster, { countKeys: false, signal: held.signal });
    const plan = (seen: ScaleSight): Plan => planOf(seen, wanted, input.agreedToGo);
    const tell = (sentence: string): void => held.report({ kind: 'trouble', sentence });
    const { parallel } = input;
    const patient = patientMoves({ ...held, parallel, planAgain: async () => plan(await look()), tell });
    return converge<ScaleSight>({
      observe: patientLook({ ...held, look, plan, tell }),
      plan,
      apply: (step, seen) => {
        // Objects are rendered from what is recorded: that names the nodes that go, too, for as long as they are there.
        const deps = { ...ports, ...held, spec: seen.recorded, podsTimeoutMs, resume, ownsObjects: true };
        const run = (): Promise<void> => applyStep({ ...deps, moving: { mover, limits } }, step, seen.observation);
        return step.kind === 'move-slots' ? patient(step, run) : run();
      },
      ...held,
    });
  });
}
