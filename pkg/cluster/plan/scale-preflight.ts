/** What `scale` and `rebalance` refuse with numbers before anything is changed: memory, hosts. Pure. */
import { AppError, refusal } from '../../errors.ts';
import { limitAtStart } from '../evidence/eviction.ts';
import type { HostFacts } from '../model/observation.ts';
import type { Remark } from '../model/plan.ts';
import { countSlots } from '../model/slots.ts';
import type { ClusterSpec } from '../model/spec.ts';
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

/** What `scale` says of a shard, and of the way out. */
const OF_SCALE = { nameOf: (shard: string): string => `Shard ${shard}`, more: 'Ask for more masters' };

/**
 * @param roomOf what the primary of a shard has; of a new one what it starts with
 * @param words of a verb whose moves go by node ids, or that has another way to more primaries
 */
export function refuseMemory(
  moves: readonly OutlineMove[],
  roomOf: (shard: string) => Room,
  { nameOf, more }: { readonly nameOf: (id: string) => string; readonly more: string } = OF_SCALE,
): AppError | null {
  for (const shard of new Set(moves.map(({ to }) => to))) {
    const comes = moves.filter(({ to }) => to === shard).reduce((sum, { bytes }) => sum + bytes, 0);
    const goes = moves
      .filter(({ from, to }) => from === shard && to !== shard)
      .reduce((sum, { bytes }) => sum + bytes, 0);
    const { usedBytes, maxBytes } = roomOf(shard);
    if (maxBytes === 0 || usedBytes + comes - goes <= maxBytes * (1 - SPARE)) continue;
    return refusal(
      'too-little-memory',
      `${nameOf(shard)} would have to hold about ${megabytes(usedBytes + comes - goes)} of at most ${megabytes(maxBytes)} (${megabytes(comes)} would come)`,
      `${more}, or give the nodes more memory first: CONFIG SET maxmemory on all, and the limit of their pods`,
    );
  }
  return null;
}

/** @param recorded what new servers start with: running ones may have been told of another limit */
export function roomsOf(
  state: ClusterState,
  recorded: Pick<ClusterSpec, 'config' | 'memory'>,
): (shard: string) => Room {
  const rooms = new Map<string, Room>();
  // Of two owners in a shard the slots go to the one that has more: it is the last to be written.
  for (const { slots, shardLabel, role, reply } of state.nodes.toSorted(
    (a, b) => countSlots(a.slots) - countSlots(b.slots),
  )) {
    // A primary that waits for its first slots runs by now: what it was told counts.
    if ((slots.length === 0 && role !== 'primary') || reply?.kind !== 'answered') continue;
    const { usedMemoryBytes, maxMemoryBytes } = reply.answer.info;
    rooms.set(shardLabel ?? '', { usedBytes: usedMemoryBytes, maxBytes: maxMemoryBytes });
  }
  const newcomer: Room = { usedBytes: EMPTY_BYTES, maxBytes: limitAtStart(recorded, null).bytes };
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
