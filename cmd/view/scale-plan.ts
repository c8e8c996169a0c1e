/** What `scale` shows before it does anything: what comes, what goes, what moves, what it costs. Pure. */
import { countSlots } from '../../pkg/cluster/model/slots.ts';
import type { OutlineShard, ScaleOutline } from '../../pkg/cluster/plan/scale-outline.ts';
import type { PreparedScale } from '../../pkg/engine/scale.ts';
import { age, bytes, counted, listed, rangesBrief, wrap } from './format.ts';
import { createPaint, type Paint } from './paint.ts';
import { table } from './table.ts';
import type { Look } from '../terminal.ts';

/** What a pair moves in a second on a small machine: the estimate says "about". */
const SLOTS_A_SECOND = 1_000;
const KEYS_A_SECOND = 12_000;

/** Lines, without colour codes where the look has none. */
export function scalePlanLines({ seen, wanted, outline, remarks }: PreparedScale, look: Look): string[] {
  const paint = createPaint(look.colour);
  const { cluster, scaling, masters, replicas } = seen.recorded;
  const same = masters === wanted.masters && replicas === wanted.replicas;
  const to = shapeInWords(wanted);
  const title =
    scaling !== null && same
      ? `Finish the change of ${cluster.name} in namespace ${cluster.namespace} to ${to}`
      : `Scale ${cluster.name} in namespace ${cluster.namespace} from ${shapeInWords(seen.recorded)} to ${to}`;
  const columns = [
    { header: 'SHARD' },
    { header: 'NODES' },
    { header: 'SLOTS', align: 'right' },
    { header: 'THEN', align: 'right' },
    { header: 'KEYS', align: 'right' },
  ] as const;
  const rows = outline.shards.map((shard) => [
    shard.name,
    nodesText(shard),
    String(shard.slotsNow),
    shard.slotsThen === shard.slotsNow
      ? String(shard.slotsThen)
      : ({ text: String(shard.slotsThen), tone: 'strong' } as const),
    String(shard.keys),
  ]);
  const facts = factsOf(outline, outline.spec.storage).flatMap(([label, text]) =>
    factLines(label, text, look.width, paint),
  );
  const notes = remarks.flatMap(({ sentence }) => noteLines(sentence, look.width, paint));
  return [
    paint.tone('strong', title),
    '',
    ...table(columns, rows, { width: look.width, paint }).map((line) => (line === '' ? line : `  ${line}`)),
    '',
    ...facts,
    ...(notes.length === 0 ? [] : ['', ...notes]),
  ];
}

/** `redis-1, +redis-7, -redis-4`. */
function nodesText({ nodes }: OutlineShard): string {
  return nodes.map(({ name, fate }) => (fate === 'stays' ? name : `${fate === 'new' ? '+' : '-'}${name}`)).join(', ');
}

function factsOf(outline: ScaleOutline, storage: string): [string, string][] {
  const nodes = outline.shards.flatMap((shard) => shard.nodes);
  const added = nodes.filter(({ fate }) => fate === 'new');
  const removed = removalInWords(outline);
  const slots = outline.moves.reduce((sum, move) => sum + move.slots, 0);
  const keys = outline.moves.reduce((sum, move) => sum + move.keys, 0);
  const size = outline.moves.reduce((sum, move) => sum + move.bytes, 0);
  const [first] = outline.moves;
  return [
    ...(added.length === 0
      ? []
      : ([['adds', `${namesInWords(added.map(({ name }) => name))}, each with ${storage}`]] as const)),
    ...(removed === null ? [] : ([['removes', `${removed}, once they own nothing and are forgotten`]] as const)),
    ...(outline.handOvers.length === 0
      ? []
      : ([
          ['hands over', `shard ${listed(outline.handOvers)}: its primary goes, so a replica takes its role first`],
        ] as const)),
    ...(first === undefined
      ? ([['moves', 'no slots']] as const)
      : ([
          [
            'moves',
            `${counted(slots, 'slot')} with ${counted(keys, 'key')}, about ${bytes(size)}: ${counted(outline.moves.length, 'pair')}, the first ${rangesBrief(first.ranges, 2)} from shard ${first.from} to ${first.to}`,
          ],
          [
            'takes',
            `about ${age(Math.max(1, estimateSeconds(outline)))} for the slots; pods take as long as they take`,
          ],
        ] as const)),
    ['loses', 'no key; clients are redirected while slots move'],
  ].map(([label = '', text = '']) => [label, text]);
}

/** Sources work side by side: the longest counts. */
export function estimateSeconds({ moves }: Pick<ScaleOutline, 'moves'>): number {
  const bySource = new Map<string, number>();
  for (const { from, ranges, keys } of moves) {
    const seconds = countSlots(ranges) / SLOTS_A_SECOND + keys / KEYS_A_SECOND;
    bySource.set(from, (bySource.get(from) ?? 0) + seconds);
  }
  return Math.ceil(Math.max(0, ...bySource.values()));
}

/** `2 nodes with their volumes (redis-4, redis-5)`; null where none goes. */
export function removalInWords({ shards }: ScaleOutline): string | null {
  const going = shards.flatMap((shard) => shard.nodes.filter(({ fate }) => fate === 'goes'));
  if (going.length === 0) return null;
  const what = going.length === 1 ? '1 node with its volume' : `${going.length} nodes with their volumes`;
  return `${what} (${namesInWords(going.map(({ name }) => name))})`;
}

function namesInWords(names: readonly string[]): string {
  return listed(names, 8);
}

function shapeInWords({ masters, replicas }: { readonly masters: number; readonly replicas: number }): string {
  return `${masters} x ${counted(1 + replicas, 'node')}`;
}

function factLines(label: string, text: string, width: number | null, paint: Paint): string[] {
  const lines = width === null ? [text] : wrap(text, Math.max(20, width - 14));
  return lines.map((line, index) => `  ${paint.tone('dim', (index === 0 ? label : '').padEnd(10))}  ${line}`);
}

function noteLines(sentence: string, width: number | null, paint: Paint): string[] {
  const lines = width === null ? [sentence] : wrap(sentence, Math.max(20, width - 4));
  return lines.map((line, index) => `${index === 0 ? paint.tone('warn', '  ! ') : '    '}${line}`);
}
