/** Operations that stopped before their end. */
import type { Check } from './context.ts';
import { makeProblem } from './wording.ts';

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
