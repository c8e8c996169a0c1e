/**
 * Nodes that run and that the record does not name, because an older one was put back. What they and the others say of them comes before any
 * record: they are of the cluster, and the record is made anew from them. Pure.
 */
import { injectedPods, ordinalOf } from '../interpret/injected.ts';
import { MANAGED_BY, MANAGED_BY_LABEL, NODE_LABEL, SHARD_LABEL, SPEC_ANNOTATION } from '../model/labels.ts';
import { isUnread, type KubeFacts, type StatefulSetFacts } from '../model/observation.ts';
import { recordOf } from '../model/record.ts';
import { nodeName, ordinalOfNode, ordinalsOf, podName, shardOf, type ClusterSpec } from '../model/spec.ts';
import { parseSpec } from '../model/spec-text.ts';
import type { ClusterNode, ClusterState } from '../model/state.ts';
import { memberOf, type Member } from './members.ts';
import { isOfOthers } from './missing-pods.ts';

/** A node that the record lacks. */
export interface Unrecorded {
  readonly ordinal: number;
  /** Its pod, or what its pod would be called. */
  readonly pod: string;
  readonly shard: string;
  readonly node: ClusterNode;
  /** null: somebody took it away and left its pod. */
  readonly set: StatefulSetFacts | null;
}

/**
 * Nodes whose StatefulSets, or pods, this tool made, and that the record does not name. `scale` records a node before it makes it, and
 * takes it from the record after it has gone.
 */
export function unrecordedNodes(state: ClusterState, kube: KubeFacts): Unrecorded[] {
  const { spec } = recordOf(kube, state.cluster);
  if (spec === null || isUnread(kube, 'statefulsets')) return [];
  const { name } = state.cluster;
  const recorded = new Set(ordinalsOf(spec));
  const pods = new Set([...recorded].map((ordinal) => podName(name, ordinal)));
  const witnesses = state.nodes.flatMap(memberOf).filter(({ pod }) => pods.has(pod));
  return madeByUs(kube).flatMap(({ name: made, labels, set }): Unrecorded[] => {
    const ordinal = ordinalOfNode(name, made);
    const shard = labels[SHARD_LABEL];
    const isOurs = labels[MANAGED_BY_LABEL] === MANAGED_BY && shard !== undefined;
    if (!isOurs || ordinal === null || recorded.has(ordinal)) return [];
    const node = nodeIn(state, kube, made, podName(name, ordinal));
    if (node === null || !isOfCluster(state, node, witnesses)) return [];
    return [{ ordinal, pod: podName(name, ordinal), shard, node, set }];
  });
}

interface Made {
  /** `redis-1` */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly set: StatefulSetFacts | null;
}

/** A StatefulSet for each node, and pods that have lost theirs. */
function madeByUs({ statefulSets, pods }: KubeFacts): Made[] {
  const sets = statefulSets.map((set): Made => ({ name: set.name, labels: set.templateLabels, set }));
  const names = new Set(sets.map((one) => one.name));
  const alone = pods
    .filter((pod) => !names.has(pod.name.replace(/-0$/, '')) && pod.name === `${pod.labels[NODE_LABEL]}-0`)
    .map((pod): Made => ({ name: pod.name.replace(/-0$/, ''), labels: pod.labels, set: null }));
  return [...sets, ...alone];
}

/** Nodes in pods that people brought that have no line in the table. */
export function unlistedNodes(state: ClusterState, kube: KubeFacts): ClusterNode[] {
  const { formed, nodes: lines } = recordOf(kube, state.cluster);
  if (formed !== true || lines.length === 0 || kube.state == null || !isOfOthers(state, kube)) return [];
  const listed = new Set(lines.map(({ ordinal }) => ordinal));
  const ordinals = new Map(injectedPods(kube).map((pod) => [pod.name, ordinalOf(state.cluster.name, pod)]));
  const isListed = (pod: string): boolean => listed.has(ordinals.get(pod) ?? -1);
  const witnesses = state.nodes.flatMap(memberOf).filter(({ pod }) => isListed(pod));
  return state.nodes.filter((node) => {
    const name = node.pod?.name ?? '';
    return ordinals.get(name) != null && !isListed(name) && isOfCluster(state, node, witnesses);
  });
}

/**
 * Whether nodes that the record names know it, and it is more than remembered: it owns slots, follows a node of the cluster, or knows them,
 * too. One that answers must know them in any case: with an empty volume it is a newcomer at an address that others still remember.
 */
function isOfCluster({ nodes }: ClusterState, node: ClusterNode, witnesses: readonly Member[]): boolean {
  const { nodeId } = node;
  if (nodeId === null || !witnesses.some(({ knows }) => knows.has(nodeId))) return false;
  const [self] = memberOf(node);
  if (self !== undefined) return witnesses.some((witness) => self.knows.has(witness.nodeId));
  const follows = nodes.some((one) => one.nodeId === node.primaryId && one.slots.length > 0);
  return node.slots.length > 0 || (node.role === 'replica' && follows);
}

/** By its pod; where that is away, by the address of its Service. */
function nodeIn({ nodes }: ClusterState, kube: KubeFacts, name: string, pod: string): ClusterNode | null {
  const ip = kube.services.find((service) => service.name === name)?.clusterIP ?? '';
  const byPod = nodes.find((node) => node.pod?.name === pod);
  return byPod ?? nodes.find((node) => node.pod === null && ip !== '' && node.gossip?.ip === ip) ?? null;
}

/**
 * The record as it must be: what runs, and what is recorded, but for nodes of which nothing is left. What nodes are made with comes from the
 * copy on the StatefulSet of a node that the record lacks: that copy was written after the record. null = nothing is missing in it.
 */
export function renewedSpec(state: ClusterState, kube: KubeFacts): ClusterSpec | null {
  const { spec } = recordOf(kube, state.cluster);
  const unrecorded = unrecordedNodes(state, kube);
  if (spec === null || unrecorded.length === 0) return null;
  const kept = ordinalsOf(spec).filter((ordinal) => isLeft(state, kube, ordinal));
  // A number may have gone and come again in another shard since the record was written.
  const made = new Map(madeByUs(kube).map((one) => [one.name, one.labels[SHARD_LABEL]]));
  const madeFor = (ordinal: number): string | undefined => made.get(nodeName(state.cluster.name, ordinal));
  const nodes = Object.fromEntries([
    ...kept.map((ordinal): [string, string] => [String(ordinal), madeFor(ordinal) ?? shardOf(spec, ordinal)]),
    ...unrecorded.map(({ ordinal, shard }): [string, string] => [String(ordinal), shard]),
  ]);
  const sizes = new Map<string, number>();
  for (const shard of Object.values(nodes)) sizes.set(shard, (sizes.get(shard) ?? 0) + 1);
  const copy = newerCopy(unrecorded);
  const replicas = copy?.replicas ?? Math.min(...sizes.values()) - 1;
  const shape = { nodes, masters: sizes.size, replicas, scaling: null };
  return { ...(copy ?? spec), ...shape, cluster: state.cluster };
}

/** Of several the one that names most of them. */
function newerCopy(unrecorded: readonly Unrecorded[]): ClusterSpec | null {
  const copies = unrecorded.flatMap(({ set, ordinal }) => {
    const copy = parseSpec(set?.annotations[SPEC_ANNOTATION]);
    const named = new Set(copy === null ? [] : ordinalsOf(copy));
    const names = unrecorded.filter((one) => named.has(one.ordinal)).length;
    return copy === null || !named.has(ordinal) ? [] : [{ copy, names }];
  });
  return copies.toSorted((a, b) => b.names - a.names)[0]?.copy ?? null;
}

/** Whether anything is there of a node: what can't be read may be. */
function isLeft({ cluster: { name }, nodes }: ClusterState, kube: KubeFacts, ordinal: number): boolean {
  const [node, pod] = [nodeName(name, ordinal), podName(name, ordinal)];
  if (isUnread(kube, 'services') || isUnread(kube, 'persistentvolumeclaims')) return true;
  // An id without a pod that no Service tells may be its.
  const services = new Set(kube.services.map(({ clusterIP }) => clusterIP));
  if (nodes.some((one) => one.pod === null && !services.has(one.gossip?.ip ?? ''))) return true;
  return (
    kube.statefulSets.some((set) => set.name === node) ||
    kube.services.some((service) => service.name === node) ||
    kube.claims.some((claim) => claim.name === `data-${pod}`) ||
    kube.pods.some((one) => one.name === pod || one.labels[NODE_LABEL] === node)
  );
}
