/** `create`, without a terminal: prepare (observe, resolve, refuse early), then run the loop under the lease. */
import { AppError, refusal } from '../errors.ts';
import { interpret } from '../cluster/interpret.ts';
import { isUnread, type ClusterRef, type KubeFacts, type Observation } from '../cluster/model/observation.ts';
import type { Plan, Policy, Remark } from '../cluster/model/plan.ts';
import { recordOf } from '../cluster/model/record.ts';
import { ordinalsOf, shardOf, type ClusterSpec } from '../cluster/model/spec.ts';
import type { ClusterState } from '../cluster/model/state.ts';
import { isBrought, planCreate } from '../cluster/plan/create.ts';
import { ownSets, recoverSpec } from '../cluster/plan/create-recover.ts';
import { resolveSpec, shapeOf, type GivenSpec } from '../cluster/plan/create-spec.ts';
import {
  decideAntiAffinity,
  refuseSecret,
  refuseStorage,
  refuseStrangeSelectors,
  refuseTakenNames,
  type StorageClassFacts,
} from '../cluster/plan/preflight.ts';
import { budget } from '../pod/budget.ts';
import { busPolicy } from '../pod/bus-policy.ts';
import { configMap } from '../pod/config-map.ts';
import { authSecretName } from '../pod/names.ts';
import { clientService } from '../pod/services.ts';
import { statefulSet } from '../pod/stateful-set.ts';
import { podLabels } from '../pod/labels.ts';
import { converge, type Converged } from './converge.ts';
import { observeToChange, type ObservePorts } from './observe.ts';
import { underLease } from './operation.ts';
import { patientLook } from './patience.ts';
import type { KubeObject } from './ports.ts';
import type { Report } from './report.ts';
import { applyStep } from './steps/apply.ts';

const ASK_DEADLINE_MS = 2_000;

export interface Prepared {
  readonly spec: ClusterSpec;
  readonly state: ClusterState;
  readonly observation: Observation;
  readonly plan: Plan;
  readonly remarks: readonly Remark[];
  readonly brought: boolean;
  /** Of all that was shown. */
  readonly fingerprint: string;
}

export interface PrepareInput {
  readonly cluster: ClusterRef;
  readonly given: GivenSpec;
  readonly policy: Policy;
  readonly defaultImage: string;
  /** Let the API server check one object of each kind; needs the rights that making them needs. */
  readonly tryOut: boolean;
  readonly signal: AbortSignal;
}

/** Reads everything and changes nothing. @throws AppError for whatever create would refuse */
export async function prepareCreate(ports: ObservePorts, input: PrepareInput): Promise<Prepared> {
  const { cluster, given, policy, defaultImage, tryOut, signal } = input;
  // Both only read, and neither needs the other.
  const [observation, surroundings] = await Promise.all([
    observeToChange(ports, cluster, { deadlineMs: ASK_DEADLINE_MS, withConfig: true, signal }),
    readSurroundings(ports, given),
  ]);
  const state = interpret(observation);
  const { kube } = observation;
  const brought = isBrought(kube, cluster);
  const recorded = recordOf(kube, cluster).spec ?? (brought ? null : recovered(kube, cluster, given));
  const shape = shapeOf({ given, recorded, state, kube, brought });
  const affinity = decideAntiAffinity(
    given.antiAffinity ?? (state.formed ? (recorded?.antiAffinity ?? null) : null),
    hostsOf(kube),
    shape.replicas,
  );
  if (affinity instanceof AppError) throw affinity;
  const { spec, remarks } = resolveSpec({
    cluster,
    given,
    recorded,
    state,
    kube,
    brought,
    defaultImage,
    antiAffinity: affinity.antiAffinity,
  });
  if (!brought) refuseSurroundings(surroundings, spec);
  if (spec.auth || brought) {
    const refused = refuseSecret(await authSecretKeys(ports, spec), spec);
    if (refused !== null) throw refused;
  }
  const plan = planCreate({ state, kube, spec, policy });
  if (tryOut && !brought && makesObjects(plan)) await tryObjects(ports, spec);
  const told = plan.kind === 'refused' ? [] : plan.remarks;
  const steps = plan.kind === 'batches' ? plan.batches.map(({ title, steps: { length } }) => ({ title, length })) : [];
  const pods = brought ? kube.pods.map(({ name }) => name) : [];
  return {
    spec,
    state,
    observation,
    plan,
    brought,
    fingerprint: JSON.stringify({ spec, outcome: plan.kind, steps, pods }),
    remarks: [...remarks, ...(brought || state.formed ? [] : affinity.remarks), ...told],
  };
}

function makesObjects(plan: Plan): boolean {
  const steps = plan.kind === 'batches' ? plan.batches.flatMap((batch) => batch.steps) : [];
  return steps.some(
    (step) => step.kind === 'apply-services' || step.kind === 'apply-config' || step.kind === 'apply-workloads',
  );
}

/** null where there is nothing that `create` made. @throws AppError where there is, and nobody knows any more of what */
function recovered(kube: KubeFacts, cluster: ClusterRef, given: GivenSpec): ClusterSpec | null {
  if (ownSets(kube, cluster).length === 0) return null;
  const spec = recoverSpec(kube, cluster, given);
  if (spec !== null) return spec;
  throw refusal(
    'record-lost',
    `What ${cluster.name} was made with is not recorded any more, and it is not what was given now`,
    'Give all flags that it was made with (--image, --memory, --config …): they are compared with what its templates were rendered from',
  );
}

function hostsOf(kube: KubeFacts): KubeFacts['hosts'] | null {
  return isUnread(kube, 'nodes') ? null : kube.hosts;
}

/** Keys of Secret NAME-auth that have a value; null = it is not there, or may not be read: then its pods will say what is wrong. */
async function authSecretKeys({ kube }: ObservePorts, { cluster }: ClusterSpec): Promise<readonly string[] | null> {
  try {
    const secret = await kube.get('v1', 'Secret', authSecretName(cluster.name));
    if (secret === null) return null;
    const data = (secret['data'] ?? {}) as Readonly<Record<string, string>>;
    return Object.entries(data).flatMap(([key, value]) => (value === '' ? [] : [key]));
  } catch (error) {
    if (error instanceof AppError && error.code === 'forbidden') return null;
    throw error;
  }
}

/** What is there besides the cluster. */
interface Surroundings {
  readonly services: readonly KubeObject[];
  readonly others: readonly KubeObject[];
  readonly classes: readonly StorageClassFacts[] | null;
}

async function readSurroundings(ports: ObservePorts, given: GivenSpec): Promise<Surroundings> {
  const { kube } = ports;
  const [services, sets, configs, policies, classes] = await Promise.all([
    kube.list('v1', 'Service'),
    kube.list('apps/v1', 'StatefulSet'),
    kube.list('v1', 'ConfigMap'),
    given.networkPolicy === true ? kube.list('networking.k8s.io/v1', 'NetworkPolicy') : [],
    storageClasses(ports),
  ]);
  return { services, others: [...sets, ...configs, ...policies], classes };
}

function refuseSurroundings({ services, others, classes }: Surroundings, spec: ClusterSpec): void {
  const existing = [...services, ...others].map((object) => ({
    kind: object.kind,
    name: object.metadata.name,
    labels: object.metadata.labels ?? {},
  }));
  const labels = ordinalsOf(spec).map((n) => podLabels(spec, n));
  const refused =
    refuseTakenNames(existing, spec) ??
    refuseStrangeSelectors(services.map(selectorOf), spec, labels) ??
    refuseStorage(classes, spec);
  if (refused !== null) throw refused;
}

/**
 * One object of each kind, as a dry run of the server: a namespace that is not there, missing rights, admission rules and
 * values that Kubernetes does not take are known before anything is made.
 */
async function tryObjects(ports: ObservePorts, spec: ClusterSpec): Promise<void> {
  const firstShard = shardOf(spec, 1);
  const objects = [
    clientService(spec),
    configMap(spec),
    budget(spec, firstShard),
    ...(spec.networkPolicy ? [busPolicy(spec)] : []),
    statefulSet(spec, 1, { announceIp: null, shard: firstShard, antiAffinity: spec.antiAffinity }),
  ];
  await Promise.all(objects.map((object) => ports.kube.apply(object, { dryRun: true })));
}

function selectorOf(service: KubeObject): {
  name: string;
  labels: Readonly<Record<string, string>>;
  selector: Readonly<Record<string, string>>;
} {
  const spec = (service['spec'] ?? {}) as { selector?: Record<string, string> };
  return { name: service.metadata.name, labels: service.metadata.labels ?? {}, selector: spec.selector ?? {} };
}

/** Cluster-wide, so many people may not list them: then the API server will say what is wrong, in time. */
async function storageClasses(ports: ObservePorts): Promise<StorageClassFacts[] | null> {
  try {
    const classes = await ports.kube.list('storage.k8s.io/v1', 'StorageClass');
    return classes.map((item) => ({
      name: item.metadata.name,
      isDefault: item.metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true',
    }));
  } catch (error) {
    if (error instanceof AppError && error.code === 'forbidden') return null;
    throw error;
  }
}

export interface RunInput {
  readonly prepared: Prepared;
  readonly policy: Policy;
  readonly report: Report;
  readonly podsTimeoutMs: number;
  readonly resume: string;
  readonly signal: AbortSignal;
}

/** Runs the plan to its end under the lease. @throws AppError; the same command then goes on from there */
export async function runCreate(given: ObservePorts, input: RunInput): Promise<Converged> {
  const { prepared, policy, report, podsTimeoutMs, resume, signal } = input;
  const { spec } = prepared;
  return underLease(given, spec.cluster, 'create', { report, signal }, (held, ports) => {
    const deps = { ...ports, ...held, spec, podsTimeoutMs, resume, ownsObjects: !prepared.brought };
    const options = { deadlineMs: ASK_DEADLINE_MS, withConfig: true, signal: held.signal };
    const look = (): Promise<Observation> => observeToChange(ports, spec.cluster, options);
    const plan = (seen: Observation): Plan => planCreate({ state: interpret(seen), kube: seen.kube, spec, policy });
    const tell = (sentence: string): void => held.report({ kind: 'trouble', sentence });
    return converge({
      observe: patientLook({ ...held, look, plan, tell }),
      plan,
      apply: (step, observation) => applyStep(deps, step, observation),
      ...held,
    });
  });
}
