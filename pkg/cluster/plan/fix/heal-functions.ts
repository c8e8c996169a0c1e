/** Libraries of functions that some primaries lack. No data moves here. */
import { libraryFaults } from '../../check/functions.ts';
import type { Step } from '../../model/plan.ts';
import { left, repair, type Healer } from './fix-context.ts';

/** What is missing is copied; of two versions nobody can tell which one is meant. */
export const healFunctions: Healer = (context, problems) => {
  const faults = libraryFaults(context.check);
  const memberAt = (pod: string) => context.members.find(({ step }) => step.pod === pod);
  return problems.map((problem) => {
    const fault = faults.find(({ name }) => name === problem.subject);
    const source = memberAt(fault?.groups[0]?.[0] ?? '');
    if (fault === undefined || fault.groups.length !== 1 || source === undefined)
      return left(problem, 'by-hand', 'FUNCTION LOAD REPLACE the one that is right on each primary');
    const steps = fault.lacking.flatMap((pod): Step[] => {
      const member = memberAt(pod);
      return member === undefined
        ? []
        : [
            {
              kind: 'load-functions',
              node: member.step,
              source: source.step,
              libraries: [fault.name],
              reason: `${source.step.pod} has ${fault.name}`,
            },
          ];
    });
    return repair([problem], `load function library ${fault.name} where it is missing`, steps);
  });
};
