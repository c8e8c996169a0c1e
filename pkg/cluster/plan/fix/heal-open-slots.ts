/**
 * Slots that a move left open. Whatever was cut short goes forward, to the node that was to have them, because keys may be on
 * both sides. Closed without a move is only what is a mark and nothing more: no key is where it would be lost by that.
 *
 *   the owner's mark   marks of others                  done
 *   to a primary       that one imports, or forgot it   move on; or close, where no key is anywhere else
 *   to a silent node   any                              wait: keys may be there
 *   to one that is     nobody imports                   close: what it had can't come back
 *   gone for good
 *   none               one imports                      move on; or hand its keys back, where the owner has more; or close,
 *                                                       where it holds none
 *   any                several import                   those with nothing close, others hand back; then move on
 *   imports itself     any                              close: it is its own already
 *   to one of an       any                              back: it takes no key that the owner packs, so what it got from clients
 *   older version                                       comes home, and the owner closes; move on where the owner has none left
 *   to one that does   one of an older version imports  back as well, and the owner's mark is given up: nobody moves it there
 *   not import it
 *   to one that would  any                              back, the same way; or left, where its owner has no room either
 *   evict keys
 *   -                  a third says that it gives       close where it holds nothing, else hand its keys over: when the slot is
 *                                                       not open any more, for before that its owner takes no key; where
 *                                                       the owner's version is older, it is to import the slot
 */
import type { Batch, Step, StepNode } from '../../model/plan.ts';
import type { Problem } from '../../model/problem.ts';
import { containsSlot, formatRanges, rangesFromSlots } from '../../model/slots.ts';
import type { ClusterNode } from '../../model/state.ts';
import type { Member } from '../../evidence/members.ts';
import { goesToOlder } from '../refuse-older.ts';
import { openPairs } from '../scale-moves.ts';
import { roomFor, roomWanted } from './open-slots-room.ts';
import { left, type Cure, type FixContext, type Healer } from './fix-context.ts';
import { isNowhereElse, keysOf, ownerOf } from './slot-evidence.ts';

type Way =
  | { readonly kind: 'move'; readonly source: StepNode; readonly target: StepNode }
  | { readonly kind: 'close'; readonly node: StepNode }
  /** `older`: the owner takes no key of it, so that the holder is to import the slot. */
  | { readonly kind: 'settle'; readonly holder: StepNode; readonly older?: readonly [ownerId: string] }
  /** `staleMark`: the owner gives it to a third node, which does not import it. */
  | { readonly kind: 'back'; readonly holder: StepNode; readonly why: 'older' | 'full'; readonly staleMark?: string };

export const healOpenSlots: Healer = (context, problems) => {
  const ways = waysOf(context);
  const stuck = (problem: Problem): boolean => slotsIn(context, problem).every((slot) => ways.get(slot) === undefined);
  const leave = (problem: Problem): Cure => {
    const open = slotsIn(context, problem);
    const names = [...new Set(open.flatMap((slot) => silentTargets(context, slot)).map(context.evidence.nameOf))];
    if (names.length > 0) {
      const hint = `${names.join(', ')} can't be asked, and may hold keys of them: bring it back first`;
      return left(problem, 'after-others', hint);
    }
    const room = roomWanted(context, open);
    if (room !== null) return left(problem, 'by-hand', room);
    const hint = 'Their owner does not answer, or nobody owns them, or nobody could count their keys: that comes first';
    return left(problem, 'after-others', hint);
  };
  const healed = problems.filter((problem) => !stuck(problem));
  const slots = [...ways.keys()].filter((slot) => healed.some((problem) => containsSlot(problem.slots, slot)));
  const batches = batchesOf(context, slots, ways);
  return [
    ...(batches.length === 0
      ? []
      : [{ kind: 'repair', problems: healed, title: 'finish slots that are open', batches, loses: null } as const]),
    ...problems.filter(stuck).map(leave),
  ];
};

function slotsIn({ state }: FixContext, problem: Problem): number[] {
  return state.openSlots.map(({ slot }) => slot).filter((slot) => containsSlot(problem.slots, slot));
}

/** What a primary says of slots that are open at it. Of a thousand slots each is looked up many times. */
interface Marks {
  readonly imports: ReadonlySet<number>;
  /** Slot -> id of the node that is to have it. */
  readonly gives: ReadonlyMap<number, string>;
}

type MarksOf = ReadonlyMap<Member, Marks>;

function marksOf({ node: { gossip } }: Member): Marks {
  return {
    imports: new Set((gossip?.importing ?? []).map(({ slot }) => slot)),
    gives: new Map((gossip?.migrating ?? []).map(({ slot, toNodeId }) => [slot, toNodeId])),
  };
}

/** Nodes that a mark of the slot's owner names, or that lead in their place, which can't be asked and may come back with keys of it. */
function silentTargets({ primaries, state, evidence }: FixContext, slot: number): ClusterNode[] {
  const named = primaries.flatMap(({ node }) =>
    (node.gossip?.migrating ?? []).flatMap((mark) => (mark.slot === slot ? [mark.toNodeId] : [])),
  );
  const byId = (nodeId: string | null): ClusterNode[] => state.nodes.filter((node) => node.nodeId === nodeId);
  return named
    .flatMap(byId)
    .flatMap((node) => (node.role === 'replica' ? [node, ...byId(node.primaryId)] : [node]))
    .filter((node) => {
      const life = evidence.lifeOf(node);
      return life.kind !== 'answers' && (life.kind !== 'dead' || life.returns === 'whole');
    });
}

/** By slot; a slot about which nothing can be done now is left out. */
function waysOf(context: FixContext): Map<number, Way[]> {
  const marks = new Map(context.primaries.map((member) => [member, marksOf(member)]));
  const pairs = new Map(openPairs(context.state, context.members).map((pair) => [pair.slot, pair]));
  const ways = new Map<number, Way[]>();
  for (const slot of new Set(context.state.openSlots.map((one) => one.slot))) {
    const owner = ownerOf(context, slot);
    const pair = pairs.get(slot);
    const found =
      owner !== null
        ? waysOfOwned(context, slot, owner, marks)
        : // Told to the source first: it denies the slot, and the target has not heard.
          pair !== undefined && pair.source !== null && pair.target !== null && isDenied(context, slot)
          ? [{ kind: 'move', source: pair.source, target: pair.target } as const]
          : [];
    if (found.length > 0) ways.set(slot, found);
  }
  return ways;
}

function isDenied({ state }: FixContext, slot: number): boolean {
  return state.contested.some(({ range }) => containsSlot([range], slot));
}

function waysOfOwned(context: FixContext, slot: number, owner: Member, marks: MarksOf): Way[] {
  const { primaries } = context;
  if (silentTargets(context, slot).length > 0) return [];
  const imports = (member: Member): boolean => marks.get(member)?.imports.has(slot) === true;
  const gives = (member: Member): boolean => marks.get(member)?.gives.has(slot) === true;
  const first: Way[] = [];
  // While the owner gives the slot away it takes no key of it.
  const clear = (way: Way): void => {
    if (way.kind === 'close' || !gives(owner)) first.push(way);
  };
  if (imports(owner)) first.push({ kind: 'close', node: owner.step });
  const importers = primaries.filter((member) => member !== owner && imports(member));
  for (const member of primaries) {
    if (member === owner || !gives(member) || importers.includes(member)) continue;
    const way = closeOrSettle(context, slot, member, owner);
    if (way === null) return [];
    clear(way);
  }
  const mark = marks.get(owner)?.gives.get(slot);
  const heir = heirOf(context, mark);
  const target = importers.includes(heir ?? owner) ? heir : fullest(context, slot, importers);
  if (target === null || target === undefined) {
    if (!gives(owner)) return first;
    const forward = heir !== null && heir !== owner && !isNowhereElse(context, slot, [owner]);
    return forward
      ? andThen(first, onOrBack(context, slot, owner, heir))
      : [...first, { kind: 'close', node: owner.step }];
  }
  for (const member of importers) {
    if (member === target) continue;
    const way = closeOrSettle(context, slot, member, owner);
    if (way === null) return [];
    // Its turn comes when the target's is over: then the slot goes to it, or it hands its keys to who owns the slot by then.
    if (way.kind !== 'settle' || way.older === undefined) clear(way);
  }
  const staleMark = heir === target ? undefined : mark;
  const last = gives(owner)
    ? onOrBack(context, slot, owner, target, staleMark)
    : onwardOrBack(context, slot, owner, target);
  return andThen(first, last);
}

/** Where the last way is not there, neither is one of those before it gone: what is known of the slot stays as it is. */
function andThen(first: readonly Way[], last: Way | null): Way[] {
  return last === null ? [] : [...first, last];
}

/**
 * The owner has no mark: a move of which the owner failed over, or keys that were on their way home (bring-home.ts). Both ways keep every
 * key; the one on which fewer have to go needs no room that is not there.
 */
function onwardOrBack(context: FixContext, slot: number, owner: Member, target: Member): Way | null {
  const [here, there] = [keysOf(context, owner, slot), keysOf(context, target, slot)];
  if (there === 0) return { kind: 'close', node: target.step };
  // (In the middle of an upgrade they go to the newer server, however many.)
  const comesHome = here !== null && there !== null && here > there && !goesToOlder(target.node, owner.node);
  return comesHome && roomFor(context, slot, owner, target) !== 'none'
    ? { kind: 'settle', holder: target.step }
    : onOrBack(context, slot, owner, target);
}

/**
 * In the middle of an upgrade keys go from an older server to a newer one, and never the other way; and to one that evicts only as many as have
 * room. null: there is room on neither side.
 */
function onOrBack(context: FixContext, slot: number, owner: Member, target: Member, staleMark?: string): Way | null {
  const back = { kind: 'back', holder: target.step, ...(staleMark === undefined ? {} : { staleMark }) } as const;
  if (goesToOlder(owner.node, target.node) && keysOf(context, owner, slot) !== 0) return { ...back, why: 'older' };
  const room = roomFor(context, slot, owner, target);
  if (room === 'none') return null;
  return room === 'on' ? moveTo(owner, target) : { ...back, why: 'full' };
}

function moveTo(source: Member, target: Member): Way {
  return { kind: 'move', source: source.step, target: target.step };
}

/** null: nobody knows whether it holds keys of the slot. */
function closeOrSettle(context: FixContext, slot: number, member: Member, owner: Member): Way | null {
  const keys = keysOf(context, member, slot);
  if (keys === null) return null;
  if (keys === 0) return { kind: 'close', node: member.step };
  const holder = member.step;
  return goesToOlder(member.node, owner.node)
    ? { kind: 'settle', holder, older: [owner.step.nodeId] }
    : { kind: 'settle', holder };
}

/** Where the owner gives it to, or who leads in that node's place since. */
function heirOf({ byId, state }: FixContext, toNodeId: string | undefined): Member | null {
  const named = state.nodes.find((node) => node.nodeId === toNodeId);
  const leader = named?.role === 'replica' ? named.primaryId : toNodeId;
  const member = byId.get(leader ?? '');
  return member?.node.role === 'primary' ? member : null;
}

function fullest(context: FixContext, slot: number, members: readonly Member[]): Member | null {
  const keys = (member: Member): number => keysOf(context, member, slot) ?? 0;
  return members.toSorted((a, b) => keys(b) - keys(a))[0] ?? null;
}

/** Marks and strange keys first: a move of a slot can't go on while a third has a part of it. */
function batchesOf(context: FixContext, slots: readonly number[], ways: ReadonlyMap<number, readonly Way[]>): Batch[] {
  const groups = new Map<string, { way: Way; slots: number[] }>();
  for (const slot of slots) {
    for (const way of ways.get(slot) ?? []) {
      const key = JSON.stringify(way);
      const group = groups.get(key) ?? { way, slots: [] };
      groups.set(key, group);
      group.slots.push(slot);
    }
  }
  const steps = [...groups.values()].map(({ way, slots: some }) => stepOf(context, way, some));
  const isBack = (step: Step): boolean => step.kind === 'settle-strays' && step.ownerGives === true;
  const back = steps.filter(isBack);
  const before = steps.filter((step) => step.kind !== 'move-slots' && !isBack(step));
  const moves = steps.filter(({ kind }) => kind === 'move-slots');
  return [
    ...(before.length === 0 ? [] : [{ title: 'clear what is only a mark', steps: before }]),
    ...(back.length === 0 ? [] : [{ title: 'take slots back', steps: back }]),
    ...(moves.length === 0 ? [] : [{ title: 'finish slots that are open', steps: moves }]),
  ];
}

function stepOf({ primaries }: FixContext, way: Way, slots: readonly number[]): Step {
  const ranges = rangesFromSlots(slots);
  const reason = `slots ${formatRanges(ranges)} were left open`;
  switch (way.kind) {
    case 'move':
      return { kind: 'move-slots', source: way.source, target: way.target, ranges, reason };
    case 'settle': {
      const { kind: _, ...rest } = way;
      return { kind: 'settle-strays', ...rest, slots: ranges, reason };
    }
    case 'back': {
      const because =
        way.why === 'older'
          ? 'whose server is older and takes no key of them'
          : 'which has no room for the rest of their keys and would evict others';
      const { kind: _, why: __, ...rest } = way;
      const why = `${reason} towards ${way.holder.pod}, ${because}: their owner keeps them`;
      return { kind: 'settle-strays', ...rest, slots: ranges, ownerGives: true, reason: why };
    }
    case 'close': {
      const others = primaries.map(({ step }) => step).filter(({ nodeId }) => nodeId !== way.node.nodeId);
      return { kind: 'close-slots', node: way.node, ranges, others, reason };
    }
    default:
      return way satisfies never;
  }
}
