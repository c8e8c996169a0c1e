/** Raw facts that only say why something is not as it should be: why a primary takes no writes, a pod does not run, a login was refused. */

/** What decides whether a primary takes writes, besides its role and the cluster's state. Servers tell all of it. */
export interface WriteFacts {
  /** The last write to the append-only file went through; true where there is none. */
  readonly aofWriteOk: boolean;
  /** The last rewrite of the append-only file did. */
  readonly aofRewriteOk: boolean;
  /** The last snapshot did. */
  readonly snapshotOk: boolean;
  /** Replicas that lag little enough for min-replicas-to-write; null where that is off. */
  readonly goodReplicas: number | null;
  /** Keys with an expiry: the only ones that a volatile-* policy evicts. */
  readonly expiringKeys: number;
  /** Of the used memory, buffers that do not count against maxmemory. */
  readonly uncountedMemoryBytes: number;
}

/** Who asked a node that refused, and where the password came from. */
export interface LoginFacts {
  readonly user: string;
  /** Name of the Secret that holds the password that was used; null where none does. */
  readonly secret: string | null;
  /** Commands that the user may not run, as ACL rules name them: `cluster|nodes`. Empty where the login itself was refused. */
  readonly denied: readonly string[];
}

/** Why a pod does not run, or runs and is not ready, as the Kubernetes port finds it in events, statuses and logs. */
export interface TroubleFacts {
  readonly pod: string;
  /** See PodTrouble in pkg/engine/ports.ts. */
  readonly code: string;
  readonly sentence: string;
  /** Last lines of its log, or what events say. */
  readonly evidence: readonly string[];
}

export interface StorageClassFacts {
  readonly name: string;
  /** Its claims may grow (allowVolumeExpansion). */
  readonly expands: boolean;
}
