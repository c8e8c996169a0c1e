/**
 * The Kubernetes half of `create`. The order matters: Services first, because their ClusterIPs are literals in the pods'
 * templates and in the ConfigMap; ConfigMap before the pods that mount it; budgets before pods that may be drained.
 */
import type { KubeFacts } from '../model/observation.ts';
import type { Batch, Step } from '../model/plan.ts';
import { nodeName, ordinalsOf, podName, shardOfOrdinal, type ClusterSpec } from '../model/spec.ts';

/** On the template and so on the pod: the address that it announces. */
const ANNOUNCE = 'kubectl-redis.io/announce-ip';

/** @returns no batch when every object is there and says what it must. */
export function planObjects(kube: KubeFacts, spec: ClusterSpec, formed: boolean): Batch[] {
  const name = spec.cluster.name;
  const addresses = new Map(kube.services.map((service) => [service.name, service.clusterIP]));
  const withoutAddress = ordinalsOf(spec).filter((n) => isUnset(addresses.get(nodeName(name, n))));
  const client = kube.services.find((service) => service.name === name);
  const clientMissing = client?.annotations['kubectl-redis.io/spec'] === undefined;
  if (clientMissing || withoutAddress.length > 0) return [servicesBatch(withoutAddress, clientMissing)];

  const batches: Batch[] = [];
  if (!tableIsComplete(kube, spec, addresses)) {
    batches.push({ title: 'make the configuration', steps: [{ kind: 'apply-config', reason: 'redis.conf, scripts and the table of addresses' }] });
  }
  const noSet = ordinalsOf(spec).filter((n) => kube.statefulSets.every((set) => set.name !== nodeName(name, n)));
  const stale = ordinalsOf(spec).filter((n) => announceIsStale(kube, nodeName(name, n), addresses));
  const workloads = ordinalsOf(spec).filter((n) => noSet.includes(n) || stale.includes(n));
  if (workloads.length > 0) batches.push({ title: 'make the nodes', steps: workloadSteps(workloads, spec) });
  const replace = ordinalsOf(spec).flatMap((n) => replacePod(kube, spec, n, addresses, formed));
  if (replace.length > 0) batches.push({ title: 'tell pods their address', steps: replace });
  return batches;
}

function isUnset(address: string | undefined): boolean {
  return address === undefined || address === '' || address === 'None';
}

function servicesBatch(ordinals: readonly number[], client: boolean): Batch {
  return {
    title: 'make the Services',
    steps: [{ kind: 'apply-services', ordinals, client, reason: 'a Service is the address of its node for ever, so it comes first' }],
  };
}

/** Lines of the ConfigMap's table: `N NODE ADDRESS`. */
function tableIsComplete(kube: KubeFacts, spec: ClusterSpec, addresses: ReadonlyMap<string, string>): boolean {
  const lines = new Set((kube.config?.['nodes'] ?? '').split('\n').map((line) => line.trim()));
  return ordinalsOf(spec).every((n) => {
    const node = nodeName(spec.cluster.name, n);
    return lines.has(`${n} ${node} ${addresses.get(node)}`);
  });
}

/** The template says no address (YAML of `--dry-run`) or that of a Service that was made anew. */
function announceIsStale(kube: KubeFacts, node: string, addresses: ReadonlyMap<string, string>): boolean {
  const set = kube.statefulSets.find((candidate) => candidate.name === node);
  return set !== undefined && set.templateAnnotations[ANNOUNCE] !== addresses.get(node);
}

/**
 * updateStrategy is OnDelete, so a pod made from the old template is deleted by us. Only one that announces nothing, and so
 * never started a server: there is nothing in it to lose. In a formed cluster, a pod with another address is left alone.
 */
function replacePod(kube: KubeFacts, spec: ClusterSpec, n: number, addresses: ReadonlyMap<string, string>, formed: boolean): Step[] {
  const pod = kube.pods.find((candidate) => candidate.name === podName(spec.cluster.name, n));
  if (pod === undefined || pod.terminating) return [];
  const announced = pod.annotations[ANNOUNCE];
  if (announced === addresses.get(nodeName(spec.cluster.name, n)) || (announced !== undefined && formed)) return [];
  const reason = announced === undefined ? 'it waits for its address' : `it announces ${announced}`;
  return [{ kind: 'replace-pod', pod: pod.name, podUid: pod.uid, reason }];
}

/** Budgets go along with the StatefulSets, so that from the first pod on no drain takes two nodes of a shard. */
function workloadSteps(ordinals: readonly number[], spec: ClusterSpec): Step[] {
  const shards = [...new Set(ordinals.map((n) => shardOfOrdinal(n, spec.masters)))];
  return [
    { kind: 'apply-budgets', shards, reason: 'a drain never takes two nodes of a shard' },
    { kind: 'apply-workloads', ordinals, reason: 'one StatefulSet for each node' },
  ];
}
