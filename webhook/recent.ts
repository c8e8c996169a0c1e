/** What was read a moment ago, for whoever can do with that. */

const RECENT_MS = 1_000;

export interface Recent<T> {
  /** null when it is older than a second, or was never read. */
  readonly recall: (key: string) => T | null;
  readonly keep: (key: string, value: T) => void;
}

/** @param now milliseconds */
export function createRecent<T>(now: () => number): Recent<T> {
  const kept = new Map<string, { readonly value: T; readonly at: number }>();
  const isOld = (at: number): boolean => now() - at >= RECENT_MS;
  return {
    recall: (key) => {
      const found = kept.get(key);
      return found === undefined || isOld(found.at) ? null : found.value;
    },
    keep: (key, value) => {
      // The oldest come first, so that nothing stays for good.
      for (const [other, { at }] of kept) {
        if (!isOld(at)) break;
        kept.delete(other);
      }
      kept.delete(key);
      kept.set(key, { value, at: now() });
    },
  };
}
