/**
 * Observation -> ClusterState. Pure: merges what can be merged, keeps what is contradictory. Nothing is judged here; `check`
 * does that.
 */
import { SHARD_LABEL } from './model/labels.ts';
import { compareNatural } from './natural-order.ts';
import type { GossipNode, KubeFacts, NodeReply, Observation, PodFacts } from './model/observation.ts';
import { recordOf } from './model/record.ts';
import type { ClusterNode, ClusterState, OpenSlot, ViewGroup } from './model/state.ts';
import { isFormed } from './interpret/formed.ts';
import { readGossip } from './interpret/gossip.ts';
import type { Gossip } from './interpret/gossip.ts';
import { identifyPods } from './interpret/identity.ts';
import { findLeftovers } from './interpret/leftovers.ts';
import { mergeOwners } from './interpret/owners.ts';
import type { Ownership } from './interpret/owners.ts';
import { groupShards } from './interpret/shards.ts';
import { compareViews, describeDifference } from './interpret/views.ts';
import type { Difference } from './interpret/views.ts';
import { slotsFromRanges } from './model/slots.ts';

/** More would be a wall of text; the rest is counted in the last line. */
const MAX_DIFFERENCES = 10;

/**
 * What the cluster is, as far as the facts tell (see model/state.ts for each field). Never throws: views that contradict
 * each other, are cut or name unknown ids end up as groups, ghosts and contested slots.
 */
export function interpret(observation: Observation): ClusterState {
  const { kube } = observation;
  const gossip = readGossip(observation);
  const ownership = mergeOwners(gossip);
  const nodes = makeNodes(observation, gossip, ownership);
  const record = recordOf(kube, observation.cluster);
  const openSlots = findOpenSlots(gossip);
  const anyOwned = ownership.slotsById.size > 0;
  return {
    cluster: observation.cluster,
    observedAt: observation.observedAt,
    origin: record.shape === null ? 'foreign' : 'ours',
    desired: record.shape,
    formed: isFormed(observation, record, anyOwned),
    formedMark: record.formed === true,
    nodes,
    shards: groupShards(nodes),
    uncovered: ownership.uncovered,
    contested: ownership.contested,
    openSlots,
    views: describeViews(gossip, nodes, openSlots),
    leftovers: findLeftovers(observation.cluster, kube),
    operation: kube.operation,
    gaps: kube.gaps,
  };
}

/** The first eight digits, which people compare. */
export function shortId(nodeId: string): string {
  return nodeId.slice(0, 8);
}

/** Names an id for people: its pod, or the short id. */
export function nodeNamer(nodes: readonly ClusterNode[]): (nodeId: string) => string {
  const pods = new Map(
    nodes.flatMap((node) => (node.nodeId === null || node.pod === null ? [] : [[node.nodeId, node.pod.name] as const])),
  );
  return (nodeId) => pods.get(nodeId) ?? shortId(nodeId);
}

interface Sources {
  readonly kube: KubeFacts;
  readonly gossip: Gossip;
  readonly ownership: Ownership;
  readonly zones: ReadonlyMap<string, string | null>;
  /** Replication offsets of all who answered. */
  readonly offsets: ReadonlyMap<string, number>;
}

function makeNodes(observation: Observation, gossip: Gossip, ownership: Ownership): ClusterNode[] {
  const { kube } = observation;
  const ids = identifyPods(kube, gossip);
  const answers = new Map(gossip.answered.map(({ pod, answer }) => [pod, answer]));
  const replies = new Map(
    observation.replies.map(({ pod, reply }) => [
      pod,
      reply.kind === 'answered' ? { ...reply, answer: answers.get(pod) ?? reply.answer } : reply,
    ]),
  );
  const sources: Sources = {
    kube,
    gossip,
    ownership,
    zones: new Map(kube.hosts.map((host) => [host.name, host.zone])),
    offsets: new Map(gossip.answered.map(({ answer }) => [answer.myId, answer.info.replicationOffset])),
  };
  const pods = [...kube.pods].sort((a, b) => compareNatural(a.name, b.name));
  const rows = pods.map((pod) => makeNode(sources, ids.get(pod.name) ?? null, pod, replies.get(pod.name) ?? null));
  const known = new Set(ids.values());
  const ghosts = [...gossip.majorityLines.keys()].filter((id) => !known.has(id)).sort();
  return [...rows, ...ghosts.map((id) => makeNode(sources, id, null, null))];
}

function makeNode(sources: Sources, nodeId: string | null, pod: PodFacts | null, reply: NodeReply | null): ClusterNode {
  const { gossip, ownership } = sources;
  const answer = reply?.kind === 'answered' ? reply.answer : null;
  const line = lineOf(gossip, nodeId, answer !== null);
  const role = line?.role ?? answer?.info.role ?? 'unknown';
  const primaryId = line?.primaryId ?? null;
  const host = pod?.host ?? null;
  return {
    nodeId,
    pod,
    reply,
    unreachable: reply?.kind === 'unreachable' ? { why: reply.why, detail: reply.detail } : null,
    role,
    primaryId,
    gossip: line,
    announced: (nodeId === null ? '' : gossip.addresses.get(nodeId)) || null,
    host,
    zone: host === null ? null : (sources.zones.get(host) ?? null),
    slots: nodeId === null ? [] : (ownership.slotsById.get(nodeId) ?? []),
    keys: answer?.info.keys ?? null,
    lagBytes: answer === null || primaryId === null ? null : lagOf(sources, answer.info.replicationOffset, primaryId),
    shardLabel: pod?.labels[SHARD_LABEL] ?? null,
  };
}

function lineOf(gossip: Gossip, nodeId: string | null, answers: boolean): GossipNode | null {
  if (nodeId === null) return null;
  return (answers ? gossip.ownLines.get(nodeId) : undefined) ?? gossip.majorityLines.get(nodeId) ?? null;
}

/** Nodes are not asked in the same instant: a replica that seems ahead was asked later, and is not behind. */
function lagOf(sources: Sources, offset: number, primaryId: string): number | null {
  const primary = sources.offsets.get(primaryId);
  return primary === undefined ? null : Math.max(0, primary - offset);
}

/** Marks of both ends as one entry per slot; a slot with several importers has an entry for each. */
function findOpenSlots(gossip: Gossip): OpenSlot[] {
  const marks = new Map<number, { from: string[]; to: string[] }>();
  const at = (slot: number): { from: string[]; to: string[] } => {
    const mark = marks.get(slot) ?? { from: [], to: [] };
    marks.set(slot, mark);
    return mark;
  };
  for (const [nodeId, line] of gossip.ownLines) {
    for (const { slot } of line.migrating) at(slot).from.push(nodeId);
    for (const { slot } of line.importing) at(slot).to.push(nodeId);
  }
  return [...marks]
    .sort(([a], [b]) => a - b)
    .flatMap(([slot, { from, to }]) =>
      Array.from({ length: Math.max(from.length, to.length) }, (_, i) => ({
        slot,
        migratingFrom: from[i] ?? null,
        importingTo: to[i] ?? null,
      })),
    );
}

function describeViews(gossip: Gossip, nodes: readonly ClusterNode[], openSlots: readonly OpenSlot[]): ViewGroup[] {
  const nameOf = nodeNamer(nodes);
  const open = new Set(openSlots.map(({ slot }) => slot));
  const isOpen = (difference: Difference): boolean =>
    difference.kind === 'owner' && slotsFromRanges([difference.range]).every((slot) => open.has(slot));
  return compareViews(gossip).map(({ nodeIds, differences }) => {
    const lines = differences.map((difference) => describeDifference(difference, nameOf));
    const more = lines.length - (MAX_DIFFERENCES - 1);
    const shown =
      lines.length <= MAX_DIFFERENCES ? lines : [...lines.slice(0, MAX_DIFFERENCES - 1), `and ${more} more`];
    return { nodeIds, differences: shown, onlyOpenSlots: differences.every(isOpen) };
  });
}
