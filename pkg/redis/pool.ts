/**
 * One connection per pod, shared by all who talk to it at the same time, kept until `close`.
 *
 * Whoever runs out of time drops the connection: the next one gets a new one and does not queue behind replies that never
 * come. The dropped one is closed when its last user lets go, because the others may have more time.
 */
import type { Duplex } from 'node:stream';
import type { PodFacts } from '../cluster/model/observation.ts';
import { reasonOf } from '../errors.ts';
import type { Dialer } from '../engine/ports.ts';
import type { Credentials, RedisConnection } from './connection.ts';
import { asUnreachable, unreachable } from './why.ts';

export interface PoolDeps {
  readonly dial: Dialer;
  /** What to log in with; null for nodes without a password. */
  readonly credentials: (pod: PodFacts) => Promise<Credentials | null>;
  /**
   * Connections that are kept open at most; more pods than that are asked in turn. As many as the dialer can have open at once:
   * an idle connection must not keep the next pod waiting. Default: no limit.
   */
  readonly maxOpen?: number;
  /** What the dialer opens, in the words for people. Default: a connection. */
  readonly way?: 'tunnel' | 'connection';
}

/** What a connection that is not there yet waits for. */
export type Missing = 'tunnel' | 'connection' | 'password';

interface Entry {
  readonly key: string;
  readonly abort: AbortController;
  readonly connection: Promise<RedisConnection>;
  users: number;
  /** null until it is there. */
  opened: RedisConnection | null;
  /** The way to the pod is open. */
  dialed: boolean;
  dropped: boolean;
}

export interface Lease {
  /** Rejects with an AppError whose code is an UnreachableReason. */
  readonly connection: Promise<RedisConnection>;
  /** It was open before: when it turns out to be lost, that may have happened long ago. */
  readonly reused: boolean;
  /** What is still missing, while there is no connection. */
  missing(): Missing;
  /** Nobody shall get this connection any more. */
  drop(): void;
  /** Must be called once. */
  release(): void;
}

export class ConnectionPool {
  readonly #deps: PoolDeps;
  readonly #entries = new Map<string, Entry>();
  readonly #maxOpen: number;
  #closed = false;

  constructor(deps: PoolDeps) {
    this.#deps = deps;
    this.#maxOpen = deps.maxOpen ?? Infinity;
  }

  /** @throws AppError `error` after close(). */
  lease(pod: PodFacts): Lease {
    if (this.#closed) throw unreachable('error', 'The connections are closed already');
    // Another pod of the same name, or the same with another address, is another server.
    const key = `${pod.uid} ${pod.ip} ${pod.port}`;
    const known = this.#entries.get(key);
    if (known !== undefined && known.opened?.writable === false) this.#drop(known);
    const entry = this.#entries.get(key) ?? this.#add(key, pod);
    const reused = entry.opened !== null;
    entry.users++;
    // Last in the map is last used.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return {
      connection: entry.connection,
      reused,
      missing: () => (entry.dialed ? 'password' : (this.#deps.way ?? 'connection')),
      drop: () => this.#drop(entry),
      release: () => {
        entry.users--;
        if (entry.users > 0) return;
        if (entry.dropped) shut(entry);
        else if (this.#entries.size > this.#maxOpen) this.#drop(entry);
      },
    };
  }

  /** Closes everything, also under those who still wait. */
  close(): void {
    this.#closed = true;
    for (const entry of this.#entries.values()) shut(entry);
    this.#entries.clear();
  }

  #add(key: string, pod: PodFacts): Entry {
    if (this.#entries.size >= this.#maxOpen) this.#dropIdle();
    const abort = new AbortController();
    const connection = this.#open(
      pod,
      abort.signal,
      () => (entry.dialed = true),
      () => this.#drop(entry),
    );
    const entry: Entry = { key, abort, connection, users: 0, opened: null, dialed: false, dropped: false };
    connection.then(
      (opened) => (entry.opened = opened),
      () => this.#drop(entry),
    );
    this.#entries.set(key, entry);
    return entry;
  }

  /** The one that nobody has used for longest. Without one, the next that is let go is closed. */
  #dropIdle(): void {
    for (const entry of this.#entries.values()) {
      if (entry.users === 0) return this.#drop(entry);
    }
  }

  #drop(entry: Entry): void {
    entry.dropped = true;
    if (this.#entries.get(entry.key) === entry) this.#entries.delete(entry.key);
    if (entry.users === 0) shut(entry);
  }

  async #open(pod: PodFacts, signal: AbortSignal, onDialed: () => void, onLost: () => void): Promise<RedisConnection> {
    const dialing = this.#dial(pod, signal);
    dialing.then(onDialed, () => undefined);
    // ioredis takes as long to load as a connection to open.
    const loading = import('./connection.ts');
    try {
      const [stream, credentials, { RedisConnection }] = await Promise.all([dialing, this.#credentials(pod), loading]);
      return await RedisConnection.open(stream, credentials, onLost);
    } catch (error) {
      dialing.then(
        (stream) => stream.destroy(),
        () => undefined,
      );
      throw asUnreachable(error);
    }
  }

  async #dial(pod: PodFacts, signal: AbortSignal): Promise<Duplex> {
    const stream = await this.#deps.dial(pod, signal);
    // Between here and the connection nobody listens, and an unheard error ends the process.
    stream.on('error', () => undefined);
    if (signal.aborted) {
      stream.destroy();
      throw unreachable('timeout', 'The connection came too late');
    }
    // Also while the password, that it waits for, never comes.
    signal.addEventListener('abort', () => stream.destroy(), { once: true });
    return stream;
  }

  async #credentials(pod: PodFacts): Promise<Credentials | null> {
    try {
      return await this.#deps.credentials(pod);
    } catch (error) {
      throw unreachable('auth', `No password to log in with: ${reasonOf(error)}`, error);
    }
  }
}

function shut(entry: Entry): void {
  entry.abort.abort();
  entry.connection.then(
    (connection) => connection.close(),
    () => undefined,
  );
}
