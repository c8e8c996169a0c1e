/**
 * Where each slot of a move stands, from what its two ends say of themselves. Pure.
 *
 * A move that was cut short leaves its slots in one of these states; the one after a cut goes on from there:
 *
 *   owner says…  source          target                     to do
 *   1            source          source                     drain: open (again), move keys, hand over
 *   2            target          source (or nobody)         claim: source was told first by somebody; tell target, others
 *   3            source          target                     tell: target has taken it; tell source, others
 *   4            target          target                     nothing
 *   anything else: a third node owns it, and the plan is not true any more
 */
import { AppError } from '../../errors.ts';
import type { GossipNode } from '../../cluster/model/observation.ts';
import { formatRanges, rangesFromSlots, type SlotRanges } from '../../cluster/model/slots.ts';

export interface Survey {
  readonly drain: readonly number[];
  readonly claim: readonly number[];
  readonly tell: readonly number[];
  readonly done: readonly number[];
  /** Of `drain`: open on both sides, towards each other. In them, the source's copy of a key is the one that counts. */
  readonly open: ReadonlySet<number>;
  /** Of `drain`: open on one side or both, whatever towards. Servers that move slots by themselves refuse them. */
  readonly marked: ReadonlySet<number>;
  /** Slot -> the node that the source gives it to, where that is not the target. */
  readonly foreign: ReadonlyMap<number, string>;
  /** Of `drain`: the target takes another for the owner, or nobody. */
  readonly misnamed: readonly number[];
}

export interface Ends {
  readonly sourceId: string;
  readonly targetId: string;
}

/** @throws AppError `role-changed`, `slots-elsewhere` */
export function survey(
  ranges: SlotRanges,
  ends: Ends,
  sourceView: readonly GossipNode[],
  targetView: readonly GossipNode[],
): Survey {
  const source = lineOf(sourceView, ends.sourceId);
  const target = lineOf(targetView, ends.targetId);
  const [bySource, byTarget] = [ownersOf(sourceView), ownersOf(targetView)];
  const leaving = new Set(source.migrating.filter((mark) => mark.toNodeId === ends.targetId).map(({ slot }) => slot));
  const coming = new Set(target.importing.filter((mark) => mark.fromNodeId === ends.sourceId).map(({ slot }) => slot));
  const found = { drain: [] as number[], claim: [] as number[], tell: [] as number[], done: [] as number[] };
  const misnamed: number[] = [];
  const marked = new Set(source.migrating.map(({ slot }) => slot));
  const elsewhere: number[] = [];
  // A replica of the source that was elected: the source has not heard of it. What is only an old view of the target has a lower epoch.
  const isNewer = (nodeId: string): boolean => {
    const line = targetView.find((node) => node.nodeId === nodeId);
    return line?.role === 'primary' && !isDown(line) && line.configEpoch > source.configEpoch;
  };
  for (const { start, end } of ranges) {
    for (let slot = start; slot <= end; slot++) {
      const [forSource, forTarget] = [bySource[slot], byTarget[slot]];
      if (forTarget === ends.targetId) {
        if (forSource === ends.targetId && !marked.has(slot)) found.done.push(slot);
        else found.tell.push(slot);
      } else if (forSource === ends.sourceId) {
        const named = forTarget ?? '';
        if (named !== ends.sourceId && isNewer(named)) elsewhere.push(slot);
        else {
          found.drain.push(slot);
          if (named !== ends.sourceId) misnamed.push(slot);
        }
      } else if (forSource === ends.targetId) found.claim.push(slot);
      else elsewhere.push(slot);
    }
  }
  // A source that has given all may have become a replica by itself (cluster-allow-replica-migration).
  if (found.drain.length + found.claim.length + elsewhere.length > 0 && source.role !== 'primary')
    throw roleChanged(ends.sourceId);
  if (target.role !== 'primary') throw roleChanged(ends.targetId);
  if (elsewhere.length > 0) throw slotsElsewhere(elsewhere);
  for (const { slot } of target.importing) marked.add(slot);
  return {
    ...found,
    open: new Set(found.drain.filter((slot) => leaving.has(slot) && coming.has(slot))),
    marked: new Set(found.drain.filter((slot) => marked.has(slot))),
    foreign: new Map([...marksOf(sourceView, ends.sourceId)].filter(([, toNodeId]) => toNodeId !== ends.targetId)),
    misnamed,
  };
}

/**
 * Why another node may lead in the place of the source by now; null = nobody has seen a sign of it. Of an election hears who takes part in
 * it: the source, where it was not to be reached, may be the last one to hear. The target may be behind as well, and then it passes.
 */
export function doubtOf(
  ends: Ends,
  sourceView: readonly GossipNode[],
  targetView: readonly GossipNode[],
): string | null {
  const [source, target] = [lineOf(targetView, ends.sourceId), lineOf(sourceView, ends.targetId)];
  const { configEpoch } = lineOf(sourceView, ends.sourceId);
  const followers = sourceView.filter(({ primaryId }) => primaryId === ends.sourceId).map(({ nodeId }) => nodeId);
  // Whoever was elected in its place has a newer epoch; one that led before has an older one.
  const heir = targetView.find(
    (line) => line.role === 'primary' && followers.includes(line.nodeId) && line.configEpoch > configEpoch,
  );
  if (heir !== undefined) return `the target sees ${heir.nodeId.slice(0, 8)} lead`;
  if (source.role !== 'primary') return 'the target takes it for a replica';
  if (isDown(source)) return 'the target takes it for down';
  if (!source.linkUp) return 'the target has no link to it';
  return isDown(target) ? 'it takes the target for down' : null;
}

function isDown({ flags }: GossipNode): boolean {
  return flags.includes('fail') || flags.includes('fail?');
}

export function sourceDoubted(pod: string, why: string): AppError {
  return new AppError(`Another node may lead in the place of ${pod}: ${why}`, {
    code: 'source-doubted',
    hint: 'Nothing is lost. Look at kubectl redis status, then run the same command again: it goes on from where things stand',
  });
}

function lineOf(view: readonly GossipNode[], nodeId: string): GossipNode {
  const line = view.find((node) => node.nodeId === nodeId);
  if (line === undefined) throw roleChanged(nodeId);
  return line;
}

export function roleChanged(nodeId: string): AppError {
  return new AppError(`Node ${nodeId.slice(0, 8)} is no primary any more`, {
    code: 'role-changed',
    hint: 'There was a failover. Run the same command again: it goes on from where things stand',
  });
}

/** What a node gives away: slot -> id of the node that it is on its way to. */
export function marksOf(view: readonly GossipNode[], nodeId: string): ReadonlyMap<number, string> {
  return new Map(lineOf(view, nodeId).migrating.map(({ slot, toNodeId }) => [slot, toNodeId]));
}

/**
 * Whoever a slot is being given to may have keys of it, and clients are sent there for them: that is not ours to take over, unless the
 * plan knew of it and gives it up.
 *
 * @param marks of the source
 * @throws AppError `moved-by-others`
 */
export function mustBeOurs(
  marks: ReadonlyMap<number, string>,
  targetId: string,
  slots: readonly number[],
  known: { readonly has: (slot: number) => boolean },
): void {
  for (const slot of slots) {
    const to = marks.get(slot) ?? targetId;
    if (to !== targetId && !known.has(slot)) throw movedByOthers(slot, to);
  }
}

/** Since the move was planned: whoever planned it could not know. */
export function movedByOthers(slot: number, toNodeId: string): AppError {
  return new AppError(
    `Slot ${slot} is on its way to node ${toNodeId.slice(0, 8)}: somebody else began to move it meanwhile`,
    {
      code: 'moved-by-others',
      hint: 'Wait until that has ended, then run the same command again: it plans anew. If nobody moves it any more, kubectl redis fix finishes it',
    },
  );
}

export function leftOpen(slot: number): AppError {
  return new AppError(`Somebody closed slot ${slot} while it was moving`, {
    code: 'slot-closed',
    hint: 'Run the same command again: it goes on from where things stand',
  });
}

function ownersOf(view: readonly GossipNode[]): readonly (string | undefined)[] {
  const owners: (string | undefined)[] = [];
  for (const { nodeId, role, slots } of view) {
    if (role !== 'primary') continue;
    for (const { start, end } of slots) for (let slot = start; slot <= end; slot++) owners[slot] = nodeId;
  }
  return owners;
}

function slotsElsewhere(slots: readonly number[]): AppError {
  return new AppError(`Slots ${formatRanges(rangesFromSlots(slots))} belong to neither end of the move`, {
    code: 'slots-elsewhere',
    hint: 'Somebody else moved them meanwhile. Run the same command again: it plans anew',
  });
}
