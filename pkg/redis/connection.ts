/**
 * One connection to one node, on a stream that somebody else has dialed. Nothing is done by itself: no reconnecting, no
 * replaying of commands, no questions on connect. A lost connection is lost, and the caller is told.
 */
import type { Duplex } from 'node:stream';
import { AppError, reasonOf } from '../errors.ts';
import type { RedisCommand } from '../engine/ports.ts';
import { INCOMPLETE, ReplyReader, encodeCommands } from './resp.ts';
import type { ReplyForm, WireCommand } from './resp.ts';
import { classifyReply, isUnreachableReason, unreachable } from './why.ts';

export interface Credentials {
  /** The user of an ACL; left out for the default user, and for all servers before Redis 6. */
  readonly username?: string;
  readonly password: string;
}

/** Answers to AUTH of servers that want none; being let in without is as good. */
const NO_PASSWORD_NEEDED = /no password is set|without any password configured/;

/** Commands that were sent in one piece and whose replies are awaited together. */
interface Pipeline {
  readonly length: number;
  readonly form: ReplyForm;
  readonly replies: unknown[];
  readonly resolve: (replies: unknown[]) => void;
  readonly reject: (error: AppError) => void;
}

export class RedisConnection {
  readonly #stream: Duplex;
  readonly #credentials: Credentials | null;
  readonly #onLost: () => void;
  readonly #reader = new ReplyReader();
  readonly #waiting: Pipeline[] = [];
  #authenticated: Promise<void> | null = null;
  #lostBecause: unknown = null;
  #farewell: Error | null = null;
  #over = false;

  /** Takes the stream over. `onLost` is called once, when the connection has ended for whatever reason. */
  constructor(stream: Duplex, credentials: Credentials | null, onLost: () => void) {
    this.#stream = stream;
    this.#credentials = credentials;
    this.#onLost = onLost;
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    stream.on('error', (error) => this.#end(error));
    stream.once('end', () => this.#end(new Error('Connection is closed.')));
    stream.once('close', () => this.#end(new Error('Connection is closed.')));
    if (stream.destroyed) this.#end(stream.errored ?? new Error('Connection is closed.'));
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

  /**
   * Sends commands in one write and waits for all replies. An error reply is an Error in its place.
   *
   * @throws AppError when the connection was lost before the last reply: what had been done by then is unknown.
   */
  exec(commands: readonly RedisCommand[]): Promise<unknown[]> {
    return this.#send(commands, 'text');
  }

  /** As exec, for what need not be text: a string in the replies is a Buffer, and a list of strings a WireList. */
  execWire(commands: readonly WireCommand[]): Promise<unknown[]> {
    return this.#send(commands, 'wire');
  }

  /** False as soon as the server has hung up, which may be a moment before the connection is lost. */
  get writable(): boolean {
    return !this.#over && this.#stream.writable;
  }

  /** At once: a frozen server would never answer a polite end. */
  close(): void {
    this.#end(new Error('Connection is closed.'));
  }

  #send(commands: readonly WireCommand[], form: ReplyForm): Promise<unknown[]> {
    return new Promise((resolve, reject) => {
      if (commands.length === 0) return resolve([]);
      if (this.#over) return reject(this.#lost(null));
      this.#waiting.push({ length: commands.length, form, replies: [], resolve, reject });
      this.#stream.write(encodeCommands(commands));
    });
  }

  #receive(chunk: Buffer): void {
    this.#reader.feed(chunk);
    try {
      for (;;) {
        const [pipeline] = this.#waiting;
        const reply = this.#reader.next(pipeline?.form ?? 'text');
        if (reply === INCOMPLETE) return;
        // Nobody asked: it is what servers say before they hang up.
        if (pipeline === undefined) this.#farewell ??= reply instanceof Error ? reply : null;
        else if (pipeline.replies.push(reply) === pipeline.length) {
          this.#waiting.shift();
          pipeline.resolve(pipeline.replies);
        }
      }
    } catch (error) {
      this.#end(error);
    }
  }

  #end(reason: unknown): void {
    this.#lostBecause ??= reason;
    if (this.#over) return;
    this.#over = true;
    this.#stream.destroy();
    for (const { replies, reject } of this.#waiting.splice(0)) reject(this.#lost(replies[0]));
    this.#onLost();
  }

  async #sendAuth(): Promise<void> {
    if (this.#credentials === null) return;
    const { username, password } = this.#credentials;
    const [reply] = await this.exec([username === undefined ? ['AUTH', password] : ['AUTH', username, password]]);
    if (!(reply instanceof Error) || NO_PASSWORD_NEEDED.test(reply.message)) return;
    throw unreachable('auth', password === '' ? reply.message : reply.message.replaceAll(password, '***'));
  }

  #lost(firstReply: unknown): AppError {
    const said = isFarewell(firstReply) ? firstReply : this.#farewell;
    if (said !== null && isFarewell(said)) return unreachable(classifyReply(said.message), said.message);
    const reason = this.#lostBecause;
    if (reason instanceof AppError && isUnreachableReason(reason.code)) return reason;
    return unreachable('error', `The connection was lost: ${reasonOf(reason)}`, reason);
  }
}

/** What a server says before it hangs up at once: protected mode, or too many clients. */
function isFarewell(reply: unknown): reply is Error {
  return reply instanceof Error && /^(DENIED|ERR max number of clients)/.test(reply.message);
}
