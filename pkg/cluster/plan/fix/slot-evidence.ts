/** Where keys of a slot are, as far as anybody counted, and who owns it by its own word. */
import { containsSlot, intersectRanges, subtractRanges, type SlotRanges } from '../../model/slots.ts';
import { strayKeysOf } from '../../evidence/strays.ts';
import type { Member } from '../../evidence/members.ts';
import type { FixContext } from './fix-context.ts';

/** What the node says of itself. */
export function claimsOf({ answer, step }: Member): SlotRanges {
  const own = answer.view.find((line) => line.nodeId === step.nodeId);
  return own?.role === 'primary' ? own.slots : [];
}

/**
 * Whether the node claims slots that a silent one owns by a newer config epoch. A BUMPEPOCH would make all its claims the stronger ones,
 * and the silent one would delete its keys when it comes back.
 */
export function isOutvoted({ state }: Pick<FixContext, 'state'>, member: Member): boolean {
  const lacking = subtractRanges(claimsOf(member), member.node.slots);
  return state.nodes.some((node) => node.reply?.kind !== 'answered' && intersectRanges(node.slots, lacking).length > 0);
}

/** The primary that has the slot in the merged map and says so itself; null = nobody, or nobody who was heard. */
export function ownerOf({ primaries }: FixContext, slot: number): Member | null {
  return primaries.find(({ node }) => containsSlot(node.slots, slot)) ?? null;
}

/** From here on servers hide keys of slots that are not theirs: they count 0 of them, and DBSIZE betrays them. */
const HIDING_SINCE = [8, 4] as const;

function hidesKeys({ answer }: Member): boolean {
  const { product, version } = answer.info;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [since, sinceMinor] = HIDING_SINCE;
  return product === 'redis' && (major > since || (major === since && minor >= sinceMinor));
}

/** Keys of a slot that a node holds; null = nobody knows. 0 only where it is sure. */
export function keysOf({ slotKeys }: FixContext, member: Member, slot: number): number | null {
  const counted = slotKeys?.get(member.step.nodeId)?.get(slot) ?? null;
  if (counted !== 0) return counted;
  return hidesKeys(member) && strayKeysOf(member.answer) !== 0 ? null : 0;
}

/** Whether every primary but these was counted and holds nothing of it. */
export function isNowhereElse(context: FixContext, slot: number, but: readonly Member[]): boolean {
  return context.primaries.every((member) => but.includes(member) || keysOf(context, member, slot) === 0);
}
