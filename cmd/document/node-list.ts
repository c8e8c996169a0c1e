/** Document of `nodes`: NodeList. */
import type { ClusterNode, ClusterState } from '../../pkg/cluster/model/state.ts';
import type { NodeAnswer, UnreachableReason } from '../../pkg/cluster/model/observation.ts';
import { shardsByNode } from '../view/nodes.ts';
import type { PlacedShard } from '../view/nodes.ts';
import { API_VERSION, memberOf, metadataOf, rangesOf } from './document.ts';
import type { Member, Metadata, Range } from './document.ts';

export interface NodeEntry extends Member {
  readonly shard: string | null;
  readonly slots: readonly Range[];
  readonly primaryId: string | null;
  /** Why it could not be asked; null when it answered, and for an id without a pod. */
  readonly unreachable: { readonly why: UnreachableReason; readonly detail: string } | null;
  /** As gossip prints them. */
  readonly flags: readonly string[];
  readonly replication: {
    readonly linkUp: boolean | null;
    readonly syncing: boolean;
    readonly lagBytes: number | null;
  } | null;
  readonly memory: { readonly usedBytes: number; readonly maxBytes: number; readonly policy: string | null } | null;
  readonly server: { readonly product: string; readonly version: string; readonly uptimeSeconds: number } | null;
  readonly podStatus: {
    readonly phase: string;
    readonly ready: boolean;
    readonly terminating: boolean;
    readonly restarts: number;
    readonly createdAt: string;
  } | null;
}

export interface NodeListDocument {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: 'NodeList';
  readonly metadata: Metadata;
  readonly items: readonly NodeEntry[];
}

export function nodeListOf(state: ClusterState): NodeListDocument {
  const shards = shardsByNode(state);
  return {
    apiVersion: API_VERSION,
    kind: 'NodeList',
    metadata: metadataOf(state),
    items: state.nodes.map((node) => nodeEntry(state, node, shards.get(node) ?? null)),
  };
}

function nodeEntry(state: ClusterState, node: ClusterNode, placed: PlacedShard | null): NodeEntry {
  const answer = node.reply?.kind === 'answered' ? node.reply.answer : null;
  return {
    ...memberOf(state, node, placed?.shard ?? null),
    shard: placed?.shard.name ?? null,
    slots: rangesOf(node.slots),
    primaryId: node.primaryId,
    unreachable: node.unreachable === null ? null : { why: node.unreachable.why, detail: node.unreachable.detail },
    flags: node.gossip?.flags ?? [],
    ...answerFields(node, answer),
    podStatus:
      node.pod === null
        ? null
        : {
            phase: node.pod.phase,
            ready: node.pod.ready,
            terminating: node.pod.terminating,
            restarts: node.pod.container.restarts,
            createdAt: node.pod.createdAt,
          },
  };
}

function answerFields(
  node: ClusterNode,
  answer: NodeAnswer | null,
): Pick<NodeEntry, 'replication' | 'memory' | 'server'> {
  if (answer === null) return { replication: null, memory: null, server: null };
  const { info } = answer;
  return {
    replication:
      node.role === 'replica'
        ? { linkUp: info.primaryLinkUp, syncing: info.syncInProgress, lagBytes: node.lagBytes }
        : null,
    memory: { usedBytes: info.usedMemoryBytes, maxBytes: info.maxMemoryBytes, policy: info.maxMemoryPolicy },
    server: { product: info.product, version: info.version, uptimeSeconds: info.uptimeSeconds },
  };
}
