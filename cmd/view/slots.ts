/** `slots` as people read it: who holds which slots, a picture, a line that sums up. Pure. */
import { mayBeJoined } from '../../pkg/cluster/evidence/unheard.ts';
import { isForming } from '../../pkg/cluster/evidence/forming.ts';
import type { ClusterNode, ClusterState, Shard } from '../../pkg/cluster/model/state.ts';
import { countSlots, formatRange, SLOT_COUNT } from '../../pkg/cluster/model/slots.ts';
import type { Look } from '../terminal.ts';
import { counted, fold, grouped, rangesWithCount } from './format.ts';
import { createPaint } from './paint.ts';
import type { Paint, Tone } from './paint.ts';
import { nameOfNode, remarksOn, worstTone } from './remarks.ts';
import { slotPicture } from './slot-picture.ts';
import { summarizeSlots } from './slot-summary.ts';
import { table } from './table.ts';
import type { Cell, Column } from './table.ts';

const COLUMNS: readonly Column[] = [
  { header: 'SHARD' },
  { header: 'SLOTS' },
  { header: 'ROLE' },
  { header: 'POD' },
  { header: 'HOST', leaveOut: 1 },
  { header: 'ZONE', leaveOut: 3 },
  { header: 'KEYS', align: 'right', leaveOut: 2 },
  { header: 'REMARKS', below: true },
];

/** Ranges of one shard that are written out on a terminal. */
const RANGES_SHOWN = 3;

export interface SlotsOptions extends Look {
  /** All columns, whatever the width. */
  readonly wide: boolean;
}

export function renderSlots(state: ClusterState, options: SlotsOptions): string {
  const paint = createPaint(options.colour);
  const { width, wide } = options;
  const rows = [
    ...state.shards.flatMap((shard, index) => shardRows(state, shard, index, width === null || wide)),
    ...looseRows(state),
    ...faultRows(state, width === null || wide),
  ];
  const answered = state.nodes.some((node) => node.reply?.kind === 'answered');
  const owned = state.shards.some((shard) => shard.slots.length > 0);
  const blocks = [
    table(COLUMNS, rows, { width, wide, paint }),
    answered && owned ? slotPicture(state, { width, paint }) : [],
    summaryLines(state, width, paint),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

/** Primary first, then replicas. On a terminal the shard is written once; elsewhere every line says it all. */
function shardRows(state: ClusterState, shard: Shard, index: number, everything: boolean): Cell[][] {
  const members = [...(shard.primary === null ? [] : [shard.primary]), ...shard.replicas];
  const slots = rangesWithCount(shard.slots, everything ? null : RANGES_SHOWN);
  const head: Cell = { text: shard.name, shard: index };
  const rows = members.map((node, at) => [
    at === 0 || everything ? head : '',
    at === 0 ? slots : everything ? '-' : '',
    ...memberCells(state, node, shard),
  ]);
  if (shard.primary !== null) return rows;
  const orphan: Cell[] = [head, slots, 'primary', '-', '-', '-', '-', { text: 'no primary is known', tone: 'bad' }];
  return [
    orphan,
    ...members.map((node) => [everything ? head : '', everything ? '-' : '', ...memberCells(state, node, shard)]),
  ];
}

function memberCells(state: ClusterState, node: ClusterNode, shard: Shard | null): Cell[] {
  const remarks = remarksOn(state, node, shard);
  return [
    node.role,
    nameOfNode(node),
    node.host ?? '-',
    node.zone ?? '-',
    node.keys === null ? '-' : String(node.keys),
    { text: remarks.map(({ text }) => text).join('; '), tone: worstTone(remarks) },
  ];
}

/** Nodes that belong to no shard: new ones, ghosts, pods that cannot be asked. */
function looseRows(state: ClusterState): Cell[][] {
  const placed = new Set(state.shards.flatMap((shard) => [shard.primary, ...shard.replicas]));
  return state.nodes.filter((node) => !placed.has(node)).map((node) => ['-', '-', ...memberCells(state, node, null)]);
}

function faultRows(state: ClusterState, everything: boolean): Cell[][] {
  if (isForming(state) || state.uncovered.length === 0) return [];
  const slots = rangesWithCount(state.uncovered, everything ? null : RANGES_SHOWN);
  return [['-', slots, '-', '-', '-', '-', '-', { text: 'uncovered: no node owns them', tone: 'bad' }]];
}

function summaryLines(state: ClusterState, width: number | null, paint: Paint): string[] {
  const [tone, text] = summaryOf(state);
  return fold(text, width).map((line) => paint.tone(tone, line));
}

function summaryOf(state: ClusterState): [Tone, string] {
  const summary = summarizeSlots(state);
  const { cluster } = state;
  if (state.nodes.length === 0) return ['bad', `${cluster.name} has no pods`];
  if (summary.answered === 0)
    return ['bad', `None of ${counted(state.nodes.length, 'node')} answered: nothing is known of the slots`];
  if (mayBeJoined(state).length > 0)
    return [
      'warn',
      `${summary.answered} of ${counted(state.nodes.length, 'node')} answered: whether they are joined is not known`,
    ];
  if (isForming(state)) {
    const given = SLOT_COUNT - countSlots(state.uncovered);
    const slots = given === 0 ? 'no slots assigned' : `${given} of ${SLOT_COUNT} slots assigned`;
    return ['warn', `The cluster is not formed yet: ${counted(state.nodes.length, 'node')}, ${slots}`];
  }
  const parts = [
    `${summary.covered} of ${summary.total} slots covered`,
    counted(summary.shards, 'shard'),
    summary.keys === null ? 'keys unknown' : counted(summary.keys, 'key'),
    ...(summary.keys !== null && summary.uncounted.length > 0
      ? [`${counted(summary.uncounted.length, 'shard')} not counted`]
      : []),
    ...(summary.open > 0 ? [`${grouped(summary.open)} open`] : []),
    ...(summary.contested > 0 ? [`${grouped(summary.contested)} contested`] : []),
    ...(summary.viewsAgree
      ? []
      : [summary.disputed === 0 ? 'views disagree' : `views disagree about ${grouped(summary.disputed)}`]),
  ];
  const bad = summary.covered < summary.total || summary.contested > 0;
  return [bad ? 'bad' : summary.open > 0 || !summary.viewsAgree ? 'warn' : 'good', parts.join(', ')];
}

/** `2 (5461-10922)` as the lookup of one slot says it. */
export function shardInWords(shard: Shard): string {
  const [first] = shard.slots;
  if (first === undefined) return shard.name;
  const more = shard.slots.length - 1;
  return `${shard.name} (${formatRange(first)}${more === 0 ? '' : ` and ${counted(more, 'more range')}`}, ${countSlots(shard.slots)} slots)`;
}
