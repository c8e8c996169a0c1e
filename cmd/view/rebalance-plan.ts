/** What `rebalance` shows before it does anything. Pure. */
import { countSlots } from '../../pkg/cluster/model/slots.ts';
import type { BalanceRow } from '../../pkg/cluster/plan/rebalance.ts';
import type { MoveLimits } from '../../pkg/engine/ports.ts';
import type { PreparedRebalance } from '../../pkg/engine/rebalance.ts';
import type { Look } from '../terminal.ts';
import { bytes, counted, grouped, rangesBrief } from './format.ts';
import { costInWords, timeInWords } from './move-cost.ts';
import { pausesInWords } from './move-pauses.ts';
import { createPaint } from './paint.ts';
import { evictingFacts, factLines, indent, noLossFacts } from './plan-lines.ts';
import { table } from './table.ts';

export function rebalancePlanLines(
  { cluster, state, input, balance, moves, plan }: PreparedRebalance,
  limits: MoveLimits,
  look: Look,
): string[] {
  const paint = createPaint(look.colour);
  const { by } = input;
  const amount = (value: number): string => (by === 'memory' ? bytes(value) : grouped(Math.round(value)));
  const nameOf = (id: string): string => state.nodes.find(({ nodeId }) => nodeId === id)?.pod?.name ?? id.slice(0, 8);
  const columns = [
    { header: 'PRIMARY' },
    { header: 'WEIGHT', align: 'right' },
    { header: 'SLOTS', align: 'right' },
    ...(by === 'slots' ? [] : [{ header: by.toUpperCase(), align: 'right' } as const]),
    { header: 'SHARE', align: 'right' },
    { header: 'GIVES', align: 'right' },
    { header: 'GETS', align: 'right' },
  ] as const;
  const slotsOf = (end: 'from' | 'to', id: string | null): string =>
    grouped(moves.filter((move) => move[end] === id).reduce((sum, { slots }) => sum + slots, 0));
  const rows = balance.rows.map(({ node, weight, slots, has, share }: BalanceRow) => [
    nameOf(node.nodeId ?? ''),
    String(weight),
    grouped(slots),
    ...(by === 'slots' ? [] : [amount(has)]),
    amount(share),
    slotsOf('from', node.nodeId),
    slotsOf('to', node.nodeId),
  ]);
  const [first] = moves;
  const open = plan.kind === 'batches' && plan.batches[0]?.title === 'finish what was open';
  const facts: [string, string][] = [
    [
      'off',
      `the farthest is ${balance.worstPercent.toFixed(1)} % from its share; ${input.thresholdPercent} % would be near enough`,
    ],
    first === undefined
      ? ['moves', 'no slots']
      : [
          'moves',
          `${costInWords(moves)}: ${counted(moves.length, 'pair')}, the first ${rangesBrief(first.ranges, 2)} (${countSlots(first.ranges)}) from ${nameOf(first.from)} to ${nameOf(first.to)}`,
        ],
    ...(first === undefined
      ? []
      : ([['takes', timeInWords(moves)], ['pauses', pausesInWords(state, limits)], ...evictingFacts(state)] as [
          string,
          string,
        ][])),
    ...(open
      ? ([['first', 'slots that an interrupted move left open, with the pair that has them open']] as [
          string,
          string,
        ][])
      : []),
    ...noLossFacts(state, '; clients are redirected while slots move'),
  ];
  return [
    paint.tone('strong', `Rebalance ${cluster.name} in namespace ${cluster.namespace} by ${by}`),
    '',
    ...table(columns, rows, { width: look.width, paint }).map(indent),
    '',
    ...facts.flatMap(([label, text]) => factLines(label, text, look.width, paint)),
  ];
}
