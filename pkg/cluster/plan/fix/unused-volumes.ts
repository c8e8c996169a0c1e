/** Slots whose keys may be on a volume that no pod uses: they are given to others only where a person said that they may be lost. */
import { lossOfGiving, wayBackOfVolumes } from '../../evidence/leftovers.ts';
import { isAgreed, lossFlag } from '../../model/loss.ts';
import type { Problem } from '../../model/problem.ts';
import type { SlotRanges } from '../../model/slots.ts';
import { left, type Cure, type FixContext } from './fix-context.ts';

/** null = nothing is on such a volume, or it was agreed to. */
export function withoutVolumes({ state, policy }: FixContext, problem: Problem, slots: SlotRanges): Cure | null {
  const loss = lossOfGiving(state, slots);
  if (loss === null || isAgreed(loss, policy.acceptDataLoss)) return null;
  const flag = lossFlag(slots);
  const hint = `${wayBackOfVolumes(state)}. Else ${flag} gives the slots to nodes that are there, which would lose ${loss.sentence}`;
  return left(problem, 'needs-consent', hint, flag);
}
