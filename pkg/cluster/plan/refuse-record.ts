/** Objects that are not as they were made: a record that is older than the cluster, by which nodes that run would be left out, or changed labels. */
import { changedLabels, labelAgain } from '../evidence/changed-labels.ts';
import { unrecordedNodes } from '../evidence/older-record.ts';
import { listNames } from '../model/list-names.ts';
import type { KubeFacts } from '../model/observation.ts';
import type { Plan } from '../model/plan.ts';
import type { ClusterState } from '../model/state.ts';
import { refuse } from './form-members.ts';

/** What can't be planned on: an older record, or pods with other labels than they were made with; null = neither. */
export function refuseObjects(state: ClusterState, kube: KubeFacts): Plan | null {
  return refuseOlderRecord(state, kube) ?? refuseChangedLabels(state, kube);
}

/** A pod that starts anew has its old label again, and would stand behind one Service with another. */
function refuseChangedLabels({ cluster }: ClusterState, kube: KubeFacts): Plan | null {
  const [first, ...others] = changedLabels(kube);
  if (first === undefined) return null;
  const more = others.length === 0 ? '' : `, and of ${listNames(others.map(({ pod }) => pod))}`;
  const again = [first, ...others].map((changed) => labelAgain(changed, cluster.namespace)).join('; ');
  return refuse(
    'pod-label-changed',
    `The label name of ${first.pod}${more} was changed: it is ${first.is ?? 'gone'}, and its StatefulSet says ${first.made}`,
    `${again}. Then kubectl redis fix ${cluster.name}, and run the same command again`,
  );
}

/** null where the record names every node. */
function refuseOlderRecord(state: ClusterState, kube: KubeFacts): Plan | null {
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
