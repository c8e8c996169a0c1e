/** What `scale` will do and what it costs, before its first step: nodes by shard, slots, roles. Pure. */
import { nameOfNode } from '../model/list-names.ts';
import type { Remark } from '../model/plan.ts';
import { countSlots, type SlotRanges } from '../model/slots.ts';
import { nodeName, ordinalsOf, podName, shardOf, shardsOf, type ClusterSpec } from '../model/spec.ts';
import type { ClusterNode } from '../model/state.ts';
import { scaleContext, type ScaleContext, type ScaleSeen } from './scale-context.ts';
import { finishSteps, idOfNew, transfersOf } from './scale-moves.ts';
import type { SlotTransfer } from './slot-moves.ts';

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
  /** Where both are nodes of one shard. */
  readonly pods?: { readonly from: string; readonly to: string };
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
  const recorded = shardsOf(spec);
  const others = moves.flatMap(({ from, to }) => [from, to]).filter((name) => !recorded.includes(name));
  return {
    spec,
    shards: [...recorded, ...new Set(others)].map((name) => shardOutline(context, name, moves)),
    moves,
    handOvers: context.shards
      .filter(({ head, heir, members }) => head !== null && head !== heir && !members.includes(head))
      .map(({ name }) => name),
    remarks: [],
  };
}

/** The very moves of the plan; ends are shards, and a node that is of none of them goes by its label or its name. */
function movesOf(context: ScaleContext): OutlineMove[] {
  const open = endsAndRanges(finishSteps(context.state, context.members));
  const newShards = new Map(context.shards.map(({ name }) => [idOfNew(name), name]));
  const byId = new Map(context.members.map(({ node, step }) => [step.nodeId, node]));
  return [...open, ...transfersOf(context)].map(({ from, to, ranges }) => {
    const [source, target] = [byId.get(from), byId.get(to)];
    const place = (id: string, node: ClusterNode | undefined): string =>
      newShards.get(id) ?? (node === undefined ? id.slice(0, 8) : placeOf(context, node));
    const move = { from: place(from, source), to: place(to, target), ranges, ...costOf(source, ranges) };
    if (move.from !== move.to) return move;
    return { ...move, pods: { from: source?.pod?.name ?? '?', to: target?.pod?.name ?? '?' } };
  });
}

function endsAndRanges(moves: ReturnType<typeof finishSteps>): SlotTransfer[] {
  return moves.map(({ source, target, ranges }) => ({ from: source.nodeId, to: target.nodeId, ranges }));
}

/** By the record; where that does not know the node, by its label. */
function placeOf({ spec }: ScaleContext, node: ClusterNode): string {
  const ordinal = ordinalsOf(spec).find((one) => podName(spec.cluster.name, one) === node.pod?.name);
  if (ordinal !== undefined) return shardOf(spec, ordinal);
  return node.shardLabel ?? nameOfNode(node);
}

function costOf(source: ClusterNode | undefined, ranges: SlotRanges): { slots: number; keys: number; bytes: number } {
  const slots = countSlots(ranges);
  const part = source === undefined ? 0 : Math.min(1, slots / Math.max(1, countSlots(source.slots)));
  const bytes = source === undefined ? 0 : dataBytes(source.reply);
  return { slots, keys: Math.round((source?.keys ?? 0) * part), bytes: Math.round(bytes * part) };
}

function nodesOf({ spec, state }: ScaleContext, shard: string): { ordinal: number; node: ClusterNode | undefined }[] {
  return ordinalsOf(spec)
    .filter((ordinal) => shardOf(spec, ordinal) === shard)
    .map((ordinal) => {
      const name = `${nodeName(spec.cluster.name, ordinal)}-0`;
      return { ordinal, node: state.nodes.find(({ pod }) => pod?.name === name) };
    });
}

/** What an empty server uses by itself is no data. */
const EMPTY_SERVER_BYTES = 2_000_000;

export function dataBytes(reply: ClusterNode['reply']): number {
  if (reply?.kind !== 'answered' || reply.answer.info.keys === 0) return 0;
  return Math.max(0, reply.answer.info.usedMemoryBytes - EMPTY_SERVER_BYTES);
}

function shardOutline(context: ScaleContext, name: string, moves: readonly OutlineMove[]): OutlineShard {
  const owners = context.state.nodes.filter((node) => node.slots.length > 0 && placeOf(context, node) === name);
  const slotsNow = owners.reduce((sum, owner) => sum + countSlots(owner.slots), 0);
  const come = moves.filter(({ to }) => to === name).reduce((sum, { slots }) => sum + slots, 0);
  const go = moves.filter(({ from }) => from === name).reduce((sum, { slots }) => sum + slots, 0);
  const leaving = new Set(context.spec.scaling?.leaving);
  const nodes = nodesOf(context, name).map(({ ordinal, node }): OutlineNode => {
    const fate = leaving.has(ordinal) ? 'goes' : node === undefined ? 'new' : 'stays';
    return { name: nodeName(context.spec.cluster.name, ordinal), fate, primary: (node?.slots.length ?? 0) > 0 };
  });
  const unrecorded = nodes.length > 0 ? [] : owners.map((owner) => unrecordedNode(owner));
  const keys = owners.reduce((sum, owner) => sum + (owner.keys ?? 0), 0);
  return { name, nodes: [...nodes, ...unrecorded], slotsNow, slotsThen: slotsNow + come - go, keys };
}

/** It gives its slots away and is left: what the record does not know is not taken away. */
function unrecordedNode({ pod, nodeId }: ClusterNode): OutlineNode {
  return { name: pod?.name.replace(/-0$/, '') ?? nodeId?.slice(0, 8) ?? '?', fate: 'stays', primary: true };
}
