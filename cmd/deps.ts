/** What a verb is given: the world, and nothing that it must find for itself. Types only. */
import type { Clock, KubePort, RedisPort, SlotMover, StraySettler } from '../pkg/engine/ports.ts';
import type { Globals } from './global-flags.ts';
import type { Terminal } from './terminal.ts';

/** A Kubernetes cluster and the Redis nodes in it, as the global flags choose them. */
export interface Session {
  /** Of the namespace below. */
  readonly kube: KubePort;
  readonly redis: RedisPort & { readonly mover: SlotMover; readonly strays: StraySettler };
  readonly namespace: string;
  /** The same server and user, another namespace. Closing the first session closes it too. */
  inNamespace(namespace: string): Session;
  /** Nodes will be asked soon: loads what that takes while Kubernetes answers the first request. */
  prepare(): void;
  close(): void;
}

export interface Deps {
  readonly terminal: Terminal;
  readonly clock: Clock;
  /** Aborts at Ctrl-C. */
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A person is there to be asked: stdin and stderr are terminals. */
  readonly interactive: boolean;
  /** Loads the clients; verbs that talk to nobody never call it. */
  readonly openSession: (globals: Globals) => Promise<Session>;
}
