/** Data outlives the pod (I15). */
import type { Check } from './context.ts';
import { count, listNames, makeProblem } from './wording.ts';

export const checkVolumes: Check = ({ state }) => {
  const names = state.nodes.flatMap((node) => (node.pod?.ephemeralData === true ? [node.pod.name] : []));
  if (names.length === 0) return [];
  const sentence = `${count(names.length, 'pod')} ${names.length === 1 ? 'keeps its' : 'keep their'} data on a volume that vanishes with the pod: ${listNames(names)}.`;
  return [makeProblem('ephemeral-data', state.cluster.name, { sentence, nodes: names })];
};

export const checkAppendOnly: Check = ({ state, answered }) => {
  const names = answered.filter(({ answer }) => !answer.info.aofEnabled).map((one) => one.pod);
  // Some on and some off is `config-differs`, where we may read the configuration; here it is what can be lost.
  if (names.length === 0) return [];
  const sentence = `The append-only file is off on ${listNames(names)}.`;
  return [makeProblem('append-only-off', state.cluster.name, { sentence, nodes: names })];
};
