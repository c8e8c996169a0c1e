/**
 * What the cluster is, as far as the facts tell. Made by `interpret`; pure data. Disagreement between nodes is kept,
 * never voted away: `views` lists who believes what.
 */
import type { ClusterRef, GossipNode, NodeReply, OperationFacts, PodFacts, UnreachableReason } from './observation.ts';
import type { SlotRanges } from './slots.ts';

/** A Redis node: a pod that was asked, a pod that did not answer, or an id that only gossip knows. */
export interface ClusterNode {
  /** null when the pod did not answer and nothing else ties it to an id. */
  readonly nodeId: string | null;
  /** null for an id that no pod has (a ghost). Ids in handshake are random and pass; they are not nodes. */
  readonly pod: PodFacts | null;
  readonly reply: NodeReply | null;
  readonly unreachable: { readonly why: UnreachableReason; readonly detail: string } | null;
  /** Its own word when it answered; else what most others say. */
  readonly role: 'primary' | 'replica' | 'unknown';
  readonly primaryId: string | null;
  /** What gossip says of it, from its own view or else from the majority. null = nobody knows it. */
  readonly gossip: GossipNode | null;
  /** Address that others use for it (`ip:port`); null when unknown. */
  readonly announced: string | null;
  readonly host: string | null;
  readonly zone: string | null;
  /** Slots that it owns in the merged map. */
  readonly slots: SlotRanges;
  /** In all its databases; null when it did not answer. */
  readonly keys: number | null;
  /** Bytes behind its primary; null for a primary or when unknown. */
  readonly lagBytes: number | null;
  /** The planner's shard from the label; null on clusters that we did not make. */
  readonly shardLabel: string | null;
}

/** A part of the slots and those who hold it: one primary and its replicas. */
export interface Shard {
  /** The label where nodes carry one, else the position by first slot, from "1". */
  readonly name: string;
  /** null when no primary is known (all gone). */
  readonly primary: ClusterNode | null;
  readonly replicas: readonly ClusterNode[];
  readonly slots: SlotRanges;
}

/** Reachable nodes that agree about (id -> role, primary, slots, address). The largest group comes first. */
export interface ViewGroup {
  readonly nodeIds: readonly string[];
  /** What differs from the first group, in words, at most ten lines; empty for the first group. */
  readonly differences: readonly string[];
  /** Nothing differs but who owns slots that are open. */
  readonly onlyOpenSlots: boolean;
}

export interface OpenSlot {
  readonly slot: number;
  readonly migratingFrom: string | null;
  readonly importingTo: string | null;
}

/** Of a node that no pod is: a claim that none mounts, or a Service that leads to none. */
export interface Leftover {
  /** NAME-N; null for a claim whose name does not tell it. */
  readonly node: string | null;
  /** null = there is none, or they may not be listed. */
  readonly claim: string | null;
  /** A person knows of the claim: it need not be named, but what it may hold is given away as little as before. */
  readonly setAside: boolean;
  /** ClusterIP of its Service; null where there is none, or where it leads to a pod. */
  readonly address: string | null;
}

/** Desired shape, as recorded. */
export interface DesiredShape {
  readonly masters: number;
  /** Per primary. */
  readonly replicas: number;
  /** Ordinals of the nodes that there are or shall be, those that go included; left out: 1 … masters x (1 + replicas). */
  readonly ordinals?: readonly number[];
  /** Those of them that go: a change of shape was begun, and is not finished. */
  readonly leaving?: readonly number[];
}

export interface ClusterState {
  readonly cluster: ClusterRef;
  readonly observedAt: string;
  /** `ours` when a shape is recorded (model/record.ts), else `foreign`. */
  readonly origin: 'ours' | 'foreign';
  readonly desired: DesiredShape | null;
  /** The first MEET was sent, by evidence or by the record; or nobody can know that it was not (interpret/formed.ts). */
  readonly formed: boolean;
  /** The record says so. Only then does a node whose volume was lost wait for the others. */
  readonly formedMark: boolean;
  /** Pods first, in name order (numbers by value), then ids without a pod. */
  readonly nodes: readonly ClusterNode[];
  readonly shards: readonly Shard[];
  /** Slots that nobody who was asked owns or names an owner for. */
  readonly uncovered: SlotRanges;
  /** Slots for which views name more than one owner, or only owners that answered and deny it. */
  readonly contested: readonly {
    readonly range: { readonly start: number; readonly end: number };
    readonly ownerIds: readonly string[];
  }[];
  readonly openSlots: readonly OpenSlot[];
  readonly views: readonly ViewGroup[];
  /** What remains of nodes that are no pods, whatever the record says of them (interpret/leftovers.ts). */
  readonly leftovers: readonly Leftover[];
  readonly operation: OperationFacts | null;
  /** Rights that were missing and the like; shown as remarks. */
  readonly gaps: readonly { readonly what: string; readonly why: string }[];
}
