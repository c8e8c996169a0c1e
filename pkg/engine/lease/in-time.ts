/** A request that is given up after a time. What it did by then is unknown (law L12). */
import { AppError } from '../../errors.ts';
import type { Clock } from '../ports.ts';

/** So much later than it should, and a timer says that the process could not run. */
export const LATE_MS = 1_000;

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
  const begun = { monotonic: clock.monotonic(), wall: clock.now() };
  const givenUp = new AbortController();
  const done = new AbortController();
  const giveUp = (): never => {
    const error: unknown = end.aborted ? end.reason : timedOut(milliseconds, pauseSince(clock, begun, milliseconds));
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

/**
 * Why no answer was read, where that lies with us: a process that was stopped wakes with its timers over, and has looked at no answer. null =
 * it ran all the time.
 * @param ms for how long it wanted to sleep
 */
export function pauseSince(
  clock: Pick<Clock, 'now' | 'monotonic'>,
  begun: { readonly monotonic: number; readonly wall: number },
  ms: number,
): string | null {
  const passed = clock.monotonic() - begun.monotonic;
  if (passed - ms > LATE_MS) return `this process stood still for ${inSeconds(passed - ms)} s or more`;
  // Sleep of a machine does not count for the other clock everywhere.
  const leap = clock.now() - begun.wall - passed;
  if (leap <= LATE_MS) return null;
  return `the clock of this machine went ${inSeconds(leap)} s ahead meanwhile: the machine was asleep, or its clock was set`;
}

function inSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}

function timedOut(milliseconds: number, pause: string | null): AppError {
  const sentence =
    pause === null
      ? `The API server did not answer within ${milliseconds / 1000} s`
      : `No answer of the API server was read: ${pause}`;
  return new AppError(sentence, { code: 'timeout' });
}
