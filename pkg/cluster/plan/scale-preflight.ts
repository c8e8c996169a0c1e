/** What `scale` and `rebalance` refuse with numbers before anything is changed: memory, hosts. Pure. */
import { AppError, refusal } from '../../errors.ts';
import { limitOf } from '../evidence/eviction.ts';
import type { HostFacts } from '../model/observation.ts';
import type { Remark } from '../model/plan.ts';
import { countSlots } from '../model/slots.ts';
import type { ClusterState } from '../model/state.ts';
import { decideAntiAffinity } from './preflight.ts';
import type { OutlineMove, ScaleOutline } from './scale-outline.ts';

/** Data takes a little more room while it arrives; and a server that is full to the last byte refuses writes. */
const SPARE = 0.05;

/** What a server takes that holds no key: buffers, the backlog. */
const EMPTY_BYTES = 2.5e6;

export interface Room {
  readonly usedBytes: number;
  /** 0 = no limit. */
  readonly maxBytes: number;
}

/** @param roomOf what the primary of a shard has; a new one what the others are configured with */
export function refuseMemory(moves: readonly OutlineMove[], roomOf: (shard: string) => Room): AppError | null {
  for (const shard of new Set(moves.map(({ to }) => to))) {
    const comes = moves.filter(({ to }) => to === shard).reduce((sum, { bytes }) => sum + bytes, 0);
    const goes = moves
      .filter(({ from, to }) => from === shard && to !== shard)
      .reduce((sum, { bytes }) => sum + bytes, 0);
    const { usedBytes, maxBytes } = roomOf(shard);
    if (maxBytes === 0 || usedBytes + comes - goes <= maxBytes * (1 - SPARE)) continue;
    return refusal(
      'too-little-memory',
      `Shard ${shard} would have to hold about ${megabytes(usedBytes + comes - goes)} of at most ${megabytes(maxBytes)} (${megabytes(comes)} would come)`,
      'Ask for more masters, or give the nodes more memory first: CONFIG SET maxmemory on all, and the limit of their pods',
    );
  }
  return null;
}

/**
 * @param recorded directives that new servers start with: running ones may have been told of another limit
 */
export function roomsOf(state: ClusterState, recorded: Readonly<Record<string, string>> = {}): (shard: string) => Room {
  const rooms = new Map<string, Room>();
  const limits: number[] = [];
  // Of two owners in a shard the slots go to the one that has more: it is the last to be written.
  for (const { slots, shardLabel, reply } of state.nodes.toSorted(
    (a, b) => countSlots(a.slots) - countSlots(b.slots),
  )) {
    if (slots.length === 0 || reply?.kind !== 'answered') continue;
    const { usedMemoryBytes, maxMemoryBytes } = reply.answer.info;
    rooms.set(shardLabel ?? '', { usedBytes: usedMemoryBytes, maxBytes: maxMemoryBytes });
    limits.push(maxMemoryBytes);
  }
  const asOthers = { bytes: limits.includes(0) ? 0 : Math.min(...limits), policy: '' };
  const newcomer: Room = { usedBytes: EMPTY_BYTES, maxBytes: limitOf(recorded, asOthers).bytes };
  return (shard) => rooms.get(shard) ?? newcomer;
}

/** With hard anti-affinity a shard needs as many hosts as it has nodes. */
export function checkHosts({ spec }: ScaleOutline, hosts: readonly HostFacts[] | null): readonly Remark[] | AppError {
  const decision = decideAntiAffinity(spec.antiAffinity, hosts, spec.replicas);
  if (!(decision instanceof AppError)) return decision.remarks;
  const usable = hosts?.filter((host) => host.ready && host.schedulable).length ?? 0;
  const most = Math.max(0, usable - 1);
  return refusal(
    decision.code,
    decision.message,
    `Add hosts, or ask for ${most === 1 ? '1 replica' : `${most} replicas`} of each primary`,
  );
}

function megabytes(count: number): string {
  return `${Math.round(count / 1_000_000)} MB`;
}
