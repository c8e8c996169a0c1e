/** Operations that stopped before their end. */
import type { Problem } from '../model/problem.ts';
import { scaleCommand, unfinishedShape } from '../model/scale-command.ts';
import type { ClusterState } from '../model/state.ts';
import type { Check } from './context.ts';
import { makeProblem } from './wording.ts';

/** Whether somebody has the lease and was heard of. The clocks of two machines are compared here, for words alone. */
export function isRunning({ operation, observedAt }: Pick<ClusterState, 'operation' | 'observedAt'>): boolean {
  if (operation === null) return false;
  return !(Date.parse(observedAt) > Date.parse(operation.renewedAt) + operation.durationSeconds * 1000);
}

/** Verbs that move slots, and what is seen of a slot that is under way: one node was asked before it moved, and another behind it. */
const MOVES: ReadonlySet<string> = new Set(['scale', 'rebalance', 'fix']);
const SEEN_IN_MOVES: ReadonlySet<string> = new Set([
  'stray-keys',
  'slots-contested',
  'slots-unclaimed',
  'slots-open',
  'slots-half-open',
]);

/** By hand nobody is to touch slots that a command is moving. */
export function whileSlotsMove(state: ClusterState, problems: readonly Problem[]): Problem[] {
  const { operation } = state;
  if (operation === null || !MOVES.has(operation.verb) || !isRunning(state)) return [...problems];
  const repair = `Nothing by hand: ${operation.verb} by ${operation.holder} is running, and may be moving them. Look again when it has ended; kubectl redis status says how far it is.`;
  return problems.map((one) => (SEEN_IN_MOVES.has(one.code) ? { ...one, repair } : one));
}

export const checkOperation: Check = ({ state, observation }) => {
  const { operation, cluster } = state;
  if (operation === null) return [];
  // (A time of the future is that of somebody who runs.)
  if (isRunning(state)) return [];
  const sentence = `${operation.verb} by ${operation.holder} began at ${operation.acquiredAt} and was last heard of at ${operation.renewedAt}.`;
  const begun = operation.verb === 'scale' ? unfinishedShape(state, observation.kube) : null;
  const command =
    begun === null
      ? `kubectl redis ${operation.verb} ${cluster.name}, with the same flags,`
      : scaleCommand(cluster.name, begun);
  const repair = `${command} goes on where it stopped.`;
  return [makeProblem('operation-lapsed', cluster.name, { sentence, repair })];
};
