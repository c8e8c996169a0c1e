/** What `scale --dry-run -o json` prints. */
import { unknownNodes } from '../../pkg/cluster/evidence/unknown.ts';
import type { PreparedScale } from '../../pkg/engine/scale.ts';
import { estimateSeconds } from '../view/move-cost.ts';
import { API_VERSION, rangesOf } from './document.ts';

export function scalePlanOf({ seen, wanted, plan, outline, remarks }: PreparedScale): object {
  const { cluster } = seen.recorded;
  return {
    apiVersion: API_VERSION,
    kind: 'ScalePlan',
    metadata: { name: cluster.name, namespace: cluster.namespace },
    from: { masters: seen.recorded.masters, replicas: seen.recorded.replicas },
    to: { masters: wanted.masters, replicas: wanted.replicas },
    outcome: plan.kind,
    unknown: unknownNodes(seen.state),
    shards: outline.shards,
    moves: outline.moves.map(({ from, to, ranges, slots, keys, bytes }) => ({
      fromShard: from,
      toShard: to,
      ranges: rangesOf(ranges),
      slots,
      keys,
      bytes,
    })),
    handOvers: outline.handOvers,
    estimatedSeconds: estimateSeconds(outline.moves),
    batches: plan.kind === 'batches' ? plan.batches : [],
    remarks,
  };
}
