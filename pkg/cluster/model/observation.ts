/**
 * Raw facts: what Kubernetes says and what every Redis node says, unmerged. Plain data, serialisable as JSON.
 *
 * Nothing here is decided: two nodes may contradict each other and both are kept. `interpret` makes a ClusterState of it.
 */
import type { LoginFacts, StorageClassFacts, TroubleFacts, WriteFacts } from './reasons.ts';
import type { SlotRanges } from './slots.ts';

export interface ClusterRef {
  readonly namespace: string;
  readonly name: string;
}

// ---------------------------------------------------------------------------------------------- what a Redis node says

/** One line of CLUSTER NODES (https://redis.io/docs/latest/commands/cluster-nodes/), as one node sees another. */
export interface GossipNode {
  readonly nodeId: string;
  /** IPv4, IPv6 without brackets, or '' when unknown (`:0@0`). What gossip says, not what we dial. */
  readonly ip: string;
  readonly port: number;
  readonly busPort: number;
  /** From 7.0 on, when cluster-announce-hostname is set; else null. */
  readonly hostname: string | null;
  /** 40 hex digits from 7.2 on (`shard-id=` in nodes.conf, or CLUSTER SHARDS); else null. */
  readonly shardId: string | null;
  /** As printed, `myself` included: master, slave, fail?, fail, handshake, noaddr, nofailover, noflags … */
  readonly flags: readonly string[];
  readonly role: 'primary' | 'replica' | 'unknown';
  /** Node id of the primary that it follows; null for a primary and for `-`. */
  readonly primaryId: string | null;
  readonly configEpoch: number;
  readonly linkUp: boolean;
  readonly slots: SlotRanges;
  /** Open slots; only ever on the `myself` line. */
  readonly migrating: readonly { readonly slot: number; readonly toNodeId: string }[];
  readonly importing: readonly { readonly slot: number; readonly fromNodeId: string }[];
}

/** CLUSTER INFO. Absent fields (old versions) are null. */
export interface ClusterInfo {
  readonly state: 'ok' | 'fail';
  readonly slotsAssigned: number;
  readonly slotsOk: number;
  readonly slotsPfail: number;
  readonly slotsFail: number;
  readonly knownNodes: number;
  readonly size: number;
  readonly currentEpoch: number;
  readonly myEpoch: number;
}

/** The parts of INFO that we use. Bytes are bytes, offsets are bytes, times are seconds. null = not told. */
export interface ServerInfo {
  readonly product: 'redis' | 'valkey';
  readonly version: string;
  readonly uptimeSeconds: number;
  readonly role: 'primary' | 'replica';
  readonly primaryHost: string | null;
  readonly primaryPort: number | null;
  readonly primaryLinkUp: boolean | null;
  /** Seconds since the link to the primary was lost; null when up, when it never was up since the server started, or for a primary. */
  readonly primaryLinkDownSeconds: number | null;
  readonly syncInProgress: boolean;
  readonly replicationOffset: number;
  /** The history that the offset counts in (master_replid): only within one can offsets be compared. Left out where it is not told. */
  readonly replicationId?: string;
  /** Keys at that offset (from the same INFO): to be compared within one history, as offsets are. */
  readonly keysAtOffset?: number;
  /** The history before it took over, which its own goes on with (master_replid2); left out where there was none. */
  readonly formerReplicationId?: string;
  /** Grows while it gets its data, or makes a snapshot for a replica: only good to see that it gets on. Left out while it does neither. */
  readonly copied?: number;
  readonly connectedReplicas: number;
  readonly usedMemoryBytes: number;
  /** 0 = no limit. */
  readonly maxMemoryBytes: number;
  readonly maxMemoryPolicy: string | null;
  readonly loading: boolean;
  readonly aofEnabled: boolean;
  /** The append-only file was switched on, and its first base is not written yet. Left out: it is, or there is none. */
  readonly firstLogPending?: boolean;
  readonly keys: number;
  /** Left out in records of older versions. */
  readonly writes?: WriteFacts;
}

/** Everything that one node answered, from one round trip. */
export interface NodeAnswer {
  readonly myId: string;
  readonly view: readonly GossipNode[];
  readonly clusterInfo: ClusterInfo;
  readonly info: ServerInfo;
  /** CONFIG GET of a few names; null when the user may not ask (ACL) or it was not asked for. */
  readonly config: Readonly<Record<string, string>> | null;
  /**
   * Sum of CLUSTER COUNTKEYSINSLOT over its own slots and open importing slots (law L5); null when it was not asked for
   * (only `check` and `status` count) or for a replica.
   */
  readonly keysInOwnSlots: number | null;
  /** It answers whoever comes, without a password. Left out: it wants one, or a record of an older version does not say. */
  readonly open?: boolean;
  /** Why a primary that was asked to count them did not, in its words or ours; left out when it did, or was not asked to. */
  readonly notCounted?: string;
  /**
   * Milliseconds since this node last heard another one over the bus, by its own clock; only of those that it has down or has no link
   * to. One that it never heard is left out. Left out as a whole where it was not told (a user without TIME, an older record). A node
   * that has just been started counts from its start: others may have been silent for longer than it says.
   */
  readonly lastHeardMs?: Readonly<Record<string, number>>;
  /**
   * Libraries of functions (FUNCTION LIST, from 7.0 on): name -> SHA-1 of the code. Left out when it was not asked for, the server
   * has no functions, or the user may not list them.
   */
  readonly libraries?: Readonly<Record<string, string>>;
}

/** Why a node could not be asked. A broken tunnel is not a dead node. */
export const UNREACHABLE_REASONS = [
  'no-pod',
  'not-running',
  'guard-waiting',
  'tunnel',
  'refused',
  'timeout',
  'auth',
  'permission',
  'loading',
  'not-cluster',
  'error',
] as const;

export type UnreachableReason = (typeof UNREACHABLE_REASONS)[number];

export type NodeReply =
  | { readonly kind: 'answered'; readonly answer: NodeAnswer; readonly elapsedMs: number }
  | {
      readonly kind: 'unreachable';
      readonly why: UnreachableReason;
      readonly detail: string;
      /** Only with `auth` and `permission`, and where it is known. */
      readonly login?: LoginFacts;
    };

// ---------------------------------------------------------------------------------------------- what Kubernetes says

/** Who wrote an object last, besides this tool and Kubernetes' own controllers, as its managedFields say. */
export interface Writer {
  /** `argocd-controller`, `kubectl-client-side-apply` … */
  readonly manager: string;
  /** ISO 8601; '' where it is not said. */
  readonly at: string;
}

export interface PodFacts {
  readonly name: string;
  readonly uid: string;
  /** '' until it has one. */
  readonly ip: string;
  /** Kubernetes node that it runs on; null while it is Pending. */
  readonly host: string | null;
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
  readonly ready: boolean;
  readonly terminating: boolean;
  /** State of the Redis container (annotation, name `redis`/`valkey`, or the first one). */
  readonly container: {
    readonly name: string;
    readonly image: string;
    readonly state: 'waiting' | 'running' | 'terminated' | 'unknown';
    /** CrashLoopBackOff, ErrImagePull, OOMKilled …; null when running. */
    readonly reason: string | null;
    readonly restarts: number;
    /** As the API server shows it, with what a LimitRange gave; left out where there is none. */
    readonly memoryLimitBytes?: number;
  };
  /** Container port that speaks Redis; 6379 unless the pod says another (port named redis/tcp-redis). */
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Names of the claims that it mounts, and whether any data volume is an emptyDir. */
  readonly claims: readonly string[];
  readonly ephemeralData: boolean;
  /** A claim that it mounts and that is being deleted: with its data it stays for as long as the pod does. Older recordings do not say. */
  readonly goingClaim?: string;
  readonly createdAt: string;
  /** kind/name of its controller, e.g. StatefulSet/redis-1; null for a bare pod. */
  readonly owner: string | null;
  /** Whether its scripts read ConfigMap NAME-state. Older recordings do not say. */
  readonly readsState?: boolean;
}

/** Older recordings do not say. */
interface Uid {
  readonly uid?: string;
}

export interface ServiceFacts extends Uid {
  readonly name: string;
  readonly clusterIP: string;
  readonly selector: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  readonly publishNotReadyAddresses: boolean;
  readonly writer?: Writer | null;
}

export interface StatefulSetFacts extends Uid {
  readonly name: string;
  readonly replicas: number;
  /** spec.ordinals.start; left out: 0. */
  readonly firstOrdinal?: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Of the pod template. */
  readonly templateLabels: Readonly<Record<string, string>>;
  readonly templateAnnotations: Readonly<Record<string, string>>;
  readonly image: string;
  /** Whether it deletes claims when it is deleted or scaled down (persistentVolumeClaimRetentionPolicy). Older recordings do not say. */
  readonly deletesClaims?: boolean;
  /** status.updateRevision: pods of the present template have it as label `controller-revision-hash`. Older recordings do not say. */
  readonly revision?: string;
  /** Whether the scripts of its pods will read ConfigMap NAME-state. Older recordings do not say. */
  readonly readsState?: boolean;
  readonly writer?: Writer | null;
}

/** A Kubernetes node. */
export interface HostFacts {
  readonly name: string;
  readonly zone: string | null;
  readonly ready: boolean;
  /** Not cordoned and without a NoSchedule/NoExecute taint. */
  readonly schedulable: boolean;
}

export interface ClaimFacts {
  readonly name: string;
  readonly phase: string;
  readonly storageClass: string | null;
  /** What it asks for, as a Kubernetes quantity; left out in records of older versions. */
  readonly size?: string;
  /** Recordings of older versions do not say. */
  readonly createdAt?: string;
  readonly setAside?: boolean;
}

/** What there is to say of ConfigMap NAME-config besides its data. */
export interface ConfigFacts {
  /** Of redis.conf and scripts as they are (model/config-digest.ts). */
  readonly digest: string;
  readonly writer: Writer | null;
}

export interface OperationFacts {
  readonly holder: string;
  readonly verb: string;
  readonly acquiredAt: string;
  readonly renewedAt: string;
  readonly durationSeconds: number;
  /** How far it is, in words; null when it has not said so. */
  readonly progress: string | null;
}

export interface KubeFacts {
  readonly pods: readonly PodFacts[];
  /** Services whose name or label belongs to the cluster. */
  readonly services: readonly ServiceFacts[];
  readonly statefulSets: readonly StatefulSetFacts[];
  readonly hosts: readonly HostFacts[];
  readonly claims: readonly ClaimFacts[];
  /** The data of ConfigMap NAME-config; null when there is none. */
  readonly config: Readonly<Record<string, string>> | null;
  readonly configFacts?: ConfigFacts | null;
  /** The data of ConfigMap NAME-state; null when there is none. Recordings of older versions lack it. */
  readonly state?: Readonly<Record<string, string>> | null;
  readonly operation: OperationFacts | null;
  /** What we could not read (mostly rights): `nodes`, and the server's sentence. */
  readonly gaps: readonly { readonly what: string; readonly why: string }[];
  /** Of a few pods at most; left out where nobody asked for it (only `check` and `status` do). */
  readonly troubles?: readonly TroubleFacts[];
  /** Of claims whose volume takes no writes; left out where there are none, or they may not be read. */
  readonly storageClasses?: readonly StorageClassFacts[];
}

export interface Observation {
  readonly schema: 1;
  readonly cluster: ClusterRef;
  /** ISO 8601. */
  readonly observedAt: string;
  readonly kube: KubeFacts;
  /** One for each pod, in the order of `kube.pods`. */
  readonly replies: readonly { readonly pod: string; readonly reply: NodeReply }[];
}

/** No right to list things of that kind (`services`, `nodes` …): those that there are, are not seen. */
export function isUnread({ gaps }: Pick<KubeFacts, 'gaps'>, kind: string): boolean {
  return gaps.some(({ what }) => what === kind);
}
