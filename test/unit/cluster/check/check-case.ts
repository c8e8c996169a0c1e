import type { Observation } from '../../../../pkg/cluster/model/observation.ts';
import { FIXABLE, isCode } from '../../../../pkg/cluster/check/codes.ts';
import type { Problem, Severity } from '../../../../pkg/cluster/model/problem.ts';

/**
 * A fault, and all that check must say of it: nothing more, nothing less. The name starts with the code that it is about.
 */
export type CheckCase = readonly [name: string, observation: Observation, problems: readonly Problem[]];

/** How every repair begins that `fix` can do, too. */
const BY_FIX = 'kubectl redis fix redis. By hand: ';

/** A whole Problem on few lines; `repair` as it is by hand: `critical slots-open`, names with blanks between them, slots as `5-6,9`. */
export function says(
  kind: `${Severity} ${string}`,
  sentence: string,
  repair: string,
  nodes = '',
  slots = '',
  subject: string | null = null,
): Problem {
  const [severity, code] = kind.split(' ') as [Severity, string];
  const ranges = slots.split(',').filter((text) => text !== '');
  return {
    code,
    subject,
    severity,
    sentence,
    nodes: nodes.split(' ').filter((name) => name !== ''),
    slots: ranges.map((text) => {
      const [start = 0, end = start] = text.split('-').map(Number);
      return { start, end };
    }),
    repair: isCode(code) && FIXABLE.has(code) ? `${BY_FIX}${repair}` : repair,
  };
}
