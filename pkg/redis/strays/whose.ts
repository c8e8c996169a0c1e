/** Whose slots are, by the owners' own word, and what the holder of stray keys says of itself. Pure. */
import type { GossipNode } from '../../cluster/model/observation.ts';
import { formatRanges, rangesFromSlots } from '../../cluster/model/slots.ts';
import { AppError } from '../../errors.ts';
import type { SlotsOfHolder } from './find.ts';

/** @throws AppError `role-changed` when it is no primary: a replica's keys are its primary's */
export function slotsOfHolder(
  { nodeId, pod }: { readonly nodeId: string; readonly pod: { readonly name: string } },
  view: readonly GossipNode[],
): SlotsOfHolder {
  const self = view.find((line) => line.nodeId === nodeId);
  if (self?.role !== 'primary') {
    throw new AppError(`${pod.name} is no primary any more`, {
      code: 'role-changed',
      hint: 'There was a failover. Run the same command again: it plans anew',
    });
  }
  const own = new Set<number>();
  for (const { start, end } of self.slots) for (let slot = start; slot <= end; slot++) own.add(slot);
  return { own, importing: new Set(self.importing.map(({ slot }) => slot)) };
}

/** Slots that two nodes claim for themselves are nobody's: which copy counts is then not known. */
export function ownersByTheirWord<T>(
  answers: readonly { readonly owner: T; readonly nodeId: string; readonly view: readonly GossipNode[] }[],
): Map<number, T> {
  const owners = new Map<number, T>();
  const contested = new Set<number>();
  for (const { owner, nodeId, view } of answers) {
    const self = view.find((line) => line.nodeId === nodeId);
    if (self?.role !== 'primary') continue;
    for (const { start, end } of self.slots) {
      for (let slot = start; slot <= end; slot++) {
        if (owners.has(slot)) contested.add(slot);
        owners.set(slot, owner);
      }
    }
  }
  for (const slot of contested) owners.delete(slot);
  return owners;
}

/** What to do about keys whose slots have no owner who answers. */
export function withoutOwner(pod: string, slots: readonly number[]): AppError {
  return new AppError(
    `${pod} holds keys of slots without an owner that answers: ${formatRanges(rangesFromSlots(slots))}`,
    {
      code: 'stray-without-owner',
      hint: 'They were not touched. kubectl redis check says why these slots have no owner; mend that first',
    },
  );
}
