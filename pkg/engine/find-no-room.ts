/** Asks, of slots that are open towards a node that evicts, whether what their owner still has of them would have room there. */
import { evictsBy } from '../cluster/evidence/eviction.ts';
import { memberOf } from '../cluster/evidence/members.ts';
import { pairOf, type NoRoom, type NoRooms } from '../cluster/model/no-room.ts';
import type { Observation } from '../cluster/model/observation.ts';
import type { ClusterState } from '../cluster/model/state.ts';
import { finishSteps } from '../cluster/plan/scale-moves.ts';
import type { SlotMover } from './ports.ts';
import { endOf } from './steps/move-ends.ts';

/**
 * What is not told is not known, and then nothing is planned that depends on it: a move finds out by itself, before it sends anything.
 * Never throws.
 */
export async function findNoRoom(
  mover: Pick<SlotMover, 'lacks'>,
  observation: Observation,
  state: ClusterState,
  signal: AbortSignal,
): Promise<NoRooms> {
  if (state.openSlots.length === 0) return new Map();
  const evicting = new Set(state.nodes.flatMap((node) => (evictsBy(node) === null ? [] : (node.nodeId ?? []))));
  const open = finishSteps(state, state.nodes.flatMap(memberOf)).filter(({ target }) => evicting.has(target.nodeId));
  const found = await Promise.all(
    open.map(async ({ source, target, ranges }): Promise<[string, NoRoom][]> => {
      try {
        const ends = { source: endOf(observation, source), target: endOf(observation, target) };
        const lack = await mover.lacks({ ...ends, ranges }, signal);
        return lack === null ? [] : [[pairOf(source.nodeId, target.nodeId), lack]];
      } catch {
        return [];
      }
    }),
  );
  return new Map(found.flat());
}
