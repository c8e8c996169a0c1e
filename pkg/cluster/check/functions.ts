/** All primaries have the same libraries of functions (I12): FCALL goes to whoever owns its keys. */
import type { Check, CheckContext } from './context.ts';
import { listNames, makeProblem } from './wording.ts';

/** One library, and the pods of primaries that own slots. */
export interface LibraryFault {
  readonly name: string;
  readonly lacking: readonly string[];
  /** Pods by the code that they have, the largest group first. More than one group: nobody knows which is right. */
  readonly groups: readonly (readonly string[])[];
}

export function libraryFaults({ answered }: Pick<CheckContext, 'answered'>): readonly LibraryFault[] {
  const owners = answered.flatMap(({ node, pod, answer: { libraries } }) =>
    node.role === 'primary' && node.slots.length > 0 && libraries !== undefined ? [{ pod, libraries }] : [],
  );
  const names = new Set(owners.flatMap(({ libraries }) => Object.keys(libraries)));
  return [...names].sort().flatMap((name) => {
    const lacking = owners.filter(({ libraries }) => libraries[name] === undefined).map(({ pod }) => pod);
    const byCode = new Map<string, string[]>();
    for (const { pod, libraries } of owners) {
      const code = libraries[name];
      if (code !== undefined) byCode.set(code, [...(byCode.get(code) ?? []), pod]);
    }
    const groups = [...byCode.values()].sort((a, b) => b.length - a.length);
    return lacking.length === 0 && groups.length === 1 ? [] : [{ name, lacking, groups }];
  });
}

export const checkFunctions: Check = (context) =>
  libraryFaults(context).map((fault) => {
    const { name, lacking, groups } = fault;
    const [most = []] = groups;
    const sentence =
      groups.length > 1
        ? `Function library ${name} has different code: ${groups.map((pods) => `one on ${listNames(pods)}`).join(', another ')}${lacking.length === 0 ? '' : `; none on ${listNames(lacking)}`}.`
        : `Function library ${name} is missing on ${listNames(lacking)}; ${listNames(most)} ${most.length === 1 ? 'has' : 'have'} it.`;
    return makeProblem('functions-differ', context.state.cluster.name, {
      subject: name,
      sentence,
      nodes: groups.length > 1 ? [...groups.slice(1).flat(), ...lacking] : lacking,
    });
  });
