/** What `delete --dry-run -o json` prints. */
import { keptObjects, type OwnedObject } from '../../pkg/cluster/plan/delete.ts';
import type { PreparedDelete } from '../../pkg/engine/delete.ts';
import { API_VERSION, lossEntry } from './document.ts';

export function deletePlanOf(prepared: PreparedDelete): object {
  const { cluster, purge, inventory, plan, keys, loss } = prepared;
  const kept = keptObjects(inventory.owned, purge);
  return {
    apiVersion: API_VERSION,
    kind: 'DeletePlan',
    metadata: { name: cluster.name, namespace: cluster.namespace },
    purgeData: purge,
    /** null = some primary was not heard, so there may be more than `keysCounted`. */
    keys: keys.complete ? keys.counted : null,
    keysCounted: keys.counted,
    /** Keys that are on no volume; null with purgeData: there all are lost. */
    loss: lossEntry(loss),
    outcome: plan.kind,
    batches: plan.kind === 'batches' ? plan.batches : [],
    removes: inventory.owned.filter((object) => !kept.includes(object)).map(nameOf),
    keeps: kept.map(nameOf),
    notRead: inventory.gaps,
  };
}

function nameOf({ kind, name }: OwnedObject): { kind: string; name: string } {
  return { kind, name };
}
