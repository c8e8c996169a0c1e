/**
 * The fields of API objects that we read, as they come over the wire (dates are text). Everything may be missing: old
 * servers and other people's objects leave much out.
 */

export type StringMap = Readonly<Record<string, string>>;

export interface RawMeta {
  readonly name?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly labels?: StringMap;
  readonly annotations?: StringMap;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly resourceVersion?: string;
  readonly ownerReferences?: readonly {
    readonly kind?: string;
    readonly name?: string;
    readonly controller?: boolean;
  }[];
  /** Who set which fields; the fields themselves are of no use to us. */
  readonly managedFields?: readonly {
    readonly manager?: string;
    readonly time?: string;
    readonly subresource?: string;
  }[];
}

export interface RawContainer {
  readonly name?: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name?: string; readonly value?: string }[];
  readonly ports?: readonly { readonly name?: string; readonly containerPort?: number }[];
  readonly volumeMounts?: readonly { readonly name?: string; readonly mountPath?: string }[];
  readonly resources?: RawResources;
}

export interface RawResources {
  readonly limits?: StringMap;
}

export interface RawVolume {
  readonly name?: string;
  readonly persistentVolumeClaim?: { readonly claimName?: string };
  readonly emptyDir?: unknown;
  readonly ephemeral?: unknown;
  readonly hostPath?: unknown;
  readonly csi?: unknown;
  readonly nfs?: unknown;
  readonly projected?: { readonly sources?: readonly { readonly configMap?: { readonly name?: string } }[] };
}

export interface RawPodSpec {
  readonly nodeName?: string;
  readonly containers?: readonly RawContainer[];
  readonly initContainers?: readonly RawContainer[];
  /** Of all containers together (from Kubernetes 1.32 on). */
  readonly resources?: RawResources;
  readonly volumes?: readonly RawVolume[];
}

export interface RawTerminated {
  readonly exitCode?: number;
  readonly signal?: number;
  readonly reason?: string;
  readonly message?: string;
}

export interface RawContainerStatus {
  readonly name?: string;
  readonly restartCount?: number;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly running?: unknown;
    readonly terminated?: RawTerminated;
  };
  readonly lastState?: { readonly terminated?: RawTerminated };
}

export interface RawCondition {
  readonly type?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface RawPod {
  readonly metadata?: RawMeta;
  readonly spec?: RawPodSpec;
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly RawCondition[];
    readonly containerStatuses?: readonly RawContainerStatus[];
    readonly initContainerStatuses?: readonly RawContainerStatus[];
  };
}

export interface RawService {
  readonly metadata?: RawMeta;
  readonly spec?: {
    readonly clusterIP?: string;
    readonly selector?: StringMap;
    readonly ports?: readonly { readonly name?: string; readonly port?: number }[];
    readonly publishNotReadyAddresses?: boolean;
  };
}

export interface RawSelector {
  readonly matchLabels?: StringMap;
  readonly matchExpressions?: readonly {
    readonly key?: string;
    readonly operator?: string;
    readonly values?: readonly string[];
  }[];
}

/** StatefulSet or Deployment. */
export interface RawWorkload {
  readonly metadata?: RawMeta;
  readonly spec?: {
    readonly replicas?: number;
    /** Of StatefulSets. */
    readonly ordinals?: { readonly start?: number };
    readonly persistentVolumeClaimRetentionPolicy?: { readonly whenDeleted?: string; readonly whenScaled?: string };
    readonly volumeClaimTemplates?: readonly { readonly metadata?: RawMeta }[];
    readonly selector?: RawSelector;
    readonly template?: { readonly metadata?: RawMeta; readonly spec?: RawPodSpec };
  };
  readonly status?: { readonly replicas?: number; readonly updateRevision?: string };
}

export interface RawHost {
  readonly metadata?: RawMeta;
  readonly spec?: {
    readonly unschedulable?: boolean;
    readonly taints?: readonly { readonly key?: string; readonly effect?: string }[];
  };
  readonly status?: { readonly conditions?: readonly RawCondition[] };
}

export interface RawClaim {
  readonly metadata?: RawMeta;
  readonly spec?: {
    readonly storageClassName?: string;
    readonly resources?: { readonly requests?: StringMap };
  };
  readonly status?: { readonly phase?: string };
}

export interface RawConfig {
  readonly metadata?: RawMeta;
  readonly data?: StringMap;
}

export interface RawStorageClass {
  readonly metadata?: RawMeta;
  readonly provisioner?: string;
}

export interface RawLease {
  readonly metadata?: RawMeta;
  readonly spec?: {
    readonly holderIdentity?: string | null;
    readonly acquireTime?: string | null;
    readonly renewTime?: string | null;
    readonly leaseDurationSeconds?: number | null;
  };
}

/** core/v1 Event; new ones carry `eventTime` and `series`, old ones `lastTimestamp`. */
export interface RawEvent {
  readonly metadata?: RawMeta;
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly involvedObject?: { readonly kind?: string; readonly name?: string; readonly uid?: string };
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly series?: { readonly lastObservedTime?: string | null } | null;
}

export interface RawList<T> {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly T[];
}
