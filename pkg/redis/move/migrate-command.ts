/** MIGRATE as it is sent (https://redis.io/docs/latest/commands/migrate/). Pure. */
import type { WireCommand, WireList } from '../wire.ts';
import type { MoveContext } from './context.ts';

/** Longest wait for one read or write between source and target; much less than cluster-node-timeout. */
const USUAL_IO_MS = 1_500;
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
 * Where the source's copy of a key counts, it takes the place of the target's: what might be wrong about that was settled when the
 * slot was opened.
 */
export function migrateCommand(
  { target, targetLogin, targetPort, counts }: Pick<MoveContext, 'target' | 'targetLogin' | 'targetPort' | 'counts'>,
  { keys, bytes }: KeysOfSlot,
): WireCommand {
  const login =
    targetLogin === null
      ? []
      : targetLogin.username === undefined
        ? ['AUTH', targetLogin.password]
        : ['AUTH2', targetLogin.username, targetLogin.password];
  const replace = counts === 'source' ? ['REPLACE'] : [];
  return ['MIGRATE', target.end.ip, targetPort, '', 0, ioMs(bytes), ...replace, ...login, 'KEYS', keys];
}

/** For a batch of that size. */
export function ioMs(bytes: number): number {
  return Math.min(LARGEST_IO_MS, Math.max(USUAL_IO_MS, Math.round(bytes / UNPACKED_BYTES_PER_MS)));
}
