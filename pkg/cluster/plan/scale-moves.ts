/** Roles and slots to those who shall have them. */
import {
  countSlots,
  rangesFromSlots,
  subtractRanges,
  unionRanges,
  type SlotRange,
  type SlotRanges,
} from '../model/slots.ts';
import type { Batch, Step, StepNode } from '../model/plan.ts';
import type { ClusterState } from '../model/state.ts';
import type { Member } from '../evidence/members.ts';
import { goesToOlder, type Pair } from './refuse-older.ts';
import type { ScaleContext } from './scale-context.ts';
import { planTransfers, shareSlots, type SlotTransfer } from './slot-moves.ts';

type MoveStep = Extract<Step, { kind: 'move-slots' }>;

/** A failover moves no key: cheaper than slots, and before them, so that they go to who leads in the end. */
export function handOverStage({ shards }: ScaleContext): Batch[] {
  const steps = shards.flatMap(({ name, head, heir }): Step[] =>
    head === null || heir === null || head === heir
      ? []
      : [
          {
            kind: 'failover',
            node: heir.step,
            primary: head.step,
            reason: `${head.step.pod} goes, shard ${name} stays`,
          },
        ],
  );
  return steps.length === 0 ? [] : [{ title: 'hand over roles', steps }];
}

export function moveStage(context: ScaleContext): Batch[] {
  const finish = finishSteps(context.state, context.members);
  // What is open belongs to both: nothing else may be decided about those slots.
  if (finish.length > 0) return [{ title: 'finish what was open', steps: finish }];
  if (context.shards.some(({ heir }) => heir === null)) return [];
  const byId = new Map(context.members.map((member) => [member.step.nodeId, member]));
  const steps = transfersOf(context).flatMap(({ from, to, ranges }): Step[] => {
    const source = byId.get(from);
    const target = byId.get(to);
    if (source === undefined || target === undefined) return [];
    const reason = `${countSlots(ranges)} slots`;
    return [{ kind: 'move-slots', source: source.step, target: target.step, ranges, reason }];
  });
  return steps.length === 0 ? [] : [{ title: 'move slots', steps }];
}

/**
 * Straight to final owners: all that those who lead no staying shard have, and with `spread` what the others have too much. Before the first
 * step it says what the last one will have moved: what is open counts as finished, roles as handed over, and a shard of which no node is
 * there yet goes by `idOfNew`.
 *
 * Where every shard has slots, and nobody else has any, shares only differ: they stay as they are while one of them would have to go to an
 * older server, which takes no key of it. So the shape that a cluster has can always be recorded, and a restart is then possible.
 */
export function transfersOf(context: ScaleContext): SlotTransfer[] {
  const { transfers, must } = sharesOf(context);
  return !must && isAnyToOlder(context, transfers) ? [] : transfers;
}

/** Whether shares stay uneven, for now, because of that. */
export function staysUneven(context: ScaleContext): boolean {
  const { transfers, must } = sharesOf(context);
  return !must && isAnyToOlder(context, transfers);
}

function isAnyToOlder({ state: { nodes } }: ScaleContext, transfers: readonly SlotTransfer[]): boolean {
  const byId = new Map(nodes.map((node) => [node.nodeId, node]));
  return transfers.some(({ from, to }) => {
    const [source, target] = [byId.get(from), byId.get(to)];
    return source !== undefined && target !== undefined && goesToOlder(source, target);
  });
}

/** @returns `must`: a shard has no slots yet, or somebody has some who leads none */
function sharesOf(context: ScaleContext): { readonly transfers: SlotTransfer[]; readonly must: boolean } {
  const { spec, shards, members, state } = context;
  const leads = shards.map(({ name, head, heir }) => ({ head, id: (heir ?? head)?.step.nodeId ?? idOfNew(name) }));
  const ids = new Set(leads.map(({ id }) => id));
  const keptBy = new Map(leads.flatMap(({ head, id }) => (head === null ? [] : [[head.step.nodeId, id] as const])));
  const slots = new Map<string, SlotRanges>([...ids].map((id) => [id, []]));
  for (const { step, owned } of ownersThen(state, members)) {
    const id = keptBy.get(step.nodeId) ?? step.nodeId;
    slots.set(id, unionRanges(slots.get(id) ?? [], owned));
  }
  const holders = [...slots].map(([id, owned]) => ({ id, slots: owned }));
  const staying = holders.filter((holder) => ids.has(holder.id));
  const must = staying.length < holders.length || staying.some((holder) => holder.slots.length === 0);
  if (spec.scaling?.spread !== true && staying.length === holders.length) return { transfers: [], must };
  return { transfers: planTransfers(holders, shareSlots(staying.map((holder) => ({ ...holder, weight: 1 })))), must };
}

/** No node id has a space. */
export function idOfNew(shard: string): string {
  return `shard ${shard}`;
}

/** Who owns what when that is finished which is open. */
function ownersThen(
  state: ClusterState,
  members: readonly Member[],
): { readonly step: StepNode; readonly owned: SlotRanges }[] {
  const open = finishSteps(state, members);
  return members.flatMap(({ node, step }) => {
    const rangesTo = (end: 'source' | 'target'): SlotRanges =>
      open.filter((move) => move[end].nodeId === step.nodeId).flatMap(({ ranges }) => ranges);
    const owned = unionRanges(subtractRanges(node.slots, rangesTo('source')), rangesTo('target'));
    return owned.length === 0 ? [] : [{ step, owned }];
  });
}

/**
 * Slots that an interrupted move left open, each with the very pair that has it open: keys of it may be on both.
 *
 * @returns one step for each pair; slots that no such pair has open are refused elsewhere
 */
export function finishSteps(state: ClusterState, members: readonly Member[]): MoveStep[] {
  const pairs = new Map<string, { source: StepNode; target: StepNode; slots: number[] }>();
  for (const { slot, source, target } of openPairs(state, members)) {
    if (source === null || target === null) continue;
    const key = `${source.nodeId} ${target.nodeId}`;
    const pair = pairs.get(key) ?? { source, target, slots: [] };
    pair.slots.push(slot);
    pairs.set(key, pair);
  }
  return [...pairs.values()].map(({ source, target, slots }): MoveStep => {
    const ranges: SlotRange[] = rangesFromSlots(slots);
    return { kind: 'move-slots', source, target, ranges, reason: 'they were left open' };
  });
}

export function endsOf(moves: readonly MoveStep[]): Pair[] {
  return moves.map(({ source, target }) => ({ from: source.nodeId, to: target.nodeId }));
}

export interface OpenPair {
  readonly slot: number;
  /** null: none of the nodes that answered owns it, or has it open towards one that does. */
  readonly source: StepNode | null;
  readonly target: StepNode | null;
}

/**
 * Marks of one side count, too: a failover loses those of the node that went. The other side still names that node, which follows
 * the one that has its slots now, and the keys that it had got.
 */
export function openPairs(state: ClusterState, members: readonly Member[]): OpenPair[] {
  const byId = new Map(members.map((member) => [member.step.nodeId, member]));
  const leader = (nodeId: string): StepNode | null => {
    const named = byId.get(nodeId);
    const lead = named?.node.role === 'replica' ? byId.get(named.node.primaryId ?? '') : named;
    return lead?.node.role === 'primary' ? lead.step : null;
  };
  const marks = members.flatMap(({ node, step }) => [
    ...(node.gossip?.migrating ?? []).map(({ slot, toNodeId }) => ({ slot, from: step.nodeId, to: toNodeId })),
    ...(node.gossip?.importing ?? []).map(({ slot, fromNodeId }) => ({ slot, from: fromNodeId, to: step.nodeId })),
  ]);
  const slots = [...new Set([...marks.map(({ slot }) => slot), ...state.openSlots.map(({ slot }) => slot)])];
  const bySlot = new Map<number, typeof marks>();
  for (const mark of marks) {
    const same = bySlot.get(mark.slot);
    if (same === undefined) bySlot.set(mark.slot, [mark]);
    else same.push(mark);
  }
  return slots
    .sort((a, b) => a - b)
    .map((slot) => {
      const found = (bySlot.get(slot) ?? []).map(({ from, to }) => ({ source: leader(from), target: leader(to) }));
      const whole = found.filter(({ source, target }) => source !== null && target !== null && source !== target);
      const first = whole[0];
      const one =
        first !== undefined && whole.every((pair) => pair.source === first.source && pair.target === first.target);
      return one ? { slot, ...first } : { slot, source: null, target: null };
    });
}
