/**
 * The two narrow ports through which the engine touches the world. pkg/kube implements KubePort, pkg/redis RedisPort;
 * neither knows the other: RedisPort is given a Dialer, which cmd/main wires to a tunnel or to a plain socket.
 */
import type { Duplex } from 'node:stream';
import type { NoRoom } from '../cluster/model/no-room.ts';
import type { ClusterRef, KubeFacts, NodeReply, PodFacts } from '../cluster/model/observation.ts';
import type { SlotRanges } from '../cluster/model/slots.ts';

/** Any Kubernetes object, as JSON. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
}

/** Stands between an operation and all that it changes: open for as long as the operation surely holds its Lease. */
export interface Fence {
  /** To be asked in the same turn of the event loop in which something is sent: a connection may have taken its time to open. */
  isOpen(): boolean;
  /** Resolves when it is open: at once, as a rule. @throws AppError `lease-lost` when it will not open again */
  pass(): Promise<void>;
  /** Of the operation's connections that change something, so that its successor can end them. */
  readonly connectionName: string;
}

export interface RequestOptions {
  readonly signal?: AbortSignal;
  readonly fence?: Fence;
}

export interface ApplyOptions extends RequestOptions {
  /** Let the server check it and change nothing. */
  readonly dryRun?: boolean;
}

export interface RemoveOptions extends RequestOptions {
  /** Only that very object, and with `resourceVersion` only as it was then. */
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly graceSeconds?: number;
  /** It is only asked whether it may be deleted. */
  readonly dryRun?: boolean;
}

/** Why a pod is not running yet, in one sentence, with the evidence. */
export interface PodTrouble {
  readonly pod: string;
  /**
   * `unschedulable`, `claim-unbound`, `no-storage-class`, `volume`, `image`, `container-config`, `crash-loop`,
   * `out-of-memory`, `guard-waiting`, `rejected`, `failed`, `terminating`, `gone`, `starting`.
   */
  readonly code: string;
  readonly sentence: string;
  /** Last log lines, event messages. */
  readonly evidence: readonly string[];
  /** Waiting longer can't help: a person has to change something. */
  readonly fatal: boolean;
  /**
   * Another one each time that it happens anew: the time of an event, by the server's clock, or a number of restarts. One that stays
   * is history: somebody may have mended it since. Left out for what is so now.
   */
  readonly mark?: string;
}

/** Parts of KubeFacts that a view can do without; what is left out is empty or null, and no gap. */
export type FactsPart = 'statefulSets' | 'hosts' | 'claims' | 'config' | 'operation';

export interface FactsOptions {
  readonly leaveOut?: readonly FactsPart[];
  /** Called once with the pods, as soon as they are known: whoever asks them need not wait for the rest. */
  readonly onPods?: (pods: readonly PodFacts[]) => void;
}

/** A Redis Cluster that `list` found. */
export interface ListedCluster {
  readonly namespace: string;
  readonly name: string;
  /** `ours`: made by `create`; `labelled`: pods with our label only; `foreign`: a workload that looks like one. */
  readonly origin: 'ours' | 'labelled' | 'foreign';
  /** Pods that are there; for `foreign`: that its workload counts. */
  readonly pods: number;
}

export type Eviction =
  { readonly kind: 'evicted' } | { readonly kind: 'gone' } | { readonly kind: 'not-now'; readonly why: string };

export interface KubePort {
  readonly namespace: string;
  /** One read of everything that belongs to a cluster. Missing rights become `gaps` where a view can live without. */
  readFacts(cluster: ClusterRef, signal?: AbortSignal, options?: FactsOptions): Promise<KubeFacts>;
  /**
   * All clusters of a namespace, or of all namespaces (null), by namespace and name.
   * @param onGap called for each kind that may not be listed, with the server's sentence: less is found then
   */
  listClusters(
    namespace: string | null,
    onGap?: (what: string, why: string) => void,
  ): Promise<readonly ListedCluster[]>;
  get(apiVersion: string, kind: string, name: string, options?: RequestOptions): Promise<KubeObject | null>;
  list(
    apiVersion: string,
    kind: string,
    options?: { readonly selector?: string; readonly allNamespaces?: boolean },
  ): Promise<readonly KubeObject[]>;
  /** Server-side apply, field manager `kubectl-redis`, forced. Returns what the server stored. */
  apply(object: KubeObject, options?: ApplyOptions): Promise<KubeObject>;
  /** POST; throws AppError `already-exists` on 409. */
  create(object: KubeObject, options?: RequestOptions): Promise<KubeObject>;
  /** PUT with the object's resourceVersion (compare-and-swap); throws AppError `conflict` on 409. */
  replace(object: KubeObject, options?: RequestOptions): Promise<KubeObject>;
  /** Deletes; true when it was there. */
  remove(apiVersion: string, kind: string, name: string, options?: RemoveOptions): Promise<boolean>;
  /**
   * Asks for the eviction of that very pod, which the budgets of its shard may refuse for now (policy/v1 Eviction).
   * @returns `gone` when it is not there any more; `not-now` with the server's reason
   */
  evict(pod: string, uid: string, options?: RequestOptions): Promise<Eviction>;
  /** Calls `onChange` with all pods that match, at once and at each change, until the signal aborts. Survives a dropped watch. */
  watchPods(selector: string, onChange: (pods: readonly PodFacts[]) => void, signal: AbortSignal): Promise<void>;
  /** Last lines of a container's log; `previous` of the one before. Never throws: no log is no lines. */
  logTail(pod: string, container: string, lines: number, previous?: boolean): Promise<readonly string[]>;
  /** Looks at pod, events, claims, logs. null when nothing is wrong with it. */
  whyNotReady(pod: PodFacts): Promise<PodTrouble | null>;
  /** Why a StatefulSet has no pod (quota, PodSecurity, a webhook); null when nothing says so. `pod` is the one it wants. */
  whyNoPod(statefulSetName: string): Promise<PodTrouble | null>;
  close(): void;
}

/**
 * A stream to the Redis port of a pod. Rejects with AppError whose code is an UnreachableReason (`tunnel`, `refused`,
 * `timeout`). A tunnel learns only after it was opened that the pod refused it: the stream is then destroyed with such an error.
 */
export type Dialer = (pod: PodFacts, signal: AbortSignal) => Promise<Duplex>;

/**
 * Nodes that are asked at once, because each needs a tunnel through the API server. As many again may be silent and wait for their
 * deadline beside them, so that a few frozen nodes do not hold the others up.
 */
export const MAX_TUNNELS = 32;

/** A command and its arguments, as Redis takes them. */
export type RedisCommand = readonly [name: string, ...args: (string | number)[]];
export type RedisCommands = readonly RedisCommand[];

export interface AskOptions {
  readonly deadlineMs: number;
  /** Also CONFIG GET of what the checks compare. */
  readonly withConfig?: boolean;
  /** Also count keys per slot (law L5). */
  readonly countKeys?: boolean;
}

export interface RedisPort {
  /** Everything of one node. Never throws: a node that can't be asked is an answer too. */
  ask(pod: PodFacts, options: AskOptions): Promise<NodeReply>;
  /**
   * Runs commands on one connection, pipelined, in order. A reply that is an error is an Error in its place. Throws AppError
   * (code = UnreachableReason) when the node can't be reached in time: the result is then unknown (law L12).
   */
  run(pod: PodFacts, commands: RedisCommands, deadlineMs: number, fence?: Fence): Promise<readonly unknown[]>;
  close(): void;
}

/** A primary that takes part in a move. */
export interface MoveEnd {
  readonly pod: PodFacts;
  readonly nodeId: string;
  /** Where the other nodes reach it: what it announces. */
  readonly ip: string;
  readonly port: number;
}

/** Slots that go from one primary to another. Slots of `ranges` that are the target's already are done, not an error. */
export interface SlotMove {
  readonly source: MoveEnd;
  readonly target: MoveEnd;
  readonly ranges: SlotRanges;
  /** The other primaries: they are told of the new owner last (law L3). */
  readonly others: readonly MoveEnd[];
  /** Slots that the source was seen to give to another node when the move was planned, which the plan gives up; left out: none. */
  readonly marks?: readonly number[];
}

export interface MoveLimits {
  /** The longest that one MIGRATE may block its source, in milliseconds; a key bigger than that goes alone. */
  readonly maxPauseMs: number;
  /** Bytes a second of one move; null = no limit. */
  readonly maxBandwidth: number | null;
}

/** What was done since the move began; bytes as the servers tell them, 0 where they don't. */
export interface MoveProgress {
  readonly slots: number;
  readonly keys: number;
  readonly bytes: number;
  /**
   * Slots' worth of data that has arrived in slots whose owner has not changed yet, as far as it can be told: servers that move
   * slots by themselves change the owner of many at once. Its keys and bytes are counted already. 0 when the move is over.
   */
  readonly arriving: number;
}

/**
 * Moves slots with their keys. One that was cut short anywhere leaves a state from which the same move goes on; an abort
 * ends it at the next clean point (slots owned by one node, or properly open between the two).
 */
export interface SlotMover {
  /** @throws AppError; what was moved stays moved */
  move(
    move: SlotMove,
    limits: MoveLimits,
    onProgress: (progress: MoveProgress) => void,
    signal: AbortSignal,
    fence?: Fence,
  ): Promise<MoveProgress>;
  /**
   * Of slots that are open between the two; changes nothing.
   *
   * @returns null = the target has room for what the source still has of them, or evicts nothing
   * @throws AppError where that is not told
   */
  lacks(move: Pick<SlotMove, 'source' | 'target' | 'ranges'>, signal: AbortSignal): Promise<NoRoom | null>;
}

/** A primary that holds keys of slots that others own. */
export interface StrayKeys {
  readonly holder: MoveEnd;
  /** The other primaries that can be asked; whose each slot is, they say themselves. */
  readonly others: readonly MoveEnd[];
  /** null = find them: newer servers hide such keys, and only their number is known. */
  readonly slots: SlotRanges | null;
  /** Their owner has them open towards the holder, and takes keys of them only when it has closed them. */
  readonly ownerGives?: boolean;
  /** Id of a third node that marks of the owner name: they are given up too. Marks that name yet another one are somebody's move. */
  readonly staleMark?: string | undefined;
  /** Ids of owners that take no key of the holder's: their slots with keys are marked as importing on the holder, and left so. */
  readonly older?: readonly string[] | undefined;
}

export interface StraysSettled {
  /** Slots whose keys went to their owners, or were there already. */
  readonly slots: SlotRanges;
  readonly keys: number;
  readonly bytes: number;
}

/**
 * Brings keys to the owners of their slots. The owner's copy of a key wins (law L6); another one that differs is saved before it is
 * given up. One that was cut short leaves every key on at least one of the two nodes, and may be run again.
 */
export interface StraySettler {
  /** @throws AppError `stray-without-owner`, `key-conflict` …; what was brought home stays there */
  settle(
    strays: StrayKeys,
    limits: MoveLimits,
    onProgress: (progress: MoveProgress) => void,
    signal: AbortSignal,
    fence?: Fence,
  ): Promise<StraysSettled>;
}

/** Time, so that tests can hold it. */
export interface Clock {
  /** Milliseconds since 1970, as this machine believes. People and other programs set it. */
  now(): number;
  /** Milliseconds that only ever go on, at one pace, also while the machine sleeps; from when is left open. */
  monotonic(): number;
  /** Resolves after the time or rejects when the signal aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}
