/** Operations that stopped before their end. */
import { scaleCommand, unfinishedShape } from '../model/scale-command.ts';
import type { Check } from './context.ts';
import { makeProblem } from './wording.ts';

export const checkOperation: Check = ({ state, observation }) => {
  const { operation, cluster } = state;
  if (operation === null) return [];
  // The clocks of two machines are compared here, for words alone: a time of the future is that of somebody who runs.
  const lapsedMs = Date.parse(state.observedAt) - Date.parse(operation.renewedAt) - operation.durationSeconds * 1000;
  if (!(lapsedMs > 0)) return [];
  const sentence = `${operation.verb} by ${operation.holder} began at ${operation.acquiredAt} and was last heard of at ${operation.renewedAt}.`;
  const begun = operation.verb === 'scale' ? unfinishedShape(state, observation.kube) : null;
  const command =
    begun === null
      ? `kubectl redis ${operation.verb} ${cluster.name}, with the same flags,`
      : scaleCommand(cluster.name, begun);
  const repair = `${command} goes on where it stopped.`;
  return [makeProblem('operation-lapsed', cluster.name, { sentence, repair })];
};
