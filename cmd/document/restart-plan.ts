/** What `restart --dry-run -o json` prints. */
import { unknownNodes } from '../../pkg/cluster/evidence/unknown.ts';
import type { PreparedRestart } from '../../pkg/engine/restart.ts';
import { API_VERSION, lossEntry } from './document.ts';

export function restartPlanOf({
  cluster,
  seen,
  target,
  plan,
  shards,
  slotsAway,
  loss,
  remarks,
}: PreparedRestart): object {
  return {
    apiVersion: API_VERSION,
    kind: 'RestartPlan',
    metadata: { name: cluster.name, namespace: cluster.namespace },
    outcome: plan.kind,
    unknown: unknownNodes(seen.state),
    continues: target?.continues ?? false,
    requestedAt: target?.goal.at ?? null,
    image: { from: seen.recorded?.image ?? null, to: target?.spec?.image ?? seen.recorded?.image ?? null },
    liveConfig: target?.live ?? {},
    shards,
    slotsAway,
    loss: lossEntry(loss),
    batches: plan.kind === 'batches' ? plan.batches : [],
    remarks,
  };
}
