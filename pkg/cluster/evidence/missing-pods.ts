/** Pods that should be there and are not, and the id that gossip still has for each. */
import { NODE_LABEL } from '../model/labels.ts';
import type { KubeFacts } from '../model/observation.ts';
import { nodeCount } from '../model/spec.ts';
import type { ClusterNode, ClusterState } from '../model/state.ts';
import { isSeenDown } from './down.ts';

export interface MissingPod {
  readonly pod: string;
  /** Whether something is there that should make it. */
  readonly workload: boolean;
  /** Its StatefulSet is scaled to 0: somebody wants it so. */
  readonly scaledAway: boolean;
  /** The node that lived in it; null when nobody remembers it. */
  readonly node: ClusterNode | null;
}

export function findMissingPods(state: ClusterState, kube: KubeFacts): MissingPod[] {
  return state.origin === 'ours' ? missingOfOurs(state, kube) : missingOfForeign(state, kube);
}

/** A StatefulSet a node, pod `NODE-0`; or pods that people brought, told apart by their label `name`. */
function missingOfOurs(state: ClusterState, kube: KubeFacts): MissingPod[] {
  const { desired } = state;
  const total = desired === null ? 0 : nodeCount(desired);
  const ordinals = desired?.ordinals ?? Array.from({ length: total }, (_, i) => i + 1);
  const present = new Set(kube.pods.map((pod) => pod.labels[NODE_LABEL]));
  const workloads = new Set(kube.statefulSets.map((set) => set.templateLabels[NODE_LABEL] ?? set.name));
  const asleep = new Set(kube.statefulSets.filter((set) => set.replicas === 0).map((set) => set.name));
  const expected = ordinals.map((ordinal) => `${state.cluster.name}-${ordinal}`);
  // What a change of shape has stopped is where it shall be.
  const stopped = new Set((desired?.leaving ?? []).map((ordinal) => `${state.cluster.name}-${ordinal}`));
  return [...new Set([...expected, ...workloads])]
    .filter((name) => !present.has(name) && (workloads.has(name) || !stopped.has(name)))
    .map((name) => {
      const ip = kube.services.find((service) => service.name === name)?.clusterIP;
      const node = state.nodes.find((one) => one.pod === null && one.gossip !== null && one.gossip.ip === ip);
      return { pod: `${name}-0`, workload: workloads.has(name), scaledAway: asleep.has(name), node: node ?? null };
    });
}

/** A StatefulSet's ordinals. Their addresses went with them: only where one is missing and one id is lost are they tied. */
function missingOfForeign(state: ClusterState, kube: KubeFacts): MissingPod[] {
  const present = new Set(kube.pods.map((pod) => pod.name));
  const names = kube.statefulSets.flatMap((set) => Array.from({ length: set.replicas }, (_, i) => `${set.name}-${i}`));
  const missing = names.filter((name) => !present.has(name));
  const lost = state.nodes.filter((node) => node.pod === null && isSeenDown(node.gossip?.flags ?? []));
  const node = missing.length === 1 && lost.length === 1 ? (lost[0] ?? null) : null;
  return missing.map((pod) => ({ pod, workload: true, scaledAway: false, node }));
}
