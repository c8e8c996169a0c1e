/** `rebalance`, without a terminal: measure, plan, then run the loop under the lease. */
import { interpret } from '../cluster/interpret.ts';
import type { ClusterRef, KubeFacts, Observation } from '../cluster/model/observation.ts';
import type { Plan } from '../cluster/model/plan.ts';
import { recordOf } from '../cluster/model/record.ts';
import { evictsBy } from '../cluster/evidence/eviction.ts';
import { countSlots, slotsFromRanges } from '../cluster/model/slots.ts';
import type { ClusterState } from '../cluster/model/state.ts';
import {
  balanceOf,
  planRebalance,
  readWeights,
  type Balance,
  type BalanceBy,
  type RebalanceInput,
} from '../cluster/plan/rebalance.ts';
import { dataBytes, type OutlineMove } from '../cluster/plan/scale-outline.ts';
import { refuseMemory, type Room } from '../cluster/plan/scale-preflight.ts';
import { converge, type Converged } from './converge.ts';
import { contentOf, countKeys, sampleBytes, type Content } from './measure.ts';
import { observeToChange, type ObservePorts } from './observe.ts';
import { patientLook, patientMoves } from './patience.ts';
import { underLease } from './operation.ts';
import type { MoveLimits, SlotMover } from './ports.ts';
import type { Report } from './report.ts';
import { allOrFirstFailure } from './side-by-side.ts';
import { moveSlots } from './steps/move-slots.ts';

const ASK_DEADLINE_MS = 2_000;
/** Pairs that are measured at a time. */
const MEASURED_AT_ONCE = 8;
/** What was measured was so a moment ago: to be nearer than that would chase writes. */
const NEAR_ENOUGH_PERCENT = 1;

export interface PreparedRebalance {
  readonly cluster: ClusterRef;
  readonly state: ClusterState;
  readonly input: RebalanceInput;
  readonly plan: Plan;
  readonly balance: Balance;
  readonly moves: readonly OutlineMove[];
  /** Of what was shown: who has slots and who shall have more. Sizes are measured anew, and differ each time. */
  readonly fingerprint: string;
}

export interface PrepareRebalanceInput {
  readonly cluster: ClusterRef;
  readonly by: BalanceBy;
  readonly weights: readonly string[];
  readonly thresholdPercent: number;
  readonly signal: AbortSignal;
  /** Is given what was read before anything is made of it; throws where that is no cluster. */
  readonly isThere: (kube: KubeFacts) => Promise<void>;
}

/** Reads and measures, and changes nothing. @throws AppError for whatever rebalance would refuse */
export async function prepareRebalance(ports: ObservePorts, input: PrepareRebalanceInput): Promise<PreparedRebalance> {
  const { cluster, by, thresholdPercent, signal, isThere } = input;
  const seen = await look(ports, cluster, signal);
  await isThere(seen.kube);
  const state = interpret(seen);
  const weights = readWeights(input.weights, state);
  const image = recordOf(seen.kube, cluster).spec?.image ?? null;
  const measured = await measure(ports, by, state);
  const planned: RebalanceInput = { state, by, weights, thresholdPercent, measured, image };
  const plan = planRebalance(planned);
  const balance = balanceOf(planned);
  const moves = await allOrFirstFailure(balance.transfers, MEASURED_AT_ONCE, async (transfer): Promise<OutlineMove> => {
    const cost = { ...transfer, ...costOf(state, transfer) };
    return plan.kind === 'batches' ? { ...cost, ...(await contentFor(ports.redis, state, transfer)) } : cost;
  });
  const short = plan.kind === 'batches' ? refuseMemory(moves, roomOf(state), wordsOn(state)) : null;
  if (short !== null) throw short;
  const rows = balance.rows.map(({ node, weight, slots }) => ({ id: node.nodeId, weight, slots }));
  const fingerprint = JSON.stringify({ outcome: plan.kind, by, rows });
  return { cluster, state, input: planned, plan, balance, moves, fingerprint };
}

function look(ports: ObservePorts, cluster: ClusterRef, signal: AbortSignal): Promise<Observation> {
  return observeToChange(ports, cluster, { deadlineMs: ASK_DEADLINE_MS, withConfig: true, signal });
}

async function measure({ redis }: ObservePorts, by: BalanceBy, state: ClusterState): Promise<Float64Array | null> {
  switch (by) {
    case 'slots':
      return null;
    case 'keys':
      return countKeys(redis, state);
    case 'memory':
      return sampleBytes(redis, state);
    default:
      return by satisfies never;
  }
}

/** What goes to a server that evicts, as it is measured: the mean of all that its source has may be far off. */
async function contentFor(
  redis: ObservePorts['redis'],
  state: ClusterState,
  { from, to, ranges }: Pick<OutlineMove, 'from' | 'to' | 'ranges'>,
): Promise<Content | null> {
  const [source, target] = [from, to].map((id) => state.nodes.find(({ nodeId }) => nodeId === id));
  if (source?.pod == null || evictsBy(target ?? null) === null) return null;
  return contentOf(redis, source.pod, slotsFromRanges(ranges));
}

function costOf(
  state: ClusterState,
  { from, ranges }: Pick<OutlineMove, 'from' | 'ranges'>,
): Pick<OutlineMove, 'slots' | 'keys' | 'bytes'> {
  const source = state.nodes.find((node) => node.nodeId === from);
  const slots = countSlots(ranges);
  const part = source === undefined ? 0 : slots / Math.max(1, countSlots(source.slots));
  const bytes = source === undefined ? 0 : dataBytes(source.reply);
  return { slots, keys: Math.round((source?.keys ?? 0) * part), bytes: Math.round(bytes * part) };
}

/** Moves go by node ids here, and `rebalance` makes no primaries. */
function wordsOn(state: ClusterState): { nameOf: (nodeId: string) => string; more: string } {
  const { nodes, desired, cluster } = state;
  const masters = 1 + (desired?.masters ?? nodes.filter(({ slots }) => slots.length > 0).length);
  return {
    nameOf: (nodeId) => {
      const node = nodes.find((one) => one.nodeId === nodeId);
      const name = node?.pod?.name ?? nodeId.slice(0, 8);
      return node?.shardLabel == null ? name : `${name} (shard ${node.shardLabel})`;
    },
    more:
      state.origin === 'ours'
        ? `Add a primary (kubectl redis scale ${cluster.name} --masters ${masters})`
        : 'Add a primary',
  };
}

function roomOf(state: ClusterState): (nodeId: string) => Room {
  return (nodeId) => {
    const reply = state.nodes.find((node) => node.nodeId === nodeId)?.reply;
    if (reply?.kind !== 'answered') return { usedBytes: 0, maxBytes: 0 };
    return { usedBytes: reply.answer.info.usedMemoryBytes, maxBytes: reply.answer.info.maxMemoryBytes };
  };
}

export interface RunRebalanceInput {
  readonly prepared: PreparedRebalance;
  readonly mover: SlotMover;
  readonly limits: MoveLimits;
  /** Pairs of nodes that move slots at a time. */
  readonly parallel: number;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** Runs the plan to its end under the lease. @throws AppError; the same command then goes on from there */
export async function runRebalance(given: ObservePorts, input: RunRebalanceInput): Promise<Converged> {
  const { prepared, limits } = input;
  const { cluster } = prepared;
  const unfenced = { ...given, mover: input.mover };
  const begun = { ...prepared.input, thresholdPercent: prepared.input.by === 'slots' ? 0 : NEAR_ENOUGH_PERCENT };
  return underLease(unfenced, cluster, 'rebalance', input, (held, ports) => {
    const see = (): Promise<Observation> => look(ports, cluster, held.signal);
    const plan = (observation: Observation): Plan => planRebalance({ ...begun, state: interpret(observation) });
    const tell = (sentence: string): void => held.report({ kind: 'trouble', sentence });
    const { parallel } = input;
    const patient = patientMoves({ ...held, parallel, planAgain: async () => plan(await see()), tell });
    return converge({
      observe: patientLook({ ...held, look: see, plan, tell }),
      plan,
      apply: async (step, observation) => {
        if (step.kind !== 'move-slots') throw new Error(`rebalance has no step ${step.kind}`);
        const { report, signal } = held;
        await patient(step, () => moveSlots({ ...ports, limits, observation, report, signal }, step));
      },
      ...held,
    });
  });
}
