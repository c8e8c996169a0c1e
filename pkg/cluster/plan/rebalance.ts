/**
 * The plan of `rebalance`: slots from those who have too much to those who have too little, no node more or less. What counts as
 * much is slots, keys or bytes; who shall have how much is a matter of weights. Pure.
 */
import { refusal, usageError } from '../../errors.ts';
import type { Plan, Remark, Step } from '../model/plan.ts';
import { countSlots, SLOT_COUNT, type SlotRanges } from '../model/slots.ts';
import type { ClusterNode, ClusterState } from '../model/state.ts';
import { memberOf } from '../evidence/members.ts';
import { refuse } from './form-members.ts';
import { endsOf, finishSteps } from './scale-moves.ts';
import { refuseIncompletePrimary } from './refuse-heir.ts';
import { refuseOlderTarget } from './refuse-older.ts';
import { refuseUnknownName } from './refuse-unheard.ts';
import { refuseUnwritable } from './refuse-writes.ts';
import { refuseUnsound } from './scale-refuse.ts';
import { planTransfers, shareSlots, type SlotTransfer, type SlotWeight } from './slot-moves.ts';

export type BalanceBy = 'slots' | 'keys' | 'memory';

/** What each slot holds, by slot, as it was measured once; null by slots. */
export type Measured = Float64Array | null;

export interface RebalanceInput {
  readonly state: ClusterState;
  readonly by: BalanceBy;
  /** By node id of owners and of their replicas; 1 for one that is not named. 0 empties it. */
  readonly weights: ReadonlyMap<string, number>;
  readonly measured: Measured;
  /** Percent of its share that an owner may be off before anything moves; 0 once it has begun. */
  readonly thresholdPercent: number;
  /** That is recorded, for hints; left out or null = not known. */
  readonly image?: string | null;
}

export interface BalanceRow {
  readonly node: ClusterNode;
  readonly weight: number;
  readonly slots: number;
  /** In slots, keys or bytes. */
  readonly has: number;
  readonly share: number;
}

export interface Balance {
  readonly rows: readonly BalanceRow[];
  readonly transfers: readonly SlotTransfer[];
  /** How far the worst is off, in percent of what it would have with equal weights. */
  readonly worstPercent: number;
}

export function balanceOf({ state, by, weights, measured, thresholdPercent }: RebalanceInput): Balance {
  const owners = holdersOf(state, weights);
  const weigh = weighing(by, measured);
  const total = sum(weigh, [{ start: 0, end: SLOT_COUNT - 1 }]);
  const holders = owners.map((node) => ({
    id: node.nodeId ?? '',
    slots: node.slots,
    weight: weights.get(node.nodeId ?? '') ?? 1,
  }));
  const all = holders.reduce((sofar, { weight }) => sofar + weight, 0);
  const shares =
    by === 'slots'
      ? shareSlots(holders)
      : new Map(holders.map(({ id, weight }) => [id, (total * weight) / all] as const));
  const rows = owners.map((node): BalanceRow => {
    const id = node.nodeId ?? '';
    const slots = countSlots(node.slots);
    return { node, weight: weights.get(id) ?? 1, slots, has: sum(weigh, node.slots), share: shares.get(id) ?? 0 };
  });
  const fair = total / Math.max(1, owners.length);
  const worstPercent = Math.max(0, ...rows.map(({ has, share }) => (100 * Math.abs(has - share)) / Math.max(1, fair)));
  // One that is to have nothing gives everything.
  const some = new Map([...shares].filter(([, share]) => share > 0));
  const transfers = worstPercent <= thresholdPercent ? [] : planTransfers(holders, some, weigh);
  return { rows, transfers, worstPercent };
}

/** Owners, and primaries without slots that a weight names. */
function holdersOf(state: ClusterState, weights: ReadonlyMap<string, number>): ClusterNode[] {
  return state.nodes.filter(
    (node) => node.role === 'primary' && node.nodeId !== null && (node.slots.length > 0 || weights.has(node.nodeId)),
  );
}

/** A slot that holds nothing counts a little, so that empty ones are spread, too. */
function weighing(by: BalanceBy, measured: Measured): SlotWeight {
  if (by === 'slots' || measured === null) return () => 1;
  const least = Math.max(1e-6, (0.01 * measured.reduce((all, one) => all + one, 0)) / SLOT_COUNT);
  return (slot) => (measured[slot] ?? 0) + least;
}

function sum(weigh: SlotWeight, ranges: SlotRanges): number {
  let all = 0;
  for (const { start, end } of ranges) for (let slot = start; slot <= end; slot++) all += weigh(slot);
  return all;
}

/** @returns nothing when everybody is as near to its share as the threshold says */
export function planRebalance(input: RebalanceInput): Plan {
  const { state } = input;
  const members = state.nodes.flatMap(memberOf);
  const refused = refuseUnsound(state, members) ?? refuseDisagreement(state) ?? refuseIncompletePrimary(state);
  if (refused !== null) return refused;
  const remarks: Remark[] = [];
  const { transfers } = balanceOf(input);
  const known = (ids: readonly (string | null)[]): string[] => ids.flatMap((id) => id ?? []);
  const unwritable = refuseUnwritable(state, {
    gives: new Set([
      ...transfers.map(({ from }) => from),
      ...known(state.openSlots.map(({ migratingFrom }) => migratingFrom)),
    ]),
    takes: new Set([...transfers.map(({ to }) => to), ...known(state.openSlots.map(({ importingTo }) => importingTo))]),
  });
  if (unwritable !== null) return unwritable;
  const finish = finishSteps(state, members);
  const older = refuseOlderTarget(state, transfers, endsOf(finish), { first: null, image: input.image ?? null });
  if (older !== null) return older;
  if (finish.length > 0)
    return { kind: 'batches', batches: [{ title: 'finish what was open', steps: finish }], remarks };
  const byId = new Map(members.map((member) => [member.step.nodeId, member.step]));
  const steps = transfers.flatMap(({ from, to, ranges }): Step[] => {
    const source = byId.get(from);
    const target = byId.get(to);
    if (source === undefined || target === undefined) return [];
    return [{ kind: 'move-slots', source, target, ranges, reason: `${countSlots(ranges)} slots` }];
  });
  return steps.length === 0
    ? { kind: 'nothing', remarks }
    : { kind: 'batches', batches: [{ title: 'move slots', steps }], remarks };
}

/** Slots go to whom their owners say they go, and only where all see the same owners is that the end of it. */
function refuseDisagreement({ views, nodes, cluster }: ClusterState): Plan | null {
  const other = views.find(({ onlyOpenSlots }) => !onlyOpenSlots);
  const failing = nodes.find(({ reply }) => reply?.kind === 'answered' && reply.answer.clusterInfo.state !== 'ok');
  if (other === undefined && failing === undefined) return null;
  const why =
    other === undefined
      ? `${failing?.pod?.name ?? '?'} says that the cluster is down`
      : `the nodes do not agree (${other.differences[0] ?? 'their views differ'})`;
  return refuse(
    'not-converged',
    `${cluster.name} can't be rebalanced now: ${why}`,
    `kubectl redis check ${cluster.name} says more; run the same command when that has passed`,
  );
}

/**
 * `redis-1-0=2` or `3=0.5`: a pod, or the shard that it leads; of a replica, its primary is meant.
 *
 * @returns weight by node id, of the primary and of its replicas: whoever leads the shard when it is asked for
 * @throws AppError usage; refused where it may be one that could not be asked
 */
export function readWeights(typed: readonly string[], state: ClusterState): Map<string, number> {
  const out = new Map<string, number>();
  for (const one of typed) {
    const match = /^([^=]+)=(\d+(?:\.\d+)?)$/.exec(one);
    const name = match?.[1] ?? '';
    const weight = Number(match?.[2] ?? NaN);
    if (match === null || !(weight <= 1e6))
      throw usageError(
        `--weight ${JSON.stringify(one)} is not POD=NUMBER or SHARD=NUMBER`,
        'for example: --weight redis-1-0=2',
      );
    const ids = idsNamed(name, state);
    if (ids.length === 0) {
      const unheard = refuseUnknownName(state);
      if (unheard !== null) throw refusal(unheard.code, unheard.sentence, unheard.hint);
      const names = state.shards.map((shard) => `${shard.name} (${shard.primary?.pod?.name ?? 'no primary'})`);
      throw usageError(`--weight ${one}: there is no shard or pod ${name}`, `shards: ${names.join(', ')}`);
    }
    for (const id of ids) out.set(id, weight);
  }
  const owners = holdersOf(state, out);
  if (owners.length > 0 && owners.every((node) => out.get(node.nodeId ?? '') === 0))
    throw usageError('all weights are 0', 'give at least one primary more than 0');
  return out;
}

function idsNamed(name: string, state: ClusterState): string[] {
  const node = state.nodes.find(({ pod }) => pod?.name === name);
  const shard = state.shards.find(
    (one) => one.name === name || (node !== undefined && (one.primary === node || one.replicas.includes(node))),
  );
  if (shard === undefined) return node?.nodeId == null ? [] : [node.nodeId];
  return [shard.primary, ...shard.replicas].flatMap((one) => one?.nodeId ?? []);
}
