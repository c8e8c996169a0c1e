/** Nodes that did not count their keys in time: whether they hold keys in slots of others is not known then. */
import type { Check } from './context.ts';
import { makeProblem } from './wording.ts';

export const checkCounted: Check = ({ state, answered }) =>
  answered.flatMap(({ pod, answer }) => {
    if (answer.notCounted === undefined) return [];
    const sentence = `${pod} did not count the keys of its slots (${answer.notCounted}): whether it holds keys of slots that it does not own is not known.`;
    return [makeProblem('keys-not-counted', state.cluster.name, { sentence, nodes: [pod] })];
  });
