/** What `rebalance --dry-run -o json` prints. */
import { unknownNodes } from '../../pkg/cluster/evidence/unknown.ts';
import type { PreparedRebalance } from '../../pkg/engine/rebalance.ts';
import { estimateSeconds } from '../view/move-cost.ts';
import { API_VERSION, rangesOf } from './document.ts';

export function rebalancePlanOf({ cluster, state, input, plan, balance, moves }: PreparedRebalance): object {
  const podOf = (nodeId: string): string | null =>
    state.nodes.find((node) => node.nodeId === nodeId)?.pod?.name ?? null;
  return {
    apiVersion: API_VERSION,
    kind: 'RebalancePlan',
    metadata: { name: cluster.name, namespace: cluster.namespace },
    by: input.by,
    thresholdPercent: input.thresholdPercent,
    worstPercent: Number(balance.worstPercent.toFixed(2)),
    outcome: plan.kind,
    unknown: unknownNodes(state),
    primaries: balance.rows.map(({ node, weight, slots, has, share }) => ({
      nodeId: node.nodeId,
      pod: node.pod?.name ?? null,
      weight,
      slots,
      has: Math.round(has),
      share: Math.round(share),
    })),
    moves: moves.map(({ from, to, ranges, slots, keys, bytes }) => ({
      fromPod: podOf(from),
      toPod: podOf(to),
      ranges: rangesOf(ranges),
      slots,
      keys,
      bytes,
    })),
    estimatedSeconds: estimateSeconds(moves),
    batches: plan.kind === 'batches' ? plan.batches : [],
  };
}
