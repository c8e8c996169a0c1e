/** MIGRATE as it is sent (https://redis.io/docs/latest/commands/migrate/). Pure. */
import type { WireCommand, WireList } from '../wire.ts';
import type { MoveContext } from './context.ts';

/**
 * Longest wait for one read or write between source and target. For so long a target that is silent keeps the source from answering, so it is
 * much less than cluster-node-timeout, and those that go in one pipeline share it.
 */
export const USUAL_IO_MS = 1_500;
/** What even a slow target unpacks in a second: the wait for its answer begins when it has got the last byte. */
const UNPACKED_BYTES_PER_MS = 10_000;
const LARGEST_IO_MS = 600_000;

/** Some or all keys of one slot, as many as one MIGRATE takes. */
export interface KeysOfSlot {
  readonly slot: number;
  readonly keys: WireList;
  /** As far as it is known; else 0. */
  readonly bytes: number;
}

/**
 * Never with REPLACE. What the target has of a key may be newer: it arrived although nobody heard so, and clients have written since;
 * or the source was started again with older data. And a copy that arrives late, of a MIGRATE that was given up, must find the key
 * there, not take its place. What both have is settled key by key (conflicts.ts).
 *
 * @param together how many are sent in one pipeline
 */
export function migrateCommand(
  { target, targetLogin, targetPort }: Pick<MoveContext, 'target' | 'targetLogin' | 'targetPort'>,
  { keys, bytes }: KeysOfSlot,
  together = 1,
): WireCommand {
  const login =
    targetLogin === null
      ? []
      : targetLogin.username === undefined
        ? ['AUTH', targetLogin.password]
        : ['AUTH2', targetLogin.username, targetLogin.password];
  return ['MIGRATE', target.end.ip, targetPort, '', 0, ioMs(bytes, together), ...login, 'KEYS', keys];
}

/** For a batch of that size. */
export function ioMs(bytes: number, together = 1): number {
  return Math.min(
    LARGEST_IO_MS,
    Math.max(Math.round(USUAL_IO_MS / Math.max(1, together)), Math.round(bytes / UNPACKED_BYTES_PER_MS)),
  );
}
