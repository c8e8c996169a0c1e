/** What `create` refuses of pods that people made. */
import {
  injectedPods,
  ordinalOf,
  podsBeyond,
  sharedAddresses,
  type PodBeyond,
  type SharedAddress,
} from '../interpret/injected.ts';
import { CLUSTER_LABEL, POD_NAME_LABEL } from '../model/labels.ts';
import { whyUnfit, type Unfit } from '../model/node-service.ts';
import type { ClusterRef, KubeFacts, PodFacts } from '../model/observation.ts';
import type { Plan } from '../model/plan.ts';
import { nodeCount, nodeName, type ClusterSpec } from '../model/spec.ts';
import type { ClusterState } from '../model/state.ts';
import { refuse } from './form-members.ts';

/** The first reason, or null. */
export function refuseBrought(state: ClusterState, kube: KubeFacts, spec: ClusterSpec, brought: boolean): Plan | null {
  const [shared] = sharedAddresses(state, kube);
  if (shared !== undefined) return refuseShared(shared);
  const unfit = unfitService(kube, spec.cluster);
  if (unfit !== null)
    return refuse('service-unfit', `Service ${unfit.service} can't be the node's address: ${unfit.why}`, unfit.hint);
  if (!brought) return null;
  const beyond = podsBeyond(state, kube);
  if (beyond.length > 0) return refuseBeyond(beyond, spec);
  return kube.pods.length === nodeCount(spec) ? null : wrongNumberOfPods(kube.pods, spec);
}

function refuseShared({ address, pods }: SharedAddress): Plan {
  return {
    kind: 'refused',
    code: 'address-shared',
    sentence: `Pods ${pods.slice(0, 3).join(', ')} stand behind one address (${address}): nodes would be taken for each other`,
    hint: 'Two workloads that both number their pods from 0: give one of them spec.ordinals.start, or its pods labels name of their own',
  };
}

function refuseBeyond(beyond: readonly PodBeyond[], { cluster: { name } }: ClusterSpec): Plan {
  const names = beyond.map(({ pod }) => pod);
  return {
    kind: 'refused',
    code: 'pod-beyond',
    sentence: `${names.slice(0, 3).join(', ')} ${names.length === 1 ? 'is no node' : 'are no nodes'} of ${name}, which was formed without ${names.length === 1 ? 'it' : 'them'}`,
    hint: beyond[0]?.takeAway ?? 'Take away what does not belong to it with what made it',
  };
}

/** The first Service that has the name of a node of theirs and can't be its address (C19); null = none. */
function unfitService(kube: KubeFacts, { name }: ClusterRef): (Unfit & { readonly service: string }) | null {
  for (const pod of injectedPods(kube)) {
    const n = ordinalOf(name, pod);
    const service = n === null ? undefined : kube.services.find((one) => one.name === nodeName(name, n));
    if (service === undefined) continue;
    const labels = { [POD_NAME_LABEL]: pod.name, ...pod.labels };
    const unfit = whyUnfit({ ...service, ports: service.ports.map(({ port }) => port) }, labels);
    if (unfit !== null) return { ...unfit, service: service.name };
  }
  return null;
}

/** Pods may have been found by other ties than our label: by the workload's name, or by `app` and `instance` labels. */
function wrongNumberOfPods(pods: readonly PodFacts[], spec: ClusterSpec): Plan {
  const { name } = spec.cluster;
  const have = pods.length;
  const labelled = pods.some(({ labels }) => labels[CLUSTER_LABEL] === name);
  const ties = labelled
    ? `carry ${CLUSTER_LABEL}=${name}`
    : `go by the name ${name} (none carries ${CLUSTER_LABEL}=${name})`;
  return {
    kind: 'refused',
    code: 'wrong-number-of-pods',
    sentence: `${have} pods ${ties}, and ${shapeInWords(spec)} need ${nodeCount(spec)}`,
    hint: `Choose --masters and --replicas so that masters x (1 + replicas) = ${have}, or change the number of pods`,
  };
}

export function shapeInWords({ masters, replicas }: { readonly masters: number; readonly replicas: number }): string {
  if (replicas === 0) return `${masters} masters without replicas`;
  return `${masters} masters with ${replicas === 1 ? 'one replica' : `${replicas} replicas`} each`;
}
