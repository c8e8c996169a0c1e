/** Keys in slots that their node does not own (law L5), as far as anybody counted. Pure. */
import type { NodeAnswer } from '../model/observation.ts';
import type { ClusterNode } from '../model/state.ts';

/** Keys beyond those of its own slots and of those that it imports; null = not counted. */
export function strayKeysOf({ info, keysInOwnSlots }: NodeAnswer): number | null {
  return keysInOwnSlots === null ? null : Math.max(0, info.keys - keysInOwnSlots);
}

/** How many a node holds. Of a primary that was to count them and did not, why; null = none, or nobody asked. */
export function straysOf({ reply, role }: ClusterNode): number | string | null {
  if (reply?.kind !== 'answered' || role !== 'primary') return null;
  const { answer } = reply;
  return answer.notCounted ?? (strayKeysOf(answer) || null);
}
