/** Data outlives the pod (I15). */
import { recordOf } from '../model/record.ts';
import type { Check, CheckContext } from './context.ts';
import { count, listNames, makeProblem } from './wording.ts';

export const checkVolumes: Check = ({ state }) => {
  const names = state.nodes.flatMap((node) => (node.pod?.ephemeralData === true ? [node.pod.name] : []));
  if (names.length === 0) return [];
  const sentence = `${count(names.length, 'pod')} ${names.length === 1 ? 'keeps its' : 'keep their'} data on a volume that vanishes with the pod: ${listNames(names)}.`;
  return [makeProblem('ephemeral-data', state.cluster.name, { sentence, nodes: names })];
};

/** A server writes one kind of file, and its next start is configured to read the other. */
export const checkNextStart: Check = (context) => {
  const { state, answered } = context;
  const log = recordedLog(context);
  const names = answered.filter(({ answer }) => log !== null && answer.info.aofEnabled !== log).map((one) => one.pod);
  if (names.length === 0) return [];
  const [runs, recorded] = log === true ? ['no', 'yes'] : ['yes', 'no'];
  const verb = names.length === 1 ? 'runs' : 'run';
  const sentence = `${listNames(names)} ${verb} with appendonly ${runs}, and appendonly ${recorded} is recorded for the next start.`;
  return [makeProblem('persistence-differs', state.cluster.name, { sentence, nodes: names })];
};

/** Whether the next start reads an append-only file, as recorded; null = nothing is. */
function recordedLog({ state, observation: { kube } }: CheckContext): boolean | null {
  const { spec } = recordOf(kube, state.cluster);
  return spec === null ? null : (spec.config['appendonly'] ?? 'yes') !== 'no';
}

export const checkAppendOnly: Check = (context) => {
  const { state, answered } = context;
  // (Where it is to be on, that is said above.)
  if (recordedLog(context) === true) return [];
  const names = answered.filter(({ answer }) => !answer.info.aofEnabled).map((one) => one.pod);
  // Some on and some off is `config-differs`, where we may read the configuration; here it is what can be lost.
  if (names.length === 0) return [];
  const sentence = `The append-only file is off on ${listNames(names)}.`;
  return [makeProblem('append-only-off', state.cluster.name, { sentence, nodes: names })];
};
