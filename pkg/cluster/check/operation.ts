/** Operations that stopped before their end, and clusters that were never formed. */
import type { Check } from './context.ts';
import { SLOT_COUNT, countSlots } from '../model/slots.ts';
import { isForming } from './forming.ts';
import { count, makeProblem } from './wording.ts';

export const checkOperation: Check = ({ state }) => {
  const { operation, cluster } = state;
  if (operation === null) return [];
  // The clocks of two machines are compared here, for words alone: a time of the future is that of somebody who runs.
  const lapsedMs = Date.parse(state.observedAt) - Date.parse(operation.renewedAt) - operation.durationSeconds * 1000;
  if (!(lapsedMs > 0)) return [];
  const sentence = `${operation.verb} by ${operation.holder} began at ${operation.acquiredAt} and was last heard of at ${operation.renewedAt}.`;
  const repair = `kubectl redis ${operation.verb} ${cluster.name}, with the same flags, goes on where it stopped.`;
  return [makeProblem('operation-lapsed', cluster.name, { sentence, repair })];
};

export const checkFormed: Check = ({ state, answered, missing, kubectl }) => {
  const { name } = state.cluster;
  const forming = isForming(state);
  if ((state.formed && !forming) || (state.origin === 'foreign' && answered.length === 0)) return [];
  if (!forming) {
    const sentence = `ConfigMap ${name}-config does not say that the cluster was formed, although it is: an empty node would start without waiting.`;
    const repair = kubectl(`patch configmap ${name}-config --type merge -p '{"data":{"formed":"true"}}'`);
    return [makeProblem('formed-mark-missing', name, { sentence, repair })];
  }
  const total = state.nodes.filter((node) => node.pod !== null).length + missing.length;
  const sentence = `${name} was never joined to a cluster: ${answered.length} of ${count(total, 'node')} ${total === 1 ? 'answers' : 'answer'}, ${SLOT_COUNT - countSlots(state.uncovered)} of ${SLOT_COUNT} slots are assigned.`;
  const nodes = answered.map((one) => one.pod);
  if (state.origin === 'ours') return [makeProblem('not-formed', name, { sentence, nodes })];
  const first = nodes[0] ?? name;
  const repair = `Form it with redis-cli --cluster create and the addresses of the pods, for example from inside ${first}.`;
  return [makeProblem('not-formed', name, { sentence, nodes, repair })];
};
