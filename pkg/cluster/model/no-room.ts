/** Slots that are open towards a node that evicts keys when it is full, and has no room for what their owner still has of them. */

export interface NoRoom {
  /** Keys of them that their owner still has. */
  readonly keysLeft: number;
  /** By how much maxmemory of the node that they go to is too small for them. */
  readonly targetLacksBytes: number;
  /** By how much maxmemory of their owner is too small for the keys that have left it; 0 = it has room for them. */
  readonly ownerLacksBytes: number;
}

/** By owner and target: see pairOf. A pair that is not there has room, or nobody knows. */
export type NoRooms = ReadonlyMap<string, NoRoom>;

export function pairOf(ownerId: string, targetId: string): string {
  return `${ownerId} ${targetId}`;
}
