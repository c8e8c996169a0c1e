/** What `delete` shows before it does anything, and what it says of what it kept. Pure. */
import { keptObjects, type OwnedObject } from '../../pkg/cluster/plan/delete.ts';
import type { PreparedDelete } from '../../pkg/engine/delete.ts';
import { counted, listed } from './format.ts';
import { createPaint, type Paint } from './paint.ts';
import { factLines as labelled } from './plan-lines.ts';
import { table } from './table.ts';

export interface DeleteLook {
  readonly width: number | null;
  readonly colour: boolean;
}

/** The order in which a person thinks of them. */
const KINDS = [
  'StatefulSet',
  'Pod',
  'PodDisruptionBudget',
  'NetworkPolicy',
  'Service',
  'ConfigMap',
  'Secret',
  'PersistentVolumeClaim',
] as const;

/** Lines, without colour codes where the look has none. */
export function deletePlanLines(prepared: PreparedDelete, look: DeleteLook): string[] {
  const { cluster, purge, inventory } = prepared;
  const paint = createPaint(look.colour);
  const what = purge ? 'with all its data' : 'and keep its data';
  const kept = new Set(keptObjects(inventory.owned, purge));
  const rows = KINDS.flatMap((kind) => {
    const all = inventory.owned.filter((object) => object.kind === kind);
    // (A claim that somebody has deleted goes with its pod.)
    return [false, true].flatMap((stays) => {
      const objects = all.filter((object) => kept.has(object) === stays);
      if (objects.length === 0) return [];
      const fate = { text: stays ? 'stays' : 'goes', tone: stays ? 'good' : 'warn' } as const;
      return [[kind, String(objects.length), fate, namesOf(objects)]];
    });
  });
  const columns = [
    { header: 'KIND' },
    { header: 'COUNT', align: 'right' },
    { header: 'WHAT HAPPENS' },
    { header: 'NAMES' },
  ] as const;
  return [
    paint.tone('strong', `Delete ${cluster.name} in namespace ${cluster.namespace} ${what}`),
    '',
    ...table(columns, rows, { width: look.width, paint }).map((line) => (line === '' ? line : `  ${line}`)),
    '',
    ...factLines(prepared, paint, look.width),
  ];
}

function factLines(prepared: PreparedDelete, paint: Paint, width: number | null): string[] {
  const { cluster, purge, plan, inventory, loss } = prepared;
  const running = inventory.owned.some((object) => object.kind === 'StatefulSet' || object.kind === 'Pod');
  const steps = plan.kind === 'batches' ? plan.batches.map((batch) => batch.title).join(', ') : 'nothing';
  const facts: [string, string][] = [
    ['does', steps],
    ...(running ? [['stops', 'clients get no answer from then on'] as [string, string]] : []),
    [
      'loses',
      purge ? `${lossInWords(prepared)}, for ever` : (loss?.sentence ?? 'nothing: every key stays on its volume'),
    ],
    ...(purge ? [] : [['resumes', `kubectl redis create ${cluster.name}`] as [string, string]]),
  ];
  return facts.flatMap(([label, text]) => labelled(label, text, width, paint));
}

/** `1,234 keys of redis and 6 volumes`; says so where not all keys could be counted. */
export function lossInWords({ cluster, inventory, keys }: PreparedDelete): string {
  const volumes = inventory.owned.filter((object) => object.kind === 'PersistentVolumeClaim').length;
  const number = counted(keys.counted, 'key');
  if (keys.complete) return `${number} of ${cluster.name} and ${counted(volumes, 'volume')}`;
  const known = keys.counted === 0 ? 'all keys' : `${number} or more`;
  return `${known} of ${cluster.name} (not every node could be asked) and ${counted(volumes, 'volume')}`;
}

/** What is still there, how to go on from it, and how to take it away. */
export function keptLines({ cluster, inventory }: Pick<PreparedDelete, 'cluster' | 'inventory'>): string[] {
  const kept = keptObjects(inventory.owned, false);
  const kinds = KINDS.toReversed().flatMap((kind) => {
    const objects = kept.filter((object) => object.kind === kind);
    if (objects.length === 0) return [];
    return [objects.length === 1 ? `${kind} ${objects[0]?.name}` : `${objects.length} ${kind}s (${namesOf(objects)})`];
  });
  const here = `-n ${cluster.namespace}`;
  return [
    `Kept:       ${listed(kinds, kinds.length)}`,
    `Resume:     kubectl redis create ${cluster.name} ${here}`,
    `Remove all: kubectl redis delete ${cluster.name} --purge-data ${here}`,
  ];
}

/** The first and the last of many. */
function namesOf(objects: readonly OwnedObject[]): string {
  const names = objects.map((object) => object.name);
  return names.length <= 3 ? names.join(', ') : `${names[0]} … ${names.at(-1)}`;
}
