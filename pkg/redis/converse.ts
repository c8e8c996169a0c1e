/**
 * A conversation with one node, on a connection of the pool, within a deadline.
 *
 * The deadline holds for the whole of an operation, whatever hangs: the tunnel, reading the password, the server. It is kept by
 * a timer that races the work, so it needs no co-operation from the dialer.
 */
import type { PodFacts } from '../cluster/model/observation.ts';
import { AppError } from '../errors.ts';
import type { RedisConnection } from './connection.ts';
import type { ConnectionPool, Lease } from './pool.ts';
import { asUnreachable, unreachable } from './why.ts';

export type Conversation<T> = (connection: RedisConnection, stage: Stage) => Promise<T>;

/** What is going on, for the sentence when time is up, and how to let go of it then. */
export interface Stage {
  connected: boolean;
  lease: Lease | null;
  over: boolean;
  /** The node was heard in time: what is still to come has a deadline of its own. */
  heard: () => void;
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
    return await converse(connection, stage);
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

/** Rejects with AppError `timeout` or `tunnel` when the work takes longer, and drops the connection that it waits for. */
export async function inTime<T>(deadlineMs: number, work: (stage: Stage) => Promise<T>): Promise<T> {
  const stage: Stage = { connected: false, lease: null, over: false, heard: () => undefined };
  const timeUp = new Promise<never>((_, reject) => {
    stage.heard = afterListening(deadlineMs, () => {
      stage.over = true;
      const why = whatDidNotCome(stage, deadlineMs);
      stage.lease?.drop();
      stage.lease?.release();
      reject(why);
    });
  });
  try {
    return await Promise.race([work(stage), timeUp]);
  } finally {
    stage.heard();
  }
}

/** null when the work takes longer; what it then waits for is the caller's to drop. */
export async function orNothing<T>(deadlineMs: number, work: Promise<T>): Promise<T | null> {
  let cancel = (): void => undefined;
  const timeUp = new Promise<null>((resolve) => (cancel = afterListening(deadlineMs, () => resolve(null))));
  try {
    return await Promise.race([work, timeUp]);
  } finally {
    cancel();
  }
}

/** Each part has its words, because each sends people somewhere else: to the API server, to a Secret, to the Redis process. */
function whatDidNotCome({ connected, lease }: Stage, deadlineMs: number): AppError {
  const within = inSeconds(deadlineMs);
  if (connected) return unreachable('timeout', `no answer in ${within}`);
  const missing = lease?.missing() ?? 'connection';
  switch (missing) {
    case 'tunnel':
      return unreachable('tunnel', `the tunnel did not open in ${within}`);
    case 'password':
      return unreachable('timeout', `the password could not be read in ${within}`);
    case 'connection':
      return unreachable('timeout', `the connection did not open in ${within}`);
    default:
      return missing satisfies never;
  }
}

/** `2 s`, `0.3 s`. */
export function inSeconds(milliseconds: number): string {
  return `${Number((milliseconds / 1000).toPrecision(2))} s`;
}

/** A timer that is later than this was held up: the process slept, or was busy with the replies of others. */
const LATE_MS = 100;
const MOST_EXTENSIONS = 3;

/**
 * Calls back after so long of listening. While this process slept or was busy it could hear nobody, so that time does not count: else a
 * laptop that wakes up would find every node silent. @returns what cancels it
 */
function afterListening(milliseconds: number, onTimeUp: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const arm = (forMs: number, extensionsLeft: number): void => {
    const dueAt = performance.now() + forMs;
    timer = setTimeout(() => {
      const lateMs = performance.now() - dueAt;
      if (lateMs > LATE_MS && extensionsLeft > 0) arm(Math.min(lateMs, milliseconds), extensionsLeft - 1);
      else onTimeUp();
    }, forMs);
  };
  arm(milliseconds, MOST_EXTENSIONS);
  return () => clearTimeout(timer);
}
