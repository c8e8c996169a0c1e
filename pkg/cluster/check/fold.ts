/** Many problems of one code, told as one: for people only, because a planner that is given this loses all but the first. */
import type { Problem, Severity } from '../model/problem.ts';
import { normalizeRanges } from '../model/slots.ts';
import { count, listNames } from './wording.ts';

/** More problems of one code than this are told as one. */
const MOST_OF_ONE_CODE = 5;

/** A fault of 100 nodes once, with all their names in `nodes`; the order stays. */
export function foldProblems(problems: readonly Problem[]): readonly Problem[] {
  const byCode = new Map<string, Problem[]>();
  for (const problem of problems) {
    const list = byCode.get(problem.code);
    if (list === undefined) byCode.set(problem.code, [problem]);
    else list.push(problem);
  }
  return [...byCode.values()].flatMap((some) => {
    const [first, ...rest] = some;
    if (first === undefined || some.length <= MOST_OF_ONE_CODE) return some;
    const nodes = [...new Set(some.flatMap((problem) => problem.nodes))];
    const others = listNames([...new Set(rest.flatMap((problem) => problem.nodes.slice(0, 1)))]);
    const sentence = `${first.sentence} The same goes for ${count(rest.length, 'other')}: ${others}.`;
    return [{ ...first, sentence, nodes, slots: normalizeRanges(some.flatMap((problem) => problem.slots)) }];
  });
}

export function countBySeverity(problems: readonly Problem[]): Record<Severity, number> {
  const counts = { critical: 0, warning: 0, info: 0 };
  for (const { severity } of problems) counts[severity]++;
  return counts;
}

/** `1 critical, 2 warnings, 3 notes`: how every view counts, so that all say the same. Empty without problems. */
export function countsInWords(problems: readonly Problem[]): string {
  const { critical, warning, info } = countBySeverity(problems);
  return [
    ...(critical === 0 ? [] : [`${critical} critical`]),
    ...(warning === 0 ? [] : [count(warning, 'warning')]),
    ...(info === 0 ? [] : [count(info, 'note')]),
  ].join(', ');
}
