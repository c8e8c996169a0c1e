/** `delete`, without a terminal: prepare (what is there, what would go, what would be lost), then run the loop under the lease. */
import { AppError } from '../errors.ts';
import { interpret } from '../cluster/interpret.ts';
import { CLUSTER_LABEL, MANAGED_BY, MANAGED_BY_LABEL } from '../cluster/model/labels.ts';
import type { ClusterRef, Observation } from '../cluster/model/observation.ts';
import type { Plan, Step } from '../cluster/model/plan.ts';
import type { ClusterState } from '../cluster/model/state.ts';
import { planDelete, type OwnedObject } from '../cluster/plan/delete.ts';
import { authSecretName } from '../pod/names.ts';
import { converge, type Converged } from './converge.ts';
import { acquireLease, ownIdentity } from './lease.ts';
import { observe, type ObservePorts } from './observe.ts';
import type { KubeObject, KubePort } from './ports.ts';
import type { Report } from './report.ts';
import { applyRemoval } from './steps/remove-steps.ts';

const ASK_DEADLINE_MS = 2_000;

/** Kinds that `create` makes, read by label; the Secret is read by name, which needs less rights. */
const LISTED_KINDS = [
  ['apps/v1', 'StatefulSet'],
  ['v1', 'Pod'],
  ['policy/v1', 'PodDisruptionBudget'],
  ['networking.k8s.io/v1', 'NetworkPolicy'],
  ['v1', 'PersistentVolumeClaim'],
  ['v1', 'ConfigMap'],
  ['v1', 'Service'],
] as const;

/** What can't be read and need not go: it is left, and said. */
const OPTIONAL_KINDS: ReadonlySet<string> = new Set(['NetworkPolicy']);

export interface Inventory {
  readonly owned: readonly OwnedObject[];
  /** What could not be read, and so is left where it is. */
  readonly gaps: readonly { readonly what: string; readonly why: string }[];
}

interface Seen {
  readonly inventory: Inventory;
  readonly observation: Observation;
}

export interface PreparedDelete {
  readonly cluster: ClusterRef;
  readonly purge: boolean;
  readonly inventory: Inventory;
  readonly observation: Observation;
  readonly plan: Plan;
  readonly keys: KeyCount;
}

/** Keys of all primaries. `complete` is false where some did not answer: there may be more. */
export interface KeyCount {
  readonly counted: number;
  readonly complete: boolean;
}

export interface PrepareDeleteInput {
  readonly cluster: ClusterRef;
  readonly purge: boolean;
  /** Let the API server say whether we may, with one object of each kind. */
  readonly tryOut: boolean;
  readonly signal: AbortSignal;
}

/** Reads everything and changes nothing. @throws AppError where rights are missing */
export async function prepareDelete(ports: ObservePorts, input: PrepareDeleteInput): Promise<PreparedDelete> {
  const { cluster, purge, tryOut } = input;
  const { inventory, observation } = await look(ports, input);
  const plan = planOf(cluster, purge, { inventory, observation });
  if (tryOut) await tryRemoving(ports.kube, plan);
  return { cluster, purge, inventory, observation, plan, keys: countKeys(interpret(observation)) };
}

async function look(ports: ObservePorts, input: PrepareDeleteInput): Promise<Seen> {
  const { cluster, purge, signal } = input;
  const [inventory, observation] = await Promise.all([
    readInventory(ports.kube, cluster, purge),
    observe(ports, cluster, { deadlineMs: ASK_DEADLINE_MS, signal }),
  ]);
  return { inventory, observation };
}

function planOf(cluster: ClusterRef, purge: boolean, { inventory, observation }: Seen): Plan {
  const roles = observation.replies.flatMap(({ pod, reply }): [string, 'primary' | 'replica'][] =>
    reply.kind === 'answered' ? [[pod, reply.answer.info.role]] : [],
  );
  return planDelete({ cluster, owned: inventory.owned, roles: new Map(roles), purge });
}

/** Only what carries both of our labels: pods that people brought carry one. */
async function readInventory(kube: KubePort, cluster: ClusterRef, purge: boolean): Promise<Inventory> {
  const selector = `${CLUSTER_LABEL}=${cluster.name},${MANAGED_BY_LABEL}=${MANAGED_BY}`;
  const gaps: { what: string; why: string }[] = [];
  const orGap = async (kind: string, optional: boolean, read: Promise<readonly KubeObject[]>) => {
    try {
      return await read;
    } catch (error) {
      if (!optional || !(error instanceof AppError) || error.code !== 'forbidden') throw error;
      gaps.push({ what: kind, why: error.message });
      return [];
    }
  };
  const found = await Promise.all([
    ...LISTED_KINDS.map(([apiVersion, kind]) =>
      orGap(kind, OPTIONAL_KINDS.has(kind), kube.list(apiVersion, kind, { selector })),
    ),
    orGap('Secret', !purge, readSecret(kube, cluster.name)),
  ]);
  return { owned: found.flat().map(ownedOf), gaps };
}

async function readSecret(kube: KubePort, cluster: string): Promise<KubeObject[]> {
  const secret = await kube.get('v1', 'Secret', authSecretName(cluster));
  const labels = secret?.metadata.labels ?? {};
  const ours = labels[CLUSTER_LABEL] === cluster && labels[MANAGED_BY_LABEL] === MANAGED_BY;
  // A Secret that somebody else made for us to use stays theirs.
  return secret !== null && ours ? [{ ...secret, apiVersion: 'v1', kind: 'Secret' }] : [];
}

function ownedOf({ apiVersion, kind, metadata }: KubeObject): OwnedObject {
  const terminating = metadata['deletionTimestamp'] !== undefined;
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', terminating };
}

/** The first object of each kind, as a dry run of the server: a missing right is known before anything is gone. */
async function tryRemoving(kube: KubePort, plan: Plan): Promise<void> {
  const steps = plan.kind === 'batches' ? plan.batches.flatMap((batch) => batch.steps) : [];
  const first = new Map<string, Extract<Step, { kind: 'remove-object' }>['object']>();
  for (const step of steps)
    if (step.kind === 'remove-object' && !first.has(step.object.kind)) first.set(step.object.kind, step.object);
  await Promise.all(
    [...first.values()].map(({ apiVersion, kind, name, uid }) =>
      kube.remove(apiVersion, kind, name, { uid, dryRun: true }),
    ),
  );
}

function countKeys(state: ClusterState): KeyCount {
  const primaries = state.nodes.filter(
    (node) => node.role !== 'replica' && (node.slots.length > 0 || node.pod !== null),
  );
  const counted = primaries.reduce((sum, node) => sum + (node.keys ?? 0), 0);
  const heard = primaries.length > 0 && primaries.every((node) => node.keys !== null);
  return { counted, complete: heard && state.uncovered.length === 0 };
}

export interface RunDeleteInput extends PrepareDeleteInput {
  readonly report: Report;
  readonly timeoutMs: number;
  readonly resume: string;
}

/** Runs the plan to its end under the lease. @throws AppError; the same command then goes on from there */
export async function runDelete(ports: ObservePorts, input: RunDeleteInput): Promise<Converged<Seen>> {
  const { cluster, purge, report, signal } = input;
  const lease = await acquireLease(ports.kube, ports.clock, cluster, 'delete', ownIdentity());
  try {
    return await converge<Seen>({
      observe: () => look(ports, input),
      plan: (seen) => planOf(cluster, purge, seen),
      apply: (step) => applyDeleteStep({ ...ports, ...input }, step),
      lease,
      report,
      clock: ports.clock,
      signal,
    });
  } finally {
    await lease.release();
  }
}

async function applyDeleteStep(deps: ObservePorts & RunDeleteInput, step: Step): Promise<void> {
  if (step.kind === 'remove-object' || step.kind === 'wait-gone') return applyRemoval(deps, step);
  throw new Error(`delete has no step ${step.kind}`);
}
