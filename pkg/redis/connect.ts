/**
 * The RedisPort on real servers. ioredis is loaded while the first connection is opened.
 *
 * A deadline holds for the whole of an operation, whatever hangs: reading the password, dialing, the server. It is kept by
 * a timer that races the work, so it needs no co-operation from the dialer.
 */
import type { NodeReply, PodFacts } from '../cluster/model/observation.ts';
import { AppError } from '../errors.ts';
import type { AskOptions, RedisPort } from '../engine/ports.ts';
import { askNode } from './ask.ts';
import type { RedisConnection } from './connection.ts';
import { createClusterNodesParser } from './parse/cluster-nodes.ts';
import { ConnectionPool } from './pool.ts';
import type { Lease, PoolDeps } from './pool.ts';
import { asUnreachable, isUnreachableReason, unreachable } from './why.ts';

export type RedisPortDeps = PoolDeps;

/** A port whose connections stay open until its close(). */
export function createRedisPort(deps: RedisPortDeps): RedisPort {
  const pool = new ConnectionPool(deps);
  const parseNodes = createClusterNodesParser();
  return {
    ask: (pod, options) => ask(pool, pod, options, (connection) => askNode(connection, options, parseNodes)),
    run: async (pod, commands, deadlineMs) => {
      try {
        return await inTime(deadlineMs, (stage) =>
          withLease(pool, pod, stage, async (connection) => {
            // First this and then the rest: what changes something must not run as another user than was meant.
            await connection.authenticate();
            return connection.exec(commands);
          }),
        );
      } catch (error) {
        const { code, message, cause } = asUnreachable(error);
        throw new AppError(`Pod ${pod.name}: ${message}`, { code, ...(cause === undefined ? {} : { cause }) });
      }
    },
    close: () => pool.close(),
  };
}

type Conversation<T> = (connection: RedisConnection) => Promise<T>;

/** What is going on, for the sentence when time is up, and how to let go of it then. */
interface Stage {
  connected: boolean;
  lease: Lease | null;
  over: boolean;
}

async function ask(
  pool: ConnectionPool,
  pod: PodFacts,
  options: AskOptions,
  converse: Conversation<Extract<NodeReply, { kind: 'answered' }>['answer']>,
): Promise<NodeReply> {
  const startedAt = performance.now();
  try {
    const answer = await inTime(options.deadlineMs, async (stage) => {
      try {
        return await withLease(pool, pod, stage, converse);
      } catch (error) {
        // A connection that had been idle may have been lost unnoticed; to ask twice does no harm.
        if (!(error instanceof LostWhileIdle) || stage.over) throw error;
        return await withLease(pool, pod, stage, converse);
      }
    });
    return { kind: 'answered', answer, elapsedMs: Math.round(performance.now() - startedAt) };
  } catch (error) {
    const { code, message } = asUnreachable(error);
    return { kind: 'unreachable', why: isUnreachableReason(code) ? code : 'error', detail: message };
  }
}

class LostWhileIdle extends AppError {}

/** @throws AppError whose code is an UnreachableReason. */
async function withLease<T>(pool: ConnectionPool, pod: PodFacts, stage: Stage, converse: Conversation<T>): Promise<T> {
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
async function inTime<T>(deadlineMs: number, work: (stage: Stage) => Promise<T>): Promise<T> {
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
