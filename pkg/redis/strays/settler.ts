/** The StraySettler: whose each slot is, which of them have keys elsewhere, and those keys home, owner by owner. */
import { rangesFromSlots, slotsFromRanges, type SlotRanges } from '../../cluster/model/slots.ts';
import type { MoveLimits, MoveProgress, StraysSettled, StraySettler } from '../../engine/ports.ts';
import type { MoveContext } from '../move/context.ts';
import { viewOf } from '../move/look.ts';
import type { MoverDeps } from '../move/mover.ts';
import { NodeLine } from '../move/node-line.ts';
import { bringHome, openSlotsOf } from './bring-home.ts';
import { findStrays, type SlotsOfHolder } from './find.ts';
import { ownersByTheirWord, slotsOfHolder, withoutOwner } from './whose.ts';

export function createStraySettler(deps: MoverDeps): StraySettler {
  return {
    settle: async (
      { holder, others, slots, ownerGives = false, staleMark, older = [] },
      limits,
      onProgress,
      signal,
      fence,
    ) => {
      const line = new NodeLine(deps.pool, holder, fence);
      const lines = others.map((end) => new NodeLine(deps.pool, end, fence));
      const [own, ...views] = await Promise.all([line, ...lines].map(viewOf));
      const marks = slotsOfHolder(holder, own ?? []);
      const owners = ownersByTheirWord(
        lines.map((owner, i) => ({ owner, nodeId: owner.end.nodeId, view: views[i] ?? [] })),
      );
      const wanted = slots === null ? await lookFor(line, marks, owners) : listed(slots, marks);
      const givenUp = ownerGives ? [holder.nodeId, ...(staleMark === undefined ? [] : [staleMark])] : null;
      return bringAllHome({ deps, holder: line, givenUp, older, limits, signal }, wanted, owners, onProgress);
    },
  };
}

async function lookFor(
  holder: NodeLine,
  marks: SlotsOfHolder,
  owners: ReadonlyMap<number, NodeLine>,
): Promise<readonly number[]> {
  const [someOwner] = owners.values();
  // Nobody to bring them to.
  if (someOwner === undefined) return [];
  const found = await findStrays(holder, marks, (slot) => (owners.get(slot) ?? someOwner).end.nodeId);
  return found.map(({ slot }) => slot);
}

function listed(slots: SlotRanges, { own }: SlotsOfHolder): readonly number[] {
  return slotsFromRanges(slots).filter((slot) => !own.has(slot));
}

interface Shared {
  readonly deps: MoverDeps;
  readonly holder: NodeLine;
  /** Ids of nodes towards which the owner has the slots open; null = it has not. */
  readonly givenUp: readonly string[] | null;
  readonly older: readonly string[];
  readonly limits: MoveLimits;
  readonly signal: AbortSignal;
}

/** One owner after the other: their keys leave the same node, which has one MIGRATE at a time. */
async function bringAllHome(
  { deps, holder, givenUp, older, limits, signal }: Shared,
  slots: readonly number[],
  owners: ReadonlyMap<number, NodeLine>,
  onProgress: (progress: MoveProgress) => void,
): Promise<StraysSettled> {
  let done = { slots: 0, keys: 0, bytes: 0 };
  const home: number[] = [];
  for (const [owner, theirs] of groupByOwner(slots, owners)) {
    if (older.includes(owner.end.nodeId)) {
      await openSlotsOf(owner.end.nodeId, holder, theirs);
      continue;
    }
    const context: MoveContext = {
      source: holder,
      target: owner,
      others: [],
      targetLogin: await deps.credentials(owner.end.pod),
      targetPort: owner.end.port,
      limits,
      signal,
      turns: deps.turns,
      patience: deps.patience,
      // One owner after the other.
      movesToTarget: () => 1,
      weights: { meanBytes: 0, weighAll: true },
      ...(deps.saveConflict === undefined ? {} : { saveConflict: deps.saveConflict }),
      count: ({ slots: more = 0, keys = 0, bytes = 0 }) => {
        done = { slots: done.slots + more, keys: done.keys + keys, bytes: done.bytes + bytes };
        onProgress({ ...done, arriving: 0 });
      },
      expect: () => undefined,
    };
    // Two nodes that send keys to each other at the same time would each wait for the other to take them.
    await deps.roles.hold(holder.end.nodeId, owner.end.nodeId, () => bringHome(context, theirs, givenUp));
    home.push(...theirs);
  }
  const homeless = slots.filter((slot) => !owners.has(slot));
  if (homeless.length > 0) throw withoutOwner(holder.end.pod.name, homeless);
  return { slots: rangesFromSlots(home), keys: done.keys, bytes: done.bytes };
}

function groupByOwner(
  slots: readonly number[],
  owners: ReadonlyMap<number, NodeLine>,
): ReadonlyMap<NodeLine, readonly number[]> {
  const groups = new Map<NodeLine, number[]>();
  for (const slot of slots) {
    const owner = owners.get(slot);
    if (owner === undefined) continue;
    const group = groups.get(owner) ?? [];
    groups.set(owner, group);
    group.push(slot);
  }
  return groups;
}
