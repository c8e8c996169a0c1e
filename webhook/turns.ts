/**
 * Admissions of one cluster that want any number one after the other. Side by side they would all want the lowest free number and a line in one table: of
 * forty at once thirty-nine would lose the race and look again, and so on. Between replicas compare-and-swap decides.
 */
import { AppError } from '../pkg/errors.ts';

/** Nobody waits for the answer any longer: the API server gives up after ten seconds. */
const PATIENCE_MS = 8_000;

export interface Turns {
  /** @throws AppError `busy` when its turn comes too late, and whatever `work` throws */
  readonly inTurn: <T>(key: string, work: () => Promise<T>) => Promise<T>;
}

/** @param now milliseconds */
export function createTurns(now: () => number): Turns {
  const last = new Map<string, Promise<unknown>>();
  return {
    inTurn: async (key, work) => {
      const asked = now();
      const before = last.get(key);
      const own = (before ?? Promise.resolve())
        .catch(() => undefined)
        .then(() => {
          if (now() - asked < PATIENCE_MS) return work();
          throw new AppError('many pods of the cluster are being made at once', { code: 'busy' });
        });
      last.set(key, own);
      try {
        return await own;
      } finally {
        if (last.get(key) === own) last.delete(key);
      }
    },
  };
}
