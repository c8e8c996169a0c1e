/** The answer to `slots --key K` and `slots --slot N`. Pure. */
import { nodeNamer } from '../../pkg/cluster/interpret.ts';
import type { ClusterNode, ClusterState } from '../../pkg/cluster/model/state.ts';
import type { SlotLookup } from '../slot-lookup.ts';
import type { Look } from '../terminal.ts';
import { oneLine } from './format.ts';
import { createPaint } from './paint.ts';
import { nameOfNode, remarksOn, worstTone } from './remarks.ts';
import { shardInWords } from './slots.ts';
import { cut, table } from './table.ts';
import type { Cell, Column } from './table.ts';

const COLUMNS: readonly Column[] = [
  { header: 'ROLE' },
  { header: 'POD' },
  { header: 'ADDRESS', leaveOut: 1 },
  { header: 'HOST', leaveOut: 2 },
  { header: 'ZONE', leaveOut: 3 },
  { header: 'REMARKS', below: true },
];

export function renderLookup(state: ClusterState, lookup: SlotLookup, look: Look): string {
  const paint = createPaint(look.colour);
  const fit = (line: string): string => (look.width === null ? line : cut(line, look.width));
  const facts: [string, string][] = [
    ...(lookup.key === null ? [] : [['Key', JSON.stringify(lookup.key)] as [string, string]]),
    ...(lookup.hashTag === null ? [] : [['Hash tag', JSON.stringify(lookup.hashTag)] as [string, string]]),
    ['Slot', String(lookup.slot)],
    ['Shard', lookup.shard === null ? '-' : shardInWords(lookup.shard)],
  ];
  const lines = facts.map(([name, value]) => fit(`${`${name}:`.padEnd(11)}${oneLine(value)}`));
  const faults = faultsOf(state, lookup).map((fault) => paint.tone('bad', fit(fault)));
  const row = (node: ClusterNode): Cell[] => {
    const remarks = remarksOn(state, node, lookup.shard);
    const text = remarks.map((remark) => remark.text).join('; ');
    return [
      node.role,
      nameOfNode(node),
      node.announced ?? '-',
      node.host ?? '-',
      node.zone ?? '-',
      { text, tone: worstTone(remarks) },
    ];
  };
  const holders = [...(lookup.primary === null ? [] : [lookup.primary]), ...lookup.replicas].map(row);
  const drawn = table(COLUMNS, holders, { width: look.width, paint });
  return `${[...lines, ...faults, ...(drawn.length > 0 ? ['', ...drawn] : [])].join('\n')}\n`;
}

function faultsOf(state: ClusterState, lookup: SlotLookup): string[] {
  const nameOf = nodeNamer(state.nodes);
  const faults: string[] = [];
  if (lookup.shard === null) faults.push(`No node owns slot ${lookup.slot}.`);
  if (lookup.contestedBy.length > 1) {
    faults.push(
      `Slot ${lookup.slot} is contested: ${lookup.contestedBy.map(nameOf).join(' and ')} both count as its owner.`,
    );
  }
  if (lookup.open !== null) {
    const { migratingFrom, importingTo } = lookup.open;
    const from = migratingFrom === null ? 'an unknown node' : nameOf(migratingFrom);
    const to = importingTo === null ? 'an unknown node' : nameOf(importingTo);
    faults.push(`Slot ${lookup.slot} is open: on its way from ${from} to ${to}.`);
  }
  return faults;
}
