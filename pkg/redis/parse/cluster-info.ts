/** CLUSTER INFO (https://redis.io/docs/latest/commands/cluster-info/). */
import { AppError } from '../../errors.ts';
import type { ClusterInfo } from '../../cluster/model/observation.ts';
import { fieldOf, numberOf } from './fields.ts';

/**
 * All counts are counts of slots or nodes; epochs are the cluster's and this node's.
 *
 * @throws AppError `bad-reply` when there is no cluster_state in it.
 */
export function parseClusterInfo(text: string): ClusterInfo {
  const state = fieldOf(text, 'cluster_state');
  if (state === null) throw new AppError('The reply to CLUSTER INFO has no cluster_state', { code: 'bad-reply' });
  return {
    state: state === 'ok' ? 'ok' : 'fail',
    slotsAssigned: numberOf(text, 'cluster_slots_assigned') ?? 0,
    slotsOk: numberOf(text, 'cluster_slots_ok') ?? 0,
    slotsPfail: numberOf(text, 'cluster_slots_pfail') ?? 0,
    slotsFail: numberOf(text, 'cluster_slots_fail') ?? 0,
    knownNodes: numberOf(text, 'cluster_known_nodes') ?? 0,
    size: numberOf(text, 'cluster_size') ?? 0,
    currentEpoch: numberOf(text, 'cluster_current_epoch') ?? 0,
    myEpoch: numberOf(text, 'cluster_my_epoch') ?? 0,
  };
}
