/**
 * Work side by side that ends together: after a failure nothing more begins, and what runs is over before anybody reads
 * the error.
 */
import pLimit from 'p-limit';

/**
 * @returns begins work when its turn comes, at most `atOnce` at a time; from the first failure on, what waits is not
 *   begun and fails with the same error
 */
export function queueUntilFailure(atOnce: number): <T>(work: () => Promise<T>) => Promise<T> {
  const limit = pLimit(atOnce);
  let failure: { readonly error: unknown } | null = null;
  return (work) =>
    limit(async () => {
      if (failure !== null) throw failure.error;
      try {
        return await work();
      } catch (error) {
        failure ??= { error };
        throw error;
      }
    });
}

/** @returns the results, in the order of the items. @throws the first failure in time */
export async function allOrFirstFailure<I, T>(
  items: readonly I[],
  atOnce: number,
  work: (item: I) => Promise<T>,
): Promise<T[]> {
  const queue = queueUntilFailure(atOnce);
  let first: { readonly error: unknown } | null = null;
  const running = items.map(async (item) => {
    try {
      return [await queue(() => work(item))];
    } catch (error) {
      first ??= { error };
      return [];
    }
  });
  const results = (await Promise.all(running)).flat();
  // The compiler does not see that a callback sets it.
  const failed = first as { readonly error: unknown } | null;
  if (failed !== null) throw failed.error;
  return results;
}
