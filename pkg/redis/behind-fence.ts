/** What changes something is sent behind the fence of an operation that must hold its lease. */
import type { Fence } from '../engine/ports.ts';
import type { RedisConnection } from './connection.ts';

/** Sends what `work` sends, if it may; null = it may not now, and nothing was sent. */
export type SendBehindFence = <T>(
  connection: RedisConnection,
  work: (ready: RedisConnection) => Promise<T>,
) => Promise<T | null>;

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
