/**
 * A plan is data: it can be printed, serialised and simulated. A step names nodes by id (law L1) and by pod for people,
 * and says why it is there. A batch is a set of steps that may run side by side; the next batch is planned only after the
 * cluster was observed again.
 */
import type { SlotRanges } from './slots.ts';
import type { ClusterSpec } from './spec.ts';

/** Who a step is for. */
export interface StepNode {
  readonly nodeId: string;
  readonly pod: string;
}

/** A Kubernetes object that is there: this very one (`uid`), not a later one of its name. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** Objects are named here and rendered by pkg/pod when the step is applied. */
export type Step = { readonly reason: string } & (
  | { readonly kind: 'apply-services'; readonly ordinals: readonly number[]; readonly client: boolean }
  | { readonly kind: 'apply-config' }
  | { readonly kind: 'apply-budgets'; readonly shards: readonly string[] }
  | { readonly kind: 'apply-workloads'; readonly ordinals: readonly number[] }
  | { readonly kind: 'replace-pod'; readonly pod: string; readonly podUid: string }
  | { readonly kind: 'wait-pods'; readonly pods: readonly string[] }
  | { readonly kind: 'mark-formed' }
  | { readonly kind: 'set-node-timeout'; readonly node: StepNode; readonly milliseconds: number }
  | { readonly kind: 'set-config-epoch'; readonly node: StepNode; readonly epoch: number }
  | { readonly kind: 'add-slots'; readonly node: StepNode; readonly ranges: SlotRanges }
  | { readonly kind: 'meet'; readonly node: StepNode; readonly other: StepNode; readonly otherUid: string }
  | { readonly kind: 'replicate'; readonly node: StepNode; readonly primary: StepNode }
  | { readonly kind: 'move-slots'; readonly source: StepNode; readonly target: StepNode; readonly ranges: SlotRanges }
  /** Keys of slots that `holder` does not own go to who owns them (laws L4-L6). null = they are to be found first. */
  | {
      readonly kind: 'settle-strays';
      readonly holder: StepNode;
      readonly slots: SlotRanges | null;
      /** Their owner has them open towards the holder, and closes them: a move is taken back. */
      readonly ownerGives?: true;
      /** Id of a third node, to which the owner's marks give them and which does not import them: those are given up as well. */
      readonly staleMark?: string;
      /** Ids of owners whose servers take no key of the holder's: the holder opens their slots, which then go to it. */
      readonly older?: readonly string[];
    }
  | { readonly kind: 'await-convergence'; readonly pods: readonly string[] }
  /** In place of what is recorded. `isNew`: and that the cluster was never formed, which is certain. */
  | { readonly kind: 'record-spec'; readonly spec: ClusterSpec; readonly isNew?: boolean }
  /** Coordinated: `node`, a replica in step, takes over from `primary`. */
  | { readonly kind: 'failover'; readonly node: StepNode; readonly primary: StepNode }
  /** Without the old primary's word; over when all others who answer see that `node` leads. */
  | {
      readonly kind: 'take-over';
      readonly node: StepNode;
      readonly how: 'force' | 'takeover';
      /** The old primary, where it is taken for dead: if `node` hears it again when its turn comes, nothing is done. null = in any case. */
      readonly dead: StepNode | null;
    }
  /** Evicts that very pod; over when its successor answers as the same node, in step with its primary. */
  | { readonly kind: 'restart-pod'; readonly pod: string; readonly podUid: string; readonly node: StepNode }
  /** These very pods are to be restarted: whoever goes on with it knows them by the mark. */
  | {
      readonly kind: 'mark-pods';
      readonly pods: readonly { readonly pod: string; readonly podUid: string }[];
      readonly at: string;
    }
  /** CONFIG SET, while the server runs. */
  | { readonly kind: 'set-config'; readonly node: StepNode; readonly directives: Readonly<Record<string, string>> }
  /** Libraries of functions that `node` lacks, from a node that has them. */
  | {
      readonly kind: 'load-functions';
      readonly node: StepNode;
      readonly source: StepNode;
      readonly libraries: readonly string[];
    }
  /** `victim` owns nothing, and its pod is gone; `nodes` are all others. */
  | { readonly kind: 'forget'; readonly victim: StepNode; readonly nodes: readonly StepNode[] }
  /** A primary without slots drops what it still holds of those that it gave away. */
  | { readonly kind: 'await-empty'; readonly node: StepNode }
  | { readonly kind: 'remove-object'; readonly object: ObjectRef }
  | { readonly kind: 'wait-gone'; readonly objects: readonly ObjectRef[] }
  /** `node` is told who owns slots; it holds no key of them, unless it is the owner itself. */
  | { readonly kind: 'set-slot-owner'; readonly node: StepNode; readonly owner: StepNode; readonly ranges: SlotRanges }
  /** Marks of open slots on `node` are cleared (laws L3, L4): no key of them is where it would be lost by that. */
  | {
      readonly kind: 'close-slots';
      readonly node: StepNode;
      readonly ranges: SlotRanges;
      /** The other primaries: none of them may hold a key of a slot that `node` owns. */
      readonly others: readonly StepNode[];
    }
  /** Slots that nobody owns go to `node`; none of `others` holds a key of them (law L4). */
  | {
      readonly kind: 'cover-slots';
      readonly node: StepNode;
      readonly ranges: SlotRanges;
      readonly others: readonly StepNode[];
    }
  /** `node` gives up its claim to slots of which it holds no key, for `owner`, whose claim becomes the stronger one. */
  | { readonly kind: 'yield-slots'; readonly node: StepNode; readonly owner: StepNode; readonly ranges: SlotRanges }
  /** An owner of slots that nobody else claims gets a config epoch above all others, so that every view has the same of it. */
  | { readonly kind: 'bump-epoch'; readonly node: StepNode }
  /** A node without keys and without slots forgets the cluster; it keeps its id. */
  | { readonly kind: 'reset-node'; readonly node: StepNode }
  /** The record no longer says that the cluster was formed: nodes start without data and without asking anybody. */
  | { readonly kind: 'clear-formed' }
);

export type StepKind = Step['kind'];

export interface Batch {
  /** What a person would call it: `create pods`, `join nodes`. */
  readonly title: string;
  readonly steps: readonly Step[];
}

/** Anything in a plan that a person should know before saying yes. */
export interface Remark {
  readonly code: string;
  readonly sentence: string;
}

export type Plan =
  | { readonly kind: 'nothing'; readonly remarks: readonly Remark[] }
  | { readonly kind: 'refused'; readonly code: string; readonly sentence: string; readonly hint: string }
  | { readonly kind: 'batches'; readonly batches: readonly Batch[]; readonly remarks: readonly Remark[] };

export type AntiAffinity = 'hard' | 'soft' | 'off';

export interface CreateGoal {
  readonly kind: 'create';
  readonly masters: number;
  readonly replicas: number;
}

export interface DeleteGoal {
  readonly kind: 'delete';
  /** Claims and all, or only what runs. */
  readonly purge: boolean;
}

export interface ScaleGoal {
  readonly kind: 'scale';
  readonly masters: number;
  readonly replicas: number;
}

export interface RebalanceGoal {
  readonly kind: 'rebalance';
  readonly by: 'slots' | 'keys' | 'memory';
}

export interface FixGoal {
  readonly kind: 'fix';
}

export interface FailoverGoal {
  readonly kind: 'failover';
  /** Who shall lead, and whose role it takes. */
  readonly node: StepNode;
  readonly primary: StepNode;
  readonly how: 'coordinated' | 'force' | 'takeover';
}

export interface RestartGoal {
  readonly kind: 'restart';
  /** Pods that are to be new, in no order; `podUid` is that of the old one. */
  readonly pods: readonly { readonly pod: string; readonly podUid: string }[];
  /** When it was asked for: ISO 8601. */
  readonly at: string;
}

export type Goal = CreateGoal | DeleteGoal | ScaleGoal | RebalanceGoal | FailoverGoal | RestartGoal | FixGoal;

/** What may lose data is named here and off by default. */
export interface Policy {
  /** CONFIG SET a short cluster-node-timeout while forming, where the pods' own probe puts it back. */
  readonly fastForming: boolean;
}
