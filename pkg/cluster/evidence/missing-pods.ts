/** Pods that should be there and are not, and the id that gossip still has for each. */
import { ordinalOf } from '../interpret/injected.ts';
import { NODE_LABEL } from '../model/labels.ts';
import type { NodeLine } from '../model/node-table.ts';
import { isUnread, type KubeFacts, type PodFacts, type StatefulSetFacts } from '../model/observation.ts';
import { recordOf } from '../model/record.ts';
import { nodeCount, ordinalOfNode } from '../model/spec.ts';
import type { ClusterNode, ClusterState } from '../model/state.ts';
import { isSeenDown } from './down.ts';

export interface MissingPod {
  readonly pod: string;
  /** Whether something is there that should make it. */
  readonly workload: boolean;
  /** Its StatefulSet has fewer replicas than that: somebody scaled it down. null = not that, or not known. */
  readonly scaledDown: ScaledDown | null;
  /** The node that lived in it; null when nobody remembers it. */
  readonly node: ClusterNode | null;
}

export interface ScaledDown {
  readonly set: string;
  /** With which all of its nodes have a pod. */
  readonly replicas: number;
  readonly has: number;
}

export function findMissingPods(state: ClusterState, kube: KubeFacts): MissingPod[] {
  const record = recordOf(kube, state.cluster);
  // Before the first MEET a line may be that of a pod which was only tried out.
  const lines = state.formed ? record.nodes : [];
  // The shape counts from 1; pods of others as they like, and their table says how.
  if (isOfOthers(state, kube) && (state.origin === 'foreign' || lines.length > 0))
    return missingOfOthers(state, kube, lines);
  return missingOfOurs(state, kube, record.spec === null ? lines : []);
}

/** Whether people made the pods: their workloads are none of ours, so that nothing tells which of them, and which volumes, there are. */
export function isOfOthers({ origin, cluster }: Pick<ClusterState, 'origin' | 'cluster'>, kube: KubeFacts): boolean {
  if (origin === 'foreign') return true;
  if (kube.pods.length === 0 || recordOf(kube, cluster).spec !== null) return false;
  const ours = ({ owner, name }: PodFacts): boolean =>
    owner === `StatefulSet/${name.replace(/-0$/, '')}` && ordinalOfNode(cluster.name, name.slice(0, -2)) !== null;
  const sets = kube.statefulSets.filter(({ name }) => ordinalOfNode(cluster.name, name) !== null);
  return !kube.pods.some(ours) && !sets.some(({ name, templateLabels }) => templateLabels[NODE_LABEL] === name);
}

/** A StatefulSet a node, pod `NODE-0`. @param lines of the record, where that is all that tells the nodes */
function missingOfOurs(state: ClusterState, kube: KubeFacts, lines: readonly NodeLine[]): MissingPod[] {
  const { desired } = state;
  const total = desired === null ? 0 : nodeCount(desired);
  const ordinals = desired?.ordinals ?? Array.from({ length: total }, (_, i) => i + 1);
  const present = new Set(kube.pods.map((pod) => pod.labels[NODE_LABEL]));
  const workloads = new Set(kube.statefulSets.map((set) => set.templateLabels[NODE_LABEL] ?? set.name));
  const asleep = new Set(kube.statefulSets.filter((set) => set.replicas === 0).map((set) => set.name));
  const wake = (set: string): ScaledDown | null => (asleep.has(set) ? { set, replicas: 1, has: 0 } : null);
  const expected = ordinals.map((ordinal) => `${state.cluster.name}-${ordinal}`);
  const recorded = lines.map(({ node }) => node);
  // What a change of shape has stopped is where it shall be.
  const stopped = new Set((desired?.leaving ?? []).map((ordinal) => `${state.cluster.name}-${ordinal}`));
  return [...new Set([...expected, ...recorded, ...workloads])]
    .filter((name) => !present.has(name) && (workloads.has(name) || !stopped.has(name)))
    .map((name) => {
      const ip = kube.services.find((service) => service.name === name)?.clusterIP;
      const node = state.nodes.find((one) => one.pod === null && one.gossip !== null && one.gossip.ip === ip);
      return { pod: `${name}-0`, workload: workloads.has(name), scaledDown: wake(name), node: node ?? null };
    });
}

/**
 * Ordinals of their StatefulSets; and lines of the record that no pod has, whatever made it (a Deployment), or would if it were not scaled
 * down. A line has an address. That of a pod without one went with it: only where one is missing and one id is lost are they tied.
 */
function missingOfOthers(state: ClusterState, kube: KubeFacts, lines: readonly NodeLine[]): MissingPod[] {
  const ghosts = state.nodes.filter((node) => node.pod === null);
  const tied = new Set<ClusterNode>();
  const phantoms = new Set(phantomLines(state, kube).map(({ ordinal }) => ordinal));
  const members = lines.filter(({ ordinal }) => !phantoms.has(ordinal));
  const missing = namesOfOthers(state, kube, members).map(({ line, ...of }) => {
    const node = line === null ? undefined : ghosts.find((ghost) => !tied.has(ghost) && isAt(ghost, line, kube));
    if (node !== undefined) tied.add(node);
    return { ...of, node: node ?? null };
  });
  const lost = ghosts.filter((ghost) => !tied.has(ghost) && isSeenDown(ghost.gossip?.flags ?? []));
  const [only = null] = lost;
  const single = lost.length === 1 && missing.filter(({ node }) => node === null).length === 1;
  return single ? missing.map((one) => ({ ...one, node: one.node ?? only })) : missing;
}

interface Absent {
  readonly pod: string;
  readonly workload: boolean;
  readonly scaledDown: ScaledDown | null;
  readonly line: NodeLine | null;
}

function namesOfOthers({ cluster }: ClusterState, kube: KubeFacts, lines: readonly NodeLine[]): Absent[] {
  const present = new Set(kube.pods.map((pod) => pod.name));
  const labels = new Set(kube.pods.map((pod) => pod.labels[NODE_LABEL]));
  const numbers = new Set(kube.pods.map((pod) => ordinalOf(cluster.name, pod)));
  const away = lines.filter(({ node, ordinal }) => !labels.has(node) && !numbers.has(ordinal));
  const ofSets = kube.statefulSets.flatMap((set) =>
    Array.from({ length: set.replicas }, (_, i): Absent => {
      const number = (set.firstOrdinal ?? 0) + i;
      const label = set.templateLabels[NODE_LABEL];
      const line = away.find(({ node, ordinal }) => (label === undefined ? ordinal === number : node === label));
      return { pod: `${set.name}-${number}`, workload: true, scaledDown: null, line: line ?? null };
    }).filter(({ pod }) => !present.has(pod)),
  );
  const told = new Set(ofSets.map(({ line }) => line));
  // Pods of the only StatefulSet are called after it; those of anything else have names that change.
  const [set] = kube.statefulSets;
  const alone = kube.statefulSets.length === 1 && kube.pods.every(({ owner }) => owner === `StatefulSet/${set?.name}`);
  const left = away.filter((line) => !told.has(line));
  const scaledDown = alone && set !== undefined ? scaledDownTo(set, left) : null;
  const rest = left.map((line): Absent => {
    const pod = alone ? `${set?.name}-${line.ordinal}` : line.node;
    return { pod, workload: alone, scaledDown, line };
  });
  return [...ofSets, ...rest];
}

/** null where its first numbers are what is missing: no number of replicas brings those back. */
function scaledDownTo(
  { name: set, replicas: has, firstOrdinal = 0 }: StatefulSetFacts,
  lines: readonly NodeLine[],
): ScaledDown | null {
  const replicas = Math.max(0, ...lines.map(({ ordinal }) => ordinal - firstOrdinal + 1));
  return replicas > has && lines.every(({ ordinal }) => ordinal >= firstOrdinal) ? { set, replicas, has } : null;
}

/**
 * Lines of pods that people brought and that never became nodes: a StatefulSet was scaled up after the cluster was formed, and down again. No
 * pod has the number, no StatefulSet would make one, it has no shard (`create` writes that for every node that it finds), and no node that
 * answers knows it. Where slots are without an owner, or an id is without a pod that an address tells, it may be just that one.
 */
export function phantomLines(state: ClusterState, kube: KubeFacts): NodeLine[] {
  const { nodes: lines } = recordOf(kube, state.cluster);
  const answers = state.nodes.some(({ reply }) => reply?.kind === 'answered');
  if (!state.formed || !answers || state.uncovered.length > 0 || kube.pods.length === 0) return [];
  if (isUnread(kube, 'statefulsets') || !isOfOthers(state, kube)) return [];
  // A pod of a Deployment takes any number that is free: one that nobody has right now may be that of its next pod.
  if (!kube.pods.every(({ owner }) => owner?.startsWith('StatefulSet/') === true)) return [];
  const ghosts = state.nodes.filter(({ pod }) => pod === null);
  const told = new Set(lines.filter((line) => ghosts.some((ghost) => isAt(ghost, line, kube))));
  const untold = ghosts.some((ghost) => !lines.some((line) => isAt(ghost, line, kube)));
  // A pod that can't be asked and that no address tells may be any of them.
  const nameless = state.nodes.some(({ pod, nodeId }) => pod !== null && nodeId === null);
  if (untold || nameless) return [];
  return namesOfOthers(state, kube, lines).flatMap(({ line, workload, scaledDown }) =>
    line === null || line.shard !== null || told.has(line) || (workload && scaledDown === null) ? [] : [line],
  );
}

/** Whether others know the id at the recorded address, or at that of the line's Service, which may have been made anew. */
function isAt({ gossip }: ClusterNode, { node, address }: NodeLine, { services }: KubeFacts): boolean {
  const ip = gossip?.ip ?? '';
  return ip !== '' && (ip === address || services.some(({ name, clusterIP }) => name === node && clusterIP === ip));
}
