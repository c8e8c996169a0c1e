/** What `scale` will do and what it costs, before its first step: nodes by shard, slots, roles. Pure. */
import type { Remark } from '../model/plan.ts';
import { countSlots, type SlotRanges } from '../model/slots.ts';
import { nodeName, ordinalsOf, shardOf, shardsOf, type ClusterSpec } from '../model/spec.ts';
import type { ClusterNode } from '../model/state.ts';
import { scaleContext, type ScaleContext, type ScaleSeen } from './scale-context.ts';
import { planTransfers, shareSlots, type SlotTransfer } from './slot-moves.ts';

export interface OutlineNode {
  readonly name: string;
  readonly fate: 'stays' | 'new' | 'goes';
  readonly primary: boolean;
}

export interface OutlineShard {
  readonly name: string;
  readonly nodes: readonly OutlineNode[];
  readonly slotsNow: number;
  readonly slotsThen: number;
  /** As the servers say, of the primary that has them now. */
  readonly keys: number;
}

/** `from` and `to` are shards. */
export interface OutlineMove extends SlotTransfer {
  readonly slots: number;
  /** In proportion to the slots; bytes as the source's memory says. */
  readonly keys: number;
  readonly bytes: number;
}

export interface ScaleOutline {
  readonly spec: ClusterSpec;
  readonly shards: readonly OutlineShard[];
  readonly moves: readonly OutlineMove[];
  /** Shards whose primary goes, and so is followed by another. */
  readonly handOvers: readonly string[];
  readonly remarks: readonly Remark[];
}

export function outlineScale(seen: ScaleSeen, spec: ClusterSpec): ScaleOutline {
  const context = scaleContext(seen, spec);
  const moves = movesOf(context);
  return {
    spec,
    shards: shardsOf(spec).map((name) => shardOutline(context, name, moves)),
    moves,
    handOvers: context.shards
      .filter(({ head, heir, members }) => head !== null && head !== heir && !members.includes(head))
      .map(({ name }) => name),
    remarks: [],
  };
}

interface ShardNow {
  readonly name: string;
  readonly slots: SlotRanges;
  readonly keys: number;
  readonly bytes: number;
}

function movesOf(context: ScaleContext): OutlineMove[] {
  const { spec, target } = context;
  const holders = shardsOf(spec).map((name) => shardNow(context, name));
  const names = new Set(shardsOf(target));
  const staying = holders.filter(({ name }) => names.has(name));
  if (spec.scaling?.spread !== true && staying.length === holders.length) return [];
  const all = holders.map((holder) => ({ ...holder, id: holder.name }));
  const shares = shareSlots(all.filter(({ name }) => names.has(name)).map((holder) => ({ ...holder, weight: 1 })));
  return planTransfers(all, shares).map((transfer) => {
    const source = holders.find(({ name }) => name === transfer.from);
    return { ...transfer, ...costOf(source, transfer.ranges) };
  });
}

function costOf(source: ShardNow | undefined, ranges: SlotRanges): { slots: number; keys: number; bytes: number } {
  const slots = countSlots(ranges);
  const part = source === undefined ? 0 : slots / Math.max(1, countSlots(source.slots));
  return { slots, keys: Math.round((source?.keys ?? 0) * part), bytes: Math.round((source?.bytes ?? 0) * part) };
}

function nodesOf({ spec, state }: ScaleContext, shard: string): { ordinal: number; node: ClusterNode | undefined }[] {
  return ordinalsOf(spec)
    .filter((ordinal) => shardOf(spec, ordinal) === shard)
    .map((ordinal) => {
      const name = `${nodeName(spec.cluster.name, ordinal)}-0`;
      return { ordinal, node: state.nodes.find(({ pod }) => pod?.name === name) };
    });
}

function shardNow(context: ScaleContext, name: string): ShardNow {
  const owners = nodesOf(context, name).flatMap(({ node }) =>
    node === undefined || node.slots.length === 0 ? [] : [node],
  );
  return {
    name,
    slots: owners.flatMap((owner) => owner.slots),
    keys: owners.reduce((sum, owner) => sum + (owner.keys ?? 0), 0),
    bytes: owners.reduce((sum, { reply }) => sum + dataBytes(reply), 0),
  };
}

/** What an empty server uses by itself is no data. */
const EMPTY_SERVER_BYTES = 2_000_000;

export function dataBytes(reply: ClusterNode['reply']): number {
  if (reply?.kind !== 'answered' || reply.answer.info.keys === 0) return 0;
  return Math.max(0, reply.answer.info.usedMemoryBytes - EMPTY_SERVER_BYTES);
}

function shardOutline(context: ScaleContext, name: string, moves: readonly OutlineMove[]): OutlineShard {
  const now = shardNow(context, name);
  const slotsNow = countSlots(now.slots);
  const come = moves.filter(({ to }) => to === name).reduce((sum, { slots }) => sum + slots, 0);
  const go = moves.filter(({ from }) => from === name).reduce((sum, { slots }) => sum + slots, 0);
  const leaving = new Set(context.spec.scaling?.leaving);
  const nodes = nodesOf(context, name).map(({ ordinal, node }): OutlineNode => {
    const fate = leaving.has(ordinal) ? 'goes' : node === undefined ? 'new' : 'stays';
    return { name: nodeName(context.spec.cluster.name, ordinal), fate, primary: (node?.slots.length ?? 0) > 0 };
  });
  return { name, nodes, slotsNow, slotsThen: slotsNow + come - go, keys: now.keys };
}
