/** A request that is given up after a time. What it did by then is unknown (law L12). */
import { AppError } from '../../errors.ts';
import type { Clock } from '../ports.ts';

/**
 * @param end ends it before its time
 * @param work is given a signal that aborts when it is given up
 * @throws AppError `timeout`, the reason of `end`, and what `work` throws
 */
export async function inTime<T>(
  clock: Clock,
  milliseconds: number,
  end: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const givenUp = new AbortController();
  const done = new AbortController();
  const giveUp = (): never => {
    const error: unknown = end.aborted ? end.reason : timedOut(milliseconds);
    // An abort behind the end of a request would close a connection that others can use.
    if (!done.signal.aborted) givenUp.abort(error);
    throw error;
  };
  const timeUp = clock.sleep(milliseconds, AbortSignal.any([done.signal, end])).then(giveUp, giveUp);
  try {
    return await Promise.race([work(givenUp.signal), timeUp]);
  } finally {
    done.abort();
  }
}

function timedOut(milliseconds: number): AppError {
  return new AppError(`The API server did not answer within ${milliseconds / 1000} s`, { code: 'timeout' });
}
