/** What `fix` shows: repairs in their order with the reason for it, what is left and what would help, and what it did. Pure. */
import { foldProblems } from '../../pkg/cluster/check/fold.ts';
import type { FixPlan, LeftOver, LeftReason, Repair } from '../../pkg/cluster/plan/fix/fix-plan.ts';
import type { Fixed, FixSight } from '../../pkg/engine/fix.ts';
import { countSlots } from '../../pkg/cluster/model/slots.ts';
import type { ClusterState } from '../../pkg/cluster/model/state.ts';
import type { Look } from '../terminal.ts';
import { counted, fold, grouped, listed } from './format.ts';
import { createPaint, type Paint } from './paint.ts';
import { factLines, indent, noLossFacts, noteLines, unknownFacts } from './plan-lines.ts';
import { table } from './table.ts';

const LEFT_WORDS: Readonly<Record<LeftReason, string>> = {
  'by-itself': 'ends by itself',
  'needs-consent': 'needs consent',
  'by-hand': 'by hand',
  refused: 'refused',
  'after-others': 'after others',
};

/** The whole plan: what would be done, why in this order, what is left. */
export function fixPlanLines({ state, plan }: Pick<FixSight, 'state' | 'plan'>, look: Look): string[] {
  const paint = createPaint(look.colour);
  const { name, namespace } = state.cluster;
  if (plan.repairs.length === 0 && plan.left.length === 0) return [`${name} in namespace ${namespace} needs no repair`];
  const title = `Repair ${name} in namespace ${namespace}: ${counted(plan.repairs.length, 'repair')}, ${counted(plan.left.length, 'problem')} left`;
  return [
    paint.tone('strong', title),
    ...repairLines(plan.repairs, state, look, paint),
    ...leftLines(plan.left, look, paint),
  ];
}

function repairLines(repairs: readonly Repair[], state: ClusterState, look: Look, paint: Paint): string[] {
  if (repairs.length === 0) return [];
  const columns = [
    { header: '#', align: 'right' },
    { header: 'PROBLEM' },
    { header: 'REPAIR' },
    { header: 'NODES' },
    { header: 'SLOTS', align: 'right' },
  ] as const;
  const rows = repairs.map(({ code, title, nodes, slots }, at) => [
    String(at + 1),
    code,
    shortTitle(title),
    listed([...nodes], 3),
    slots.length === 0 ? '-' : grouped(countSlots(slots)),
  ]);
  const losses = repairs.flatMap(({ loses }) => (loses === null ? [] : [loses.sentence]));
  const facts: readonly (readonly [string, string])[] =
    losses.length === 0 ? noLossFacts(state) : [['loses', losses.join('; ')], ...unknownFacts(state)];
  return [
    '',
    ...table(columns, rows, { width: look.width, paint }).map(indent),
    '',
    ...settingLines(repairs, look, paint),
    ...whyLines(repairs, look, paint),
    ...facts.flatMap(([label, text]) => factLines(label, text, look.width, paint)),
  ];
}

/** In a table, where long cells are cut: without what is set on whom, which `settingLines` say. */
function shortTitle(title: string): string {
  return title.split(': ')[0] ?? title;
}

/** Which directive gets which value, instead of which: a limit that goes must not be hidden behind a few words. */
function settingLines(repairs: readonly Repair[], look: Look, paint: Paint): string[] {
  return repairs.flatMap(({ titles }, at) =>
    titles.flatMap((title) => {
      const short = shortTitle(title);
      return short === title ? [] : factLines(`sets ${at + 1}`, title.slice(short.length + 2), look.width, paint);
    }),
  );
}

/** One line for repairs that stand side by side for one reason. */
function whyLines(repairs: readonly Repair[], look: Look, paint: Paint): string[] {
  const groups = new Map<string, number[]>();
  for (const [at, { why }] of repairs.entries()) groups.set(why, [...(groups.get(why) ?? []), at + 1]);
  return [...groups].flatMap(([why, numbers]) => factLines(`why ${numbers.join(', ')}`, why, look.width, paint));
}

/** Each with what would help; `short` leaves out what is only worth knowing. */
export function leftLines(left: readonly LeftOver[], look: Look, paint: Paint = createPaint(look.colour)): string[] {
  if (left.length === 0) return [];
  return [
    '',
    'Left:',
    ...foldLeft(left).flatMap(({ problem, why, hint }) => [
      ...fold(`  ${problem.code} (${LEFT_WORDS[why]}): ${problem.sentence}`, look.width),
      ...noteLines([hint], look.width, paint).map((line) => `  ${line}`),
    ]),
  ];
}

/** Of many that are left for one reason, the hint of the first, as of the problem. */
function foldLeft(left: readonly LeftOver[]): LeftOver[] {
  const groups = new Map<string, LeftOver[]>();
  for (const one of left) {
    const key = `${one.problem.code} ${one.why} ${one.flag ?? ''}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].flatMap((group) =>
    foldProblems(group.map(({ problem }) => problem)).flatMap((problem, at) => {
      const [first, own] = [group[0], group[at]];
      return first === undefined ? [] : [{ ...(own ?? first), problem }];
    }),
  );
}

/** What a person is asked about one repair. */
export function repairQuestion({ code, title, loses }: Repair): string {
  const loss = loses === null ? '' : `, and lose ${loses.sentence}`;
  return `${code}: ${title}${loss}?`;
}

/** The steps of a repair's next batch, at most a few, before a person is asked about it. */
export function repairSteps(repair: Repair, look: Look): string[] {
  const steps = repair.batches[0]?.steps ?? [];
  const shown = steps.slice(0, 4).map(({ kind, reason }) => `  ${kind}: ${reason}`);
  const more = steps.length > shown.length ? [`  and ${steps.length - shown.length} more steps`] : [];
  return [repair.why, ...shown, ...more].flatMap((line) => fold(line, look.width));
}

/** Problems of which somebody should know; notes are none. */
export function worthTelling(plan: FixPlan): readonly LeftOver[] {
  return plan.left.filter(({ problem }) => problem.severity !== 'info');
}

/** The last line of a run, for stdout. */
export function fixedInWords({ repaired, skipped, last }: Fixed, seconds: string): string {
  const { name } = last.state.cluster;
  const did = repaired.length === 0 ? 'nothing was repaired' : `repaired ${listed([...repaired], 8)}`;
  const passed = skipped.length === 0 ? '' : `, skipped ${listed([...skipped], 8)}`;
  const rest = worthTelling(last.plan).length;
  const still = rest === 0 ? 'no problem is left' : `${counted(rest, 'problem')} left`;
  return `${name}: ${did}${passed}; ${still} (${seconds} s)`;
}
