/** A record that is older than the cluster: what goes by it would leave out nodes that run. */
import { unrecordedNodes } from '../evidence/older-record.ts';
import { listNames } from '../model/list-names.ts';
import type { KubeFacts } from '../model/observation.ts';
import type { Plan } from '../model/plan.ts';
import type { ClusterState } from '../model/state.ts';
import { refuse } from './form-members.ts';

/** null where the record names every node. */
export function refuseOlderRecord(state: ClusterState, kube: KubeFacts): Plan | null {
  const pods = unrecordedNodes(state, kube).map(({ pod }) => pod);
  if (pods.length === 0) return null;
  const { name } = state.cluster;
  const [are, them] = pods.length === 1 ? ['is a node', 'it'] : ['are nodes', 'them'];
  return refuse(
    'record-older',
    `${listNames(pods)} ${are} of ${name}, and ConfigMap ${name}-state does not name ${them}: an older one was put back`,
    `kubectl redis fix ${name} writes the record anew from what runs; then run the same command again`,
  );
}
