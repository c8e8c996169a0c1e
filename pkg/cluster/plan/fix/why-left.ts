/** Why a problem without a healer is left, where that hangs on another one. */
import type { Problem } from '../../model/problem.ts';
import type { FixContext } from './fix-context.ts';
import type { LeftReason } from './fix-plan.ts';

/** A pod that waits for another one on its volume waits for a person: that other one does not end by itself. */
export function whyLeft({ problems }: FixContext, { code, nodes }: Problem, usual: LeftReason): LeftReason {
  if (code !== 'guard-waiting') return usual;
  const shared = new Set(problems.flatMap((one) => (one.code === 'claim-shared' ? one.nodes : [])));
  return nodes.some((pod) => shared.has(pod)) ? 'by-hand' : usual;
}
