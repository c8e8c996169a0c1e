/** What becomes of slots that are open towards a node which would evict keys if the rest of theirs came. */
import { pairOf, type NoRoom } from '../../model/no-room.ts';
import type { Member } from '../../evidence/members.ts';
import { goesToOlder } from '../refuse-older.ts';
import { openPairs } from '../scale-moves.ts';
import type { FixContext } from './fix-context.ts';
import { keysOf } from './slot-evidence.ts';

/** `on`: there is room, as far as anybody knows; `back`: only with their owner; `none`: with neither. */
export function roomFor(context: FixContext, slot: number, owner: Member, target: Member): 'on' | 'back' | 'none' {
  const lack = lackOf(context, owner, target);
  if (lack === null) return 'on';
  // Of such a slot no key has to come any more. Where all are like that, not even they are told of.
  if (lack.keysLeft > 0 && keysOf(context, owner, slot) === 0) return 'on';
  return lack.ownerLacksBytes === 0 && !isOneWay(context, slot, owner, target) ? 'back' : 'none';
}

/** What a person can do about open slots for which there is room with neither; null = it is not that. */
export function roomWanted(context: FixContext, slots: readonly number[]): string | null {
  const { byId, state, members } = context;
  const wanted = openPairs(state, members).flatMap(({ slot, source, target }) => {
    const [owner, heir] = [source, target].map((end) => byId.get(end?.nodeId ?? ''));
    return slots.includes(slot) && owner !== undefined && heir !== undefined
      ? (inWords(context, owner, heir) ?? [])
      : [];
  });
  return wanted.length === 0 ? null : `${[...new Set(wanted)].join('. ')}. Until then they stay open, and are served`;
}

function inWords(context: FixContext, owner: Member, target: Member): string | null {
  const lack = lackOf(context, owner, target);
  if (lack === null) return null;
  const [here, there] = [owner.step.pod, target.step.pod];
  const onward = `${there} has no room for the rest of their keys and would evict others: raise its maxmemory by ${mib(lack.targetLacksBytes)} or more, then they go on`;
  // An older server can't have them back.
  if (lack.ownerLacksBytes === 0) return onward;
  return `${onward}; or raise that of ${here} by ${mib(lack.ownerLacksBytes)} or more, then they come back`;
}

function lackOf({ noRoom }: FixContext, owner: Member, target: Member): NoRoom | null {
  return noRoom.get(pairOf(owner.step.nodeId, target.step.nodeId)) ?? null;
}

function isOneWay(context: FixContext, slot: number, owner: Member, target: Member): boolean {
  return goesToOlder(target.node, owner.node) && keysOf(context, target, slot) !== 0;
}

/** Rounded up: less would not do. */
function mib(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
