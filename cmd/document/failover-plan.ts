/** What `failover --dry-run -o json` prints. */
import { unknownNodes } from '../../pkg/cluster/evidence/unknown.ts';
import type { PreparedFailover } from '../../pkg/engine/failover.ts';
import { API_VERSION, lossEntry, rangesOf, referTo } from './document.ts';

export function failoverPlanOf({ cluster, state, goal, leads, plan, loss }: PreparedFailover): object {
  const refer = referTo(state);
  const primary = state.nodes.find((node) => node.nodeId === goal?.primary.nodeId);
  const replica = state.nodes.find((node) => node.nodeId === goal?.node.nodeId);
  return {
    apiVersion: API_VERSION,
    kind: 'FailoverPlan',
    metadata: { name: cluster.name, namespace: cluster.namespace },
    outcome: plan.kind,
    unknown: unknownNodes(state),
    how: goal?.how ?? null,
    from: goal === null ? null : refer(goal.primary.nodeId),
    to: refer(goal?.node.nodeId ?? leads?.nodeId ?? ''),
    slots: rangesOf(primary?.slots ?? []),
    bytesBehind: replica?.lagBytes ?? null,
    loses: loss?.sentence ?? null,
    loss: lossEntry(loss),
    batches: plan.kind === 'batches' ? plan.batches : [],
  };
}
