/** Why a problem without a healer is left, where that hangs on others. */
import type { Problem } from '../../model/problem.ts';
import { left, type Cure, type FixContext } from './fix-context.ts';
import type { LeftReason } from './fix-plan.ts';

/** Problems that nodes end among themselves: not while one of them is silent. */
const BETWEEN_NODES: ReadonlySet<string> = new Set(['epoch-collision']);

export function leftAs(context: FixContext, problem: Problem, usual: LeftReason): Cure {
  const { state, check, problems } = context;
  const { code, nodes } = problem;
  const silent = state.nodes.find(
    (node) => node.reply?.kind !== 'answered' && BETWEEN_NODES.has(code) && nodes.includes(check.nameOf(node)),
  );
  if (silent !== undefined)
    return left(problem, 'after-others', `${check.nameOf(silent)} does not answer: it ends when all of them do`);
  // A pod that waits for another one on its volume waits for a person: that other one does not end by itself.
  const shared = new Set(problems.flatMap((one) => (one.code === 'claim-shared' ? one.nodes : [])));
  const byHand = code === 'guard-waiting' && nodes.some((pod) => shared.has(pod));
  return left(problem, byHand ? 'by-hand' : usual, problem.repair);
}
