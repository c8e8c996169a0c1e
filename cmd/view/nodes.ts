/** `nodes` as people read it: one row per Redis node, those that did not answer included. Pure. */
import { shortId } from '../../pkg/cluster/interpret.ts';
import type { NodeAnswer } from '../../pkg/cluster/model/observation.ts';
import type { ClusterNode, ClusterState, Shard } from '../../pkg/cluster/model/state.ts';
import type { Look } from '../terminal.ts';
import { age, bytes, secondsBetween } from './format.ts';
import { createPaint } from './paint.ts';
import { nameOfNode, remarksOn, worstTone } from './remarks.ts';
import { table } from './table.ts';
import type { Cell, Column } from './table.ts';

const COLUMNS: readonly Column[] = [
  { header: 'POD' },
  { header: 'ID', leaveOut: 5 },
  { header: 'ROLE' },
  { header: 'SHARD' },
  { header: 'LINK' },
  { header: 'LAG', align: 'right' },
  { header: 'MEMORY', align: 'right', leaveOut: 3 },
  { header: 'KEYS', align: 'right', leaveOut: 2 },
  { header: 'ADDRESS', leaveOut: 6 },
  { header: 'HOST', leaveOut: 1 },
  { header: 'ZONE', leaveOut: 4 },
  { header: 'AGE', leaveOut: 8 },
  { header: 'VERSION', leaveOut: 7 },
  { header: 'REMARKS', below: true },
];

export interface NodesOptions extends Look {
  readonly wide: boolean;
}

export function renderNodes(state: ClusterState, options: NodesOptions): string {
  if (state.nodes.length === 0) return `${state.cluster.name} has no pods\n`;
  const paint = createPaint(options.colour);
  const shards = shardsByNode(state);
  const rows = state.nodes.map((node) => nodeRow(state, node, shards.get(node) ?? null));
  return `${table(COLUMNS, rows, { ...options, paint }).join('\n')}\n`;
}

export interface PlacedShard {
  readonly shard: Shard;
  /** For its colour. */
  readonly index: number;
}

export function shardsByNode(state: ClusterState): Map<ClusterNode, PlacedShard> {
  return new Map(
    state.shards.flatMap((shard, index) =>
      [shard.primary, ...shard.replicas].flatMap((node) => (node === null ? [] : [[node, { shard, index }] as const])),
    ),
  );
}

function nodeRow(state: ClusterState, node: ClusterNode, placed: PlacedShard | null): Cell[] {
  const answer = node.reply?.kind === 'answered' ? node.reply.answer : null;
  const remarks = remarksOn(state, node, placed?.shard ?? null);
  const since = node.pod === null ? null : secondsBetween(node.pod.createdAt, state.observedAt);
  return [
    node.pod === null ? '-' : nameOfNode(node),
    node.nodeId === null ? '-' : shortId(node.nodeId),
    node.role,
    placed === null ? '-' : { text: placed.shard.name, shard: placed.index },
    linkCell(node, answer),
    node.lagBytes === null ? '-' : node.lagBytes === 0 ? '0' : bytes(node.lagBytes),
    answer === null ? '-' : memoryInWords(answer),
    node.keys === null ? '-' : String(node.keys),
    node.announced ?? '-',
    node.host ?? '-',
    node.zone ?? '-',
    since === null ? '-' : age(since),
    answer === null ? '-' : answer.info.version,
    { text: remarks.map(({ text }) => text).join('; '), tone: worstTone(remarks) },
  ];
}

/** Of a replica: to its primary. Of a primary: how many replicas are connected to it. */
function linkCell(node: ClusterNode, answer: NodeAnswer | null): Cell {
  if (answer === null) return { text: 'down', tone: 'bad' };
  const { info } = answer;
  if (node.role !== 'replica') return '-';
  if (info.syncInProgress) return { text: 'sync', tone: 'warn' };
  if (info.primaryLinkUp === null) return '-';
  return info.primaryLinkUp ? { text: 'up', tone: 'good' } : { text: 'down', tone: 'bad' };
}

/** `1.9Mi/95Mi`; only what is used where there is no limit. */
export function memoryInWords({ info }: NodeAnswer): string {
  const used = bytes(info.usedMemoryBytes);
  return info.maxMemoryBytes === 0 ? used : `${used}/${bytes(info.maxMemoryBytes)}`;
}
