/** Which node a pod is that the webhook or `inject -f` completed, and which pods are one and the same. */
import { CLUSTER_LABEL, INJECTED_ANNOTATION, MANAGED_BY, MANAGED_BY_LABEL, NODE_LABEL } from '../model/labels.ts';
import type { KubeFacts, PodFacts, ServiceFacts } from '../model/observation.ts';
import { recordOf } from '../model/record.ts';
import { nodeName } from '../model/spec.ts';
import type { ClusterState } from '../model/state.ts';
import { addressesOfPod } from './identity.ts';

/** Pods that the webhook or `inject -f` completed. */
export function injectedPods(kube: KubeFacts): PodFacts[] {
  return kube.pods.filter((pod) => pod.annotations[INJECTED_ANNOTATION] !== undefined);
}

/** N by label `name`, as the webhook gives it; else, for a StatefulSet whose pods share a template, by the pod's name. */
export function ordinalOf(cluster: string, pod: PodFacts): number | null {
  const label = pod.labels[NODE_LABEL];
  if (label?.startsWith(`${cluster}-`) === true) {
    const text = label.slice(cluster.length + 1);
    if (/^[0-9]+$/.test(text)) return Number(text);
  }
  const match = pod.owner?.startsWith('StatefulSet/') === true ? /-([0-9]+)$/.exec(pod.name) : null;
  return match === null ? null : Number(match[1]);
}

export interface SharedAddress {
  /** `Service redis-0`, or `10.0.0.7:6379`. */
  readonly address: string;
  readonly pods: readonly string[];
}

/**
 * Pods that would answer, or do, at one address: those of two StatefulSets that both count from 0, or of a template that gives all of its
 * pods one name. Whoever connects gets the one or the other, and so do the nodes.
 */
export function sharedAddresses(
  { nodes, cluster }: Pick<ClusterState, 'nodes' | 'cluster'>,
  kube: KubeFacts,
): SharedAddress[] {
  const groups = new Map<string, Map<string, string>>();
  const add = (address: string, pod: string, nodeId: string): void => {
    groups.set(address, (groups.get(address) ?? new Map()).set(pod, nodeId));
  };
  for (const pod of injectedPods(kube)) {
    const n = ordinalOf(cluster.name, pod);
    if (n !== null && !pod.terminating) add(`Service ${nodeName(cluster.name, n)}`, pod.name, pod.uid);
  }
  // One node twice, a volume and its clone, is another fault; and so is a node that is known at an address of somebody else.
  for (const { pod, announced, reply, nodeId } of nodes) {
    if (pod === null || announced === null || reply?.kind !== 'answered') continue;
    const ip = announced.slice(0, announced.lastIndexOf(':'));
    if (addressesOfPod(pod, kube).includes(ip)) add(announced, pod.name, nodeId ?? '');
  }
  const seen = new Set<string>();
  return [...groups].flatMap(([address, group]) => {
    const pods = [...group.keys()];
    const key = pods.toSorted().join(' ');
    if (new Set(group.values()).size < 2 || seen.has(key)) return [];
    seen.add(key);
    return [{ address, pods }];
  });
}

/** A Service that the webhook, or `create`, made for a node, and behind which there is no pod. */
export function isIdleService({ name, labels }: ServiceFacts, { pods }: KubeFacts, cluster: string): boolean {
  const isOurs = labels[MANAGED_BY_LABEL] === MANAGED_BY && labels[CLUSTER_LABEL] === cluster;
  return isOurs && !pods.some((pod) => pod.labels[NODE_LABEL] === name || pod.name === name);
}

export interface PodBeyond {
  readonly pod: string;
  /** `kubectl scale statefulset hand --replicas 6`; null where its workload can't be told. */
  readonly takeAway: string | null;
}

/**
 * Pods of people that came after their cluster was formed and are none of its nodes: the table has no line for them, so that they wait for
 * an address which nobody will give them.
 */
export function podsBeyond({ cluster, nodes: seen }: ClusterState, kube: KubeFacts): PodBeyond[] {
  const { formed, nodes } = recordOf(kube, cluster);
  if (formed !== true || nodes.length === 0) return [];
  const known = new Set(nodes.map(({ ordinal }) => ordinal));
  // One whose address others know as that of a node is of the cluster, whatever an older table says.
  const answers = new Set(
    seen.filter(({ unreachable, nodeId }) => unreachable === null || nodeId !== null).map(({ pod }) => pod?.name),
  );
  const isBeyond = (pod: PodFacts): boolean => {
    const n = ordinalOf(cluster.name, pod);
    return n !== null && !known.has(n) && !answers.has(pod.name);
  };
  return injectedPods(kube)
    .filter((pod) => !pod.terminating && isBeyond(pod))
    .map((pod) => {
      const { owner } = pod;
      const stay = kube.pods.filter((one) => one.owner === owner && !isBeyond(one));
      const left = stay.length;
      const [kind = '', name = ''] = owner?.split('/') ?? [];
      // A StatefulSet gives its last pods up, whichever they are.
      const isLast = stay.every((one) => numberIn(one) < numberIn(pod));
      const takeAway = kind === 'StatefulSet' && isLast ? `kubectl scale statefulset ${name} --replicas ${left}` : null;
      return { pod: pod.name, takeAway: takeAway === null ? null : `${takeAway} -n ${cluster.namespace}` };
    });
}

function numberIn({ name }: PodFacts): number {
  return Number(/-([0-9]+)$/.exec(name)?.[1] ?? Number.NaN);
}
