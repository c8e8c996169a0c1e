/** What `scale` shows before it does anything: what comes, what goes, what moves, what it costs. Pure. */
import type { OutlineMove, OutlineShard, ScaleOutline } from '../../pkg/cluster/plan/scale-outline.ts';
import type { PreparedScale } from '../../pkg/engine/scale.ts';
import type { ClusterState } from '../../pkg/cluster/model/state.ts';
import type { MoveLimits } from '../../pkg/engine/ports.ts';
import { compareNatural } from '../../pkg/cluster/natural-order.ts';
import { counted, listed, rangesBrief } from './format.ts';
import { costInWords, timeInWords } from './move-cost.ts';
import { pausesInWords } from './move-pauses.ts';
import { createPaint } from './paint.ts';
import { evictingFacts, factLines, indent, noLossFacts, noteLines } from './plan-lines.ts';
import { table } from './table.ts';
import type { Look } from '../terminal.ts';

/** Lines, without colour codes where the look has none. */
export function scalePlanLines(
  { seen, wanted, outline, remarks }: PreparedScale,
  limits: MoveLimits,
  look: Look,
): string[] {
  const paint = createPaint(look.colour);
  const { cluster, scaling, masters, replicas } = seen.recorded;
  const same = masters === wanted.masters && replicas === wanted.replicas;
  const to = shapeInWords(wanted);
  const where = `${cluster.name} in namespace ${cluster.namespace}`;
  const again = scaling === null ? `Bring ${where} back to` : `Finish the change of ${where} to`;
  const title = `${same ? again : `Scale ${where} from ${shapeInWords(seen.recorded)} to`} ${to}`;
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
  const pauses = pausesInWords(seen.state, limits);
  const facts = factsOf(outline, seen.state, pauses).flatMap(([label, text]) =>
    factLines(label, text, look.width, paint),
  );
  const notes = noteLines(
    remarks.map(({ sentence }) => sentence),
    look.width,
    paint,
  );
  return [
    paint.tone('strong', title),
    '',
    ...table(columns, rows, { width: look.width, paint }).map(indent),
    '',
    ...facts,
    ...(notes.length === 0 ? [] : ['', ...notes]),
  ];
}

/** `redis-1, +redis-7, -redis-4`. */
function nodesText({ nodes }: OutlineShard): string {
  return nodes.map(({ name, fate }) => (fate === 'stays' ? name : `${fate === 'new' ? '+' : '-'}${name}`)).join(', ');
}

function factsOf(outline: ScaleOutline, state: ClusterState, pauses: string): [string, string][] {
  const nodes = outline.shards.flatMap((shard) => shard.nodes);
  const added = nodes.filter(({ fate }) => fate === 'new');
  const removed = removalInWords(outline);
  const [first] = outline.moves;
  return [
    ...(added.length === 0
      ? []
      : ([['adds', `${namesInWords(added.map(({ name }) => name))}, each with ${outline.spec.storage}`]] as const)),
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
            `${costInWords(outline.moves)}: ${counted(outline.moves.length, 'pair')}, the first ${rangesBrief(first.ranges, 2)} ${fromTo(first)}`,
          ],
          ['takes', `${timeInWords(outline.moves)}; pods take as long as they take`],
          ['pauses', pauses],
          ...evictingFacts(state),
        ] as const)),
    ...noLossFacts(state, '; clients are redirected while slots move'),
  ].map(([label = '', text = '']) => [label, text]);
}

function fromTo({ from, to, pods }: OutlineMove): string {
  return pods === undefined ? `from shard ${from} to ${to}` : `from ${pods.from} to ${pods.to}, both of shard ${to}`;
}

/** `2 nodes with their volumes (redis-4, redis-5)`; null where none goes. */
export function removalInWords({ shards }: ScaleOutline): string | null {
  const going = shards.flatMap((shard) => shard.nodes.filter(({ fate }) => fate === 'goes'));
  if (going.length === 0) return null;
  const what = going.length === 1 ? '1 node with its volume' : `${going.length} nodes with their volumes`;
  return `${what} (${namesInWords(going.map(({ name }) => name))})`;
}

function namesInWords(names: readonly string[]): string {
  return listed(names.toSorted(compareNatural), 8);
}

function shapeInWords({ masters, replicas }: { readonly masters: number; readonly replicas: number }): string {
  return `${masters} x ${counted(1 + replicas, 'node')}`;
}
