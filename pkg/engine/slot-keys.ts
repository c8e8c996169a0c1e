/** Counts keys of slots that are in doubt on every primary that answers, so that a plan knows who holds them. */
import type { Observation, PodFacts } from '../cluster/model/observation.ts';
import { rangesFromSlots, slotsFromRanges, type SlotRanges } from '../cluster/model/slots.ts';
import type { ClusterState } from '../cluster/model/state.ts';
import type { SlotKeys } from '../cluster/plan/fix/fix-plan.ts';
import { countSlots } from './count-slots.ts';
import type { RedisPort } from './ports.ts';

const DEADLINE_MS = 5_000;

/** Slots that are open, that nobody owns, or about which views disagree. */
export function slotsInDoubt(state: ClusterState): SlotRanges {
  const open = state.openSlots.map(({ slot }) => slot);
  const ranges = [...state.uncovered, ...state.contested.map(({ range }) => range)];
  return rangesFromSlots([...open, ...slotsFromRanges(ranges)]);
}

/** Who does not answer in time is not in the result; nothing is then planned that depends on it. Never throws. */
export async function countSlotKeys(
  redis: Pick<RedisPort, 'run'>,
  { kube, replies }: Observation,
  state: ClusterState,
): Promise<SlotKeys> {
  const slots = slotsFromRanges(slotsInDoubt(state));
  const counted = new Map<string, ReadonlyMap<number, number>>();
  if (slots.length === 0) return counted;
  await Promise.all(
    replies.map(async ({ pod, reply }) => {
      const facts = kube.pods.find(({ name }) => name === pod);
      if (facts === undefined || reply.kind !== 'answered' || reply.answer.info.role !== 'primary') return;
      const counts = await countOn(redis, facts, slots);
      if (counts !== null) counted.set(reply.answer.myId, counts);
    }),
  );
  return counted;
}

/**
 * Keys that each replica which answers holds in the slots of its primary, by node id: of primaries that do not answer, and of those that
 * are named. Whoever was told to follow a primary and has copied nothing yet holds other keys, or none. Never throws.
 */
export async function countReplicaKeys(
  redis: Pick<RedisPort, 'run'>,
  { nodes }: ClusterState,
  named: readonly string[] = [],
): Promise<ReadonlyMap<string, number>> {
  const primaries = nodes.filter(
    (node) =>
      node.slots.length > 0 && node.nodeId !== null && (node.reply?.kind !== 'answered' || named.includes(node.nodeId)),
  );
  const counted = new Map<string, number>();
  await Promise.all(
    primaries.flatMap((primary) =>
      nodes
        .filter(
          ({ role, primaryId, reply }) =>
            role === 'replica' && primaryId === primary.nodeId && reply?.kind === 'answered',
        )
        .map(async ({ pod, nodeId }) => {
          const counts = pod === null ? null : await countOn(redis, pod, slotsFromRanges(primary.slots));
          if (counts !== null && nodeId !== null)
            counted.set(
              nodeId,
              [...counts.values()].reduce((sum, count) => sum + count, 0),
            );
        }),
    ),
  );
  return counted;
}

/** Keys by slot; null = not counted, or not all of them. */
async function countOn(
  redis: Pick<RedisPort, 'run'>,
  pod: PodFacts,
  slots: readonly number[],
): Promise<ReadonlyMap<number, number> | null> {
  const counts = new Map<number, number>();
  try {
    const answers = await countSlots((commands) => redis.run(pod, commands, DEADLINE_MS), slots);
    slots.forEach((slot, i) => {
      const count = answers[i];
      if (typeof count === 'number') counts.set(slot, count);
    });
  } catch {
    return null;
  }
  return counts.size === slots.length ? counts : null;
}
