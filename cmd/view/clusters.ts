/** `list` as people read it. Pure. */
import { clusterEntry } from '../document/cluster-list.ts';
import type { SurveyRow } from '../survey.ts';
import type { Look } from '../terminal.ts';
import { age, counted, oneLine, secondsBetween } from './format.ts';
import { createPaint } from './paint.ts';
import { toneOfHealth } from './status.ts';
import { table } from './table.ts';
import type { Cell, Column } from './table.ts';

const COLUMNS: readonly Column[] = [
  { header: 'NAMESPACE' },
  { header: 'NAME' },
  { header: 'ORIGIN', leaveOut: 3 },
  { header: 'SHAPE', leaveOut: 1 },
  { header: 'PODS' },
  { header: 'STATE' },
  { header: 'VERSION', leaveOut: 2 },
  { header: 'AGE', leaveOut: 4 },
  { header: 'REMARKS', below: true },
];

export function renderClusters(rows: readonly SurveyRow[], look: Look): string {
  const paint = createPaint(look.colour);
  return `${table(COLUMNS, rows.map(clusterRow), { width: look.width, paint }).join('\n')}\n`;
}

function clusterRow(row: SurveyRow): Cell[] {
  const entry = clusterEntry(row);
  const { level, sentence } = entry.health;
  const seconds =
    entry.createdAt === null || row.seen === null ? null : secondsBetween(entry.createdAt, row.seen.state.observedAt);
  return [
    entry.namespace,
    entry.name,
    entry.origin,
    entry.primaries === null || entry.replicas === null
      ? '-'
      : `${counted(entry.primaries, 'primary', 'primaries')} + ${counted(entry.replicas, 'replica')}`,
    entry.pods === null ? '-' : `${entry.pods.ready}/${entry.pods.total}`,
    { text: level, tone: toneOfHealth(level) },
    entry.versions.join(', ') || '-',
    seconds === null ? '-' : age(seconds),
    level === 'healthy' ? '' : { text: oneLine(sentence), tone: toneOfHealth(level) },
  ];
}
