/** A majority of the primaries must be up, or no replica can be elected; and nodes that refuse to serve for no seen reason. */
import type { Check } from './context.ts';
import { listNames, makeProblem } from './wording.ts';

export const checkQuorum: Check = ({ state, evidence: { majority, nameOf } }) => {
  if (majority.is !== 'gone') return [];
  const names = majority.down.map(nameOf);
  const sentence = `${names.length} of ${majority.owners.length} primaries are down (${listNames(names)}): no majority is left to elect replicas.`;
  return [makeProblem('no-quorum', state.cluster.name, { sentence, nodes: names })];
};

/** Only where nothing critical explains it. */
export const checkClusterState: Check = (context, found) => {
  if (found.some((problem) => problem.severity === 'critical')) return [];
  const failing = context.answered
    .filter(
      ({ nodeId, answer }) =>
        answer.clusterInfo.state === 'fail' && !context.isFresh(nodeId) && !context.groups.outside.has(nodeId),
    )
    .map((one) => one.pod);
  if (failing.length === 0) return [];
  const sentence = `${listNames(failing)} ${failing.length === 1 ? 'says' : 'say'} cluster_state:fail and refuse${failing.length === 1 ? 's' : ''} to serve.`;
  return [makeProblem('cluster-state-fail', context.state.cluster.name, { sentence, nodes: failing })];
};

/** Nodes that started a moment ago and are not there yet; other checks leave them alone. */
export const checkFreshNodes: Check = (context) => {
  const starting = context.answered.filter(
    ({ nodeId, answer }) =>
      context.isFresh(nodeId) &&
      (answer.clusterInfo.state === 'fail' || answer.info.primaryLinkUp === false) &&
      !context.groups.outside.has(nodeId),
  );
  return starting.map(({ pod, answer }) =>
    makeProblem('node-starting', context.state.cluster.name, {
      sentence: `${pod} started ${answer.info.uptimeSeconds} s ago and is not connected yet.`,
      nodes: [pod],
    }),
  );
};
