/** `delete`, without a terminal: prepare (what is there, what would go, what would be lost), then run the loop under the lease. */
import { interpret } from '../cluster/interpret.ts';
import type { ClusterRef, Observation } from '../cluster/model/observation.ts';
import type { Loss } from '../cluster/model/loss.ts';
import type { Plan, Step } from '../cluster/model/plan.ts';
import { recordOf } from '../cluster/model/record.ts';
import { ALL_SLOTS, type SlotRanges } from '../cluster/model/slots.ts';
import type { ClusterState } from '../cluster/model/state.ts';
import { planDelete } from '../cluster/plan/delete.ts';
import { refuseIncompletePrimary } from '../cluster/plan/refuse-heir.ts';
import { refuseStrays } from '../cluster/plan/restart-refuse.ts';
import { lossOfDelete, type OtherWorkload } from '../cluster/plan/delete-refuse.ts';
import { converge, type Converged } from './converge.ts';
import { underLease } from './operation.ts';
import { readInventory, tryRemoving, type Inventory } from './inventory.ts';
import { observe, type ObservePorts } from './observe.ts';
import type { Report } from './report.ts';
import { protectClaims } from './steps/protect-claims.ts';
import { applyRemoval } from './steps/remove-steps.ts';

const ASK_DEADLINE_MS = 5_000;

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
  /** Keys that are on no volume; with `purge` all are lost anyway. */
  readonly loss: Loss | null;
  /** Of all that was shown, but for counts that change all the time. */
  readonly fingerprint: string;
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
  const seen = await look(ports, input);
  const { inventory, observation } = seen;
  // What needs consent is shown beside the plan.
  const plan = planOf(cluster, { purge, agreedLoss: ALL_SLOTS }, seen);
  if (tryOut) await tryRemoving(ports.kube, plan);
  const state = interpret(observation);
  const keys = countKeys(state);
  const loss = purge ? null : lossIn(state, observation);
  const objects = inventory.owned.flatMap(({ kind, name }) => (kind === 'Pod' ? [] : [`${kind}/${name}`]));
  const known = { complete: keys.complete, some: keys.counted > 0 };
  const fingerprint = JSON.stringify({ objects: objects.toSorted(), lost: loss?.slots ?? [], ...(purge ? known : {}) });
  return { cluster, purge, inventory, observation, plan, keys, loss, fingerprint };
}

async function look(ports: ObservePorts, input: PrepareDeleteInput): Promise<Seen> {
  const { cluster, purge, signal } = input;
  const [inventory, observation] = await Promise.all([
    readInventory(ports.kube, cluster, purge),
    observe(ports, cluster, { deadlineMs: ASK_DEADLINE_MS, withConfig: true, countKeys: true, signal }),
  ]);
  return { inventory, observation };
}

function planOf(
  cluster: ClusterRef,
  { purge, agreedLoss }: Pick<RunDeleteInput, 'purge' | 'agreedLoss'>,
  { inventory, observation }: Seen,
): Plan {
  const roles = observation.replies.flatMap(({ pod, reply }): [string, 'primary' | 'replica'][] =>
    reply.kind === 'answered' ? [[pod, reply.answer.info.role]] : [],
  );
  const others = othersOf(inventory, observation);
  const state = interpret(observation);
  const loss = purge ? null : lossIn(state, observation);
  // Each ends the only copies of keys that nobody counts.
  const strays = refuseStrays(state) ?? refuseIncompletePrimary(state);
  return planDelete({
    cluster,
    owned: inventory.owned,
    roles: new Map(roles),
    purge,
    others,
    strays,
    loss,
    agreedLoss,
  });
}

function lossIn(state: ClusterState, { kube }: Observation): Loss | null {
  return lossOfDelete(state, kube, recordOf(kube, state.cluster).spec?.config ?? null);
}

/** Workloads that people brought, with their pods; and pods of other controllers, or of none. */
function othersOf({ owned, brought }: Inventory, { kube }: Observation): OtherWorkload[] {
  const ours = new Set(owned.map(({ uid }) => uid));
  const groups = new Map(
    brought.map(({ kind, metadata: { name } }): [string, OtherWorkload] => [
      `${kind}/${name}`,
      { kind, name, pods: [] },
    ]),
  );
  for (const { name, uid, owner, terminating } of kube.pods) {
    if (ours.has(uid) || terminating) continue;
    const [kind = 'Pod', workload = name] = owner?.split('/') ?? [];
    const group = groups.get(`${kind}/${workload}`) ?? { kind, name: workload, pods: [] };
    groups.set(`${kind}/${workload}`, { ...group, pods: [...group.pods, name] });
  }
  return [...groups.values()];
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
  /** Slots whose keys may be lost though their volumes are kept. */
  readonly agreedLoss: SlotRanges;
}

/** Runs the plan to its end under the lease. @throws AppError; the same command then goes on from there */
export async function runDelete(given: ObservePorts, input: RunDeleteInput): Promise<Converged<Seen>> {
  const { cluster, purge, report, signal } = input;
  return underLease(given, cluster, 'delete', { report, signal }, async (held, ports) => {
    // As long as their StatefulSets are there: afterwards somebody else may remove what is to be kept.
    if (!purge) await protectClaims(ports.kube, cluster);
    return converge<Seen>({
      observe: () => look(ports, input),
      plan: (seen) => planOf(cluster, input, seen),
      apply: (step) => applyDeleteStep({ ...ports, ...input, ...held }, step),
      ...held,
    });
  });
}

async function applyDeleteStep(deps: ObservePorts & RunDeleteInput, step: Step): Promise<void> {
  if (step.kind === 'remove-object' || step.kind === 'wait-gone') return applyRemoval(deps, step);
  throw new Error(`delete has no step ${step.kind}`);
}
