/** Problems as people read them, in `check` and at the end of `status`. Pure. */
import type { Problem } from '../../pkg/cluster/model/problem.ts';
import type { ClusterState } from '../../pkg/cluster/model/state.ts';
import type { Look } from '../terminal.ts';
import { countBySeverity, countsInWords, foldProblems } from '../../pkg/cluster/check/fold.ts';
import { counted, fold, oneLine } from './format.ts';
import { createPaint, toneOfSeverity } from './paint.ts';
import type { Paint } from './paint.ts';
import { summarizeSlots } from './slot-summary.ts';

/** Sentences are easier to read when they are not as wide as a large terminal. */
const MAX_WIDTH = 110;
const LABEL = 10;

/** Lines of all problems: severity and code, the sentence, what would fix it. */
export function problemLines(problems: readonly Problem[], width: number | null, paint: Paint): string[] {
  const full = width === null ? null : Math.min(width, MAX_WIDTH);
  return foldProblems(problems).flatMap((problem, at) => {
    const tone = toneOfSeverity(problem.severity);
    const head = `${problem.severity.padEnd(LABEL)}${problem.code}`;
    return [
      ...(at === 0 ? [] : ['']),
      ...fold(head, full).map((line) => paint.tone(tone, line)),
      ...indented(oneLine(problem.sentence), LABEL, full),
      ...indented(`fix: ${oneLine(problem.repair)}`, LABEL, full).map((line) => paint.tone('dim', line)),
    ];
  });
}

/** Indented where there is room for it. */
function indented(text: string, indent: number, width: number | null): string[] {
  const shift = width !== null && width - indent < 20 ? 0 : indent;
  return fold(text, width === null ? null : width - shift).map((line) => ' '.repeat(shift) + line);
}

/** The whole output of `check`. */
export function renderCheck(state: ClusterState, problems: readonly Problem[], look: Look): string {
  const paint = createPaint(look.colour);
  const size = `(${counted(state.nodes.length, 'node')}, ${counted(summarizeSlots(state).shards, 'shard')})`;
  const { critical, warning, info } = countBySeverity(problems);
  if (critical + warning === 0) {
    const none = fold(`No problems found in ${state.cluster.name} ${size}.`, look.width);
    const notes = info === 0 ? [] : ['', ...problemLines(problems, look.width, paint)];
    return `${[...none.map((line) => paint.tone('good', line)), ...notes].join('\n')}\n`;
  }
  const foot = fold(
    `${countsInWords(problems)} in ${state.cluster.name} ${size}. More about a code: kubectl redis explain CODE`,
    look.width,
  );
  const lines = [...problemLines(problems, look.width, paint), '', ...foot.map((line) => paint.tone('strong', line))];
  return `${lines.join('\n')}\n`;
}
