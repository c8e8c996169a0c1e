/**
 * One connection to one node: ioredis on a stream that somebody else has dialed. This is the only file that imports
 * ioredis, which takes 30 ms to load, so whoever reaches it should do so by `await import(…)`.
 *
 * What ioredis does by itself is turned off: no reconnecting, no replaying of commands, no ready check, no HELLO or CLIENT
 * SETINFO, no queue for times without a connection. A lost connection is lost, and the caller is told.
 */
import type { Duplex } from 'node:stream';
import { AbstractConnector, Redis } from 'ioredis';
import type { ChainableCommander, RedisOptions } from 'ioredis';
import { AppError, reasonOf } from '../errors.ts';
import type { RedisCommand } from '../engine/ports.ts';
import type { WireCommand } from './wire.ts';
import { classifyReply, isUnreachableReason, unreachable } from './why.ts';

export interface Credentials {
  /** The user of an ACL; left out for the default user, and for all servers before Redis 6. */
  readonly username?: string;
  readonly password: string;
}

type DialedOptions = RedisOptions & { replyMapping?: 'legacy' };
type NetStream = Awaited<ReturnType<AbstractConnector['connect']>>;

/** Answers to AUTH of servers that want none; being let in without is as good. */
const NO_PASSWORD_NEEDED = /no password is set|without any password configured/;

class DialedConnector extends AbstractConnector {
  readonly #dialed: NetStream;

  constructor(options: unknown) {
    super(0);
    this.#dialed = (options as { readonly dialedStream: NetStream }).dialedStream;
  }

  override connect(): Promise<NetStream> {
    return Promise.resolve(this.#dialed);
  }

  /** At once: a frozen server would never answer a polite end. */
  override disconnect(): void {
    this.#dialed.destroy();
  }
}

const OPTIONS: Readonly<Record<string, unknown>> = {
  Connector: DialedConnector,
  lazyConnect: true,
  protocol: 2,
  disableClientInfo: true,
  enableReadyCheck: false,
  enableOfflineQueue: false,
  retryStrategy: null,
  maxRetriesPerRequest: 0,
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  // Both are for sockets; a tunnel's stream has no such methods. null, because ioredis replaces undefined by its default.
  noDelay: false,
  keepAlive: null,
};

export class RedisConnection {
  readonly #redis: Redis;
  readonly #stream: Duplex;
  readonly #credentials: Credentials | null;
  #authenticated: Promise<void> | null = null;
  #name = '';
  #open = false;
  #lostBecause: unknown = null;

  private constructor(stream: Duplex, credentials: Credentials | null, onLost: () => void) {
    const redis = new Redis({ ...OPTIONS, dialedStream: stream } as DialedOptions);
    this.#stream = stream;
    this.#redis = redis;
    this.#credentials = credentials;
    redis.on('error', (error) => (this.#lostBecause ??= error));
    redis.once('end', onLost);
  }

  /** Takes the stream over. `onLost` is called once, when the connection has ended for whatever reason. */
  static async open(stream: Duplex, credentials: Credentials | null, onLost: () => void): Promise<RedisConnection> {
    const connection = new RedisConnection(stream, credentials, onLost);
    try {
      await connection.#redis.connect();
    } catch (error) {
      throw connection.#lost(error);
    }
    return connection;
  }

  /**
   * Sends AUTH the first time, if there is something to send. Whoever only reads need not wait for it before asking.
   *
   * @throws AppError `auth` when the server does not want these credentials; never with the password in it.
   */
  authenticate(): Promise<void> {
    this.#authenticated ??= this.#sendAuth();
    return this.#authenticated;
  }

  /** Whether the server answers whoever comes, after authenticate() and an answer: it wants no password. */
  get open(): boolean {
    return this.#open;
  }

  /**
   * Tells the server a name for this connection, once for each; CLIENT LIST shows it. Not all users of an ACL may, and nothing
   * depends on it but that others can end what is still under way on it.
   */
  async takeName(name: string): Promise<void> {
    if (this.#name === name) return;
    this.#name = name;
    await this.exec([['CLIENT', 'SETNAME', name]]);
  }

  /**
   * Sends commands in one write and waits for all replies. An error reply is an Error in its place.
   *
   * @throws AppError when the connection was lost before the last reply: what had been done by then is unknown.
   */
  async exec(commands: readonly RedisCommand[]): Promise<unknown[]> {
    const pipeline = this.#redis.pipeline();
    for (const [name, ...args] of commands) pipeline.call(name, [...args]);
    return this.#repliesOf(pipeline);
  }

  /** As exec, for what need not be text: a string in the replies is a Buffer. */
  async execWire(commands: readonly WireCommand[]): Promise<unknown[]> {
    const pipeline = this.#redis.pipeline();
    for (const [name, ...args] of commands) pipeline.callBuffer(name, args.flat());
    return this.#repliesOf(pipeline);
  }

  async #repliesOf(pipeline: ChainableCommander): Promise<unknown[]> {
    const results = (await pipeline.exec()) ?? [];
    const [firstError] = results[0] ?? [];
    return results.map(([error, reply]) => {
      if (!error) return reply;
      // A new error, because that of ioredis carries the arguments of the command, and with them a password.
      if (isReplyError(error)) return new Error(error.message);
      throw isFarewell(firstError)
        ? unreachable(classifyReply(firstError.message), firstError.message)
        : this.#lost(error);
    });
  }

  /** False as soon as the server has hung up, which may be a moment before the connection is lost. */
  get writable(): boolean {
    return this.#redis.status === 'ready' && this.#stream.writable;
  }

  /** Who asks. */
  get user(): string {
    return this.#credentials?.username ?? 'default';
  }

  close(): void {
    this.#redis.disconnect();
  }

  async #sendAuth(): Promise<void> {
    if (this.#credentials === null) {
      this.#open = true;
      return;
    }
    const { username, password } = this.#credentials;
    const [reply] = await this.exec([username === undefined ? ['AUTH', password] : ['AUTH', username, password]]);
    if (!(reply instanceof Error)) return;
    if (NO_PASSWORD_NEEDED.test(reply.message)) {
      this.#open = true;
      return;
    }
    throw unreachable('auth', password === '' ? reply.message : reply.message.replaceAll(password, '***'));
  }

  #lost(error: unknown): AppError {
    // The stream knows best: one that was refused before ioredis listened to it is just closed to ioredis.
    const reason = this.#stream.errored ?? this.#lostBecause ?? error;
    if (reason instanceof AppError && isUnreachableReason(reason.code)) return reason;
    return unreachable('error', `The connection was lost: ${reasonOf(reason)}`, reason);
  }
}

function isReplyError(error: Error): boolean {
  return error.name === 'ReplyError';
}

/** What a server says before it hangs up at once: protected mode, or too many clients. */
function isFarewell(error: Error | null | undefined): error is Error {
  return error instanceof Error && /^(DENIED|ERR max number of clients)/.test(error.message);
}
