/**
 * The line to one end of a move: commands go to the node whose id was planned and to nobody else (law L1), which is asked
 * on each new connection before anything else is sent.
 */
import { AppError } from '../../errors.ts';
import type { Fence, MoveEnd, RedisCommand } from '../../engine/ports.ts';
import type { RedisConnection } from '../connection.ts';
import type { WireCommand } from '../wire.ts';
import { behindFence } from '../behind-fence.ts';
import { inTime, withLease } from '../converse.ts';
import type { ConnectionPool } from '../pool.ts';
import { asUnreachable, classifyReply, unreachable } from '../why.ts';

export class NodeLine {
  readonly end: MoveEnd;
  readonly #pool: ConnectionPool;
  readonly #fence: Fence | undefined;
  readonly #checked = new WeakSet<RedisConnection>();

  /** @param fence before everything that is sent over it; left out: nobody else moves anything */
  constructor(pool: ConnectionPool, end: MoveEnd, fence?: Fence) {
    this.#pool = pool;
    this.end = end;
    this.#fence = fence;
  }

  /**
   * Sends commands in one write and waits for all replies; an error reply is an Error in its place, a string a Buffer, a list
   * a WireList.
   *
   * @throws AppError: code `node-changed` when another node answers, else an UnreachableReason; what had been done is then
   *   unknown (law L12).
   */
  send(commands: readonly WireCommand[], deadlineMs: number): Promise<readonly unknown[]> {
    return this.#converse((connection) => connection.execWire(commands), deadlineMs);
  }

  /** As send, for replies that are text, lists of it, or lists of lists. */
  ask(commands: readonly RedisCommand[], deadlineMs: number): Promise<readonly unknown[]> {
    return this.#converse((connection) => connection.exec(commands), deadlineMs);
  }

  #converse(
    work: (connection: RedisConnection) => Promise<readonly unknown[]>,
    deadlineMs: number,
  ): Promise<readonly unknown[]> {
    return behindFence(this.#fence, (send) => this.#converseOnce((connection) => send(connection, work), deadlineMs));
  }

  async #converseOnce<T>(work: (connection: RedisConnection) => Promise<T>, deadlineMs: number): Promise<T> {
    const { pod, nodeId } = this.end;
    let replies: { readonly given: T } | null;
    try {
      replies = await inTime(deadlineMs, (stage) =>
        withLease(this.#pool, pod, stage, async (connection) => {
          await connection.authenticate();
          if (!this.#checked.has(connection)) {
            const [myId] = await connection.exec([['CLUSTER', 'MYID']]);
            // One that loads, or that does not let us in, may be the node all the same.
            if (myId instanceof Error) throw unreachable(classifyReply(myId.message), myId.message);
            if (myId !== nodeId) return null;
            this.#checked.add(connection);
          }
          return { given: await work(connection) };
        }),
      );
    } catch (error) {
      const { code, message, cause } = asUnreachable(error);
      throw new AppError(`Pod ${pod.name}: ${message}`, { code, ...(cause === undefined ? {} : { cause }) });
    }
    if (replies !== null) return replies.given;
    throw new AppError(`${pod.name} is not node ${nodeId.slice(0, 8)} any more`, {
      code: 'node-changed',
      hint: 'The pod was replaced meanwhile. Run the same command again',
    });
  }
}

/** A server that has just come back takes no keys, and gives none, until it has heard a majority for two seconds. */
export function codeOfReply({ message }: Error, otherwise: string): string {
  return message.startsWith('CLUSTERDOWN') ? 'cluster-down' : otherwise;
}

/** @throws the first error reply, as AppError `step-failed` or `cluster-down` with what was asked for. */
export function mustAll(line: NodeLine, replies: readonly unknown[], what: string): void {
  for (const reply of replies) {
    if (!(reply instanceof Error)) continue;
    throw new AppError(`${line.end.pod.name} did not take ${what}`, {
      code: codeOfReply(reply, 'step-failed'),
      cause: reply,
      hint: 'Run the same command again: it goes on from where things stand',
    });
  }
}
