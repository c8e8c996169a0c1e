/** Nodes that wait before they start. */
import { left, type Healer } from './fix-context.ts';

/** `guard-waiting` ends by itself, but for a pod that waits for another one on its volume: that does not end. */
export const healWaiting: Healer = ({ problems: all }, problems) => {
  const shared = new Set(all.flatMap(({ code, nodes }) => (code === 'claim-shared' ? nodes : [])));
  return problems.map((problem) =>
    left(problem, problem.nodes.some((pod) => shared.has(pod)) ? 'by-hand' : 'by-itself', problem.repair),
  );
};
