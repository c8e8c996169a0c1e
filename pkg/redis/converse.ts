/**
 * A conversation with one node, on a connection of the pool, within a deadline.
 *
 * The deadline holds for the whole of an operation, whatever hangs: reading the password, dialing, the server. It is kept by
 * a timer that races the work, so it needs no co-operation from the dialer.
 */
import type { PodFacts } from '../cluster/model/observation.ts';
import { AppError } from '../errors.ts';
import type { Fence } from '../engine/ports.ts';
import type { RedisConnection } from './connection.ts';
import type { ConnectionPool, Lease } from './pool.ts';
import { asUnreachable, unreachable } from './why.ts';

export type Conversation<T> = (connection: RedisConnection) => Promise<T>;

/** What is going on, for the sentence when time is up, and how to let go of it then. */
export interface Stage {
  connected: boolean;
  lease: Lease | null;
  over: boolean;
}

/** The connection had been idle, and when it broke is not known. */
export class LostWhileIdle extends AppError {}

/** @throws AppError whose code is an UnreachableReason. */
export async function withLease<T>(
  pool: ConnectionPool,
  pod: PodFacts,
  stage: Stage,
  converse: Conversation<T>,
): Promise<T> {
  const lease = pool.lease(pod);
  stage.lease = lease;
  stage.connected = false;
  try {
    const connection = await lease.connection;
    stage.connected = true;
    return await converse(connection);
  } catch (error) {
    const why = asUnreachable(error);
    // The server answered, so the connection is sound; after a failed login it must not be used by anybody else.
    if (why.code === 'loading' || why.code === 'not-cluster') throw why;
    lease.drop();
    if (lease.reused && stage.connected && (why.code === 'error' || why.code === 'tunnel')) {
      throw new LostWhileIdle(why.message, { code: why.code, cause: why.cause });
    }
    throw why;
  } finally {
    if (!stage.over) lease.release();
  }
}

/** Rejects with AppError `timeout` when the work takes longer, and drops the connection that it waits for. */
export async function inTime<T>(deadlineMs: number, work: (stage: Stage) => Promise<T>): Promise<T> {
  const stage: Stage = { connected: false, lease: null, over: false };
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      stage.over = true;
      stage.lease?.drop();
      stage.lease?.release();
      reject(unreachable('timeout', `No ${stage.connected ? 'reply' : 'connection'} within ${deadlineMs} ms`));
    }, deadlineMs);
  });
  try {
    return await Promise.race([work(stage), timeUp]);
  } finally {
    clearTimeout(timer);
  }
}

/** Sends what `work` sends, if it may; null = it may not now, and nothing was sent. */
export type SendBehindFence = <T>(connection: RedisConnection, work: Conversation<T>) => Promise<T | null>;

/**
 * Has a conversation for an operation that must hold its lease. It is asked again whether it does when the connection is there: to open
 * one may take longer than a lease lasts.
 *
 * @param converse is called again for as long as the fence was shut when it came to sending
 * @throws AppError `lease-lost`, and what `converse` throws
 */
export async function behindFence<T>(
  fence: Fence | undefined,
  converse: (send: SendBehindFence) => Promise<T | null>,
): Promise<T> {
  for (;;) {
    await fence?.pass();
    const replies = await converse(async (connection, work) => {
      if (fence === undefined) return work(connection);
      await connection.takeName(fence.connectionName);
      return fence.isOpen() ? work(connection) : null;
    });
    if (replies !== null) return replies;
  }
}
