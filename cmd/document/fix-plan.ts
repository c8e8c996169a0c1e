/** What `fix --dry-run -o json` prints. */
import { unknownNodes } from '../../pkg/cluster/evidence/unknown.ts';
import type { FixSight } from '../../pkg/engine/fix.ts';
import { API_VERSION, lossEntry, metadataOf, rangesOf } from './document.ts';
import { problemEntry } from './problems.ts';

export function fixPlanOf({ state, plan }: Pick<FixSight, 'state' | 'plan'>): object {
  return {
    apiVersion: API_VERSION,
    kind: 'FixPlan',
    metadata: metadataOf(state),
    outcome: plan.repairs.length > 0 ? 'repairs' : plan.left.length > 0 ? 'left' : 'nothing',
    repairs: plan.repairs.map(({ code, severity, title, why, nodes, slots, batches, loses }) => ({
      code,
      severity,
      title,
      why,
      nodes,
      slots: rangesOf(slots),
      batches,
      loses: lossEntry(loses),
    })),
    unknown: unknownNodes(state),
    left: plan.left.map(({ problem, why, flag, hint }) => ({ problem: problemEntry(problem), why, flag, hint })),
  };
}
