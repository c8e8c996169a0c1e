/** Clocks that tests hold: one that moves when somebody sleeps, and one that only the test moves. */
import type { Clock } from '../../pkg/engine/ports.ts';

export interface MovingClock extends Clock {
  /** Milliseconds, by both of its times. */
  at: number;
}

/**
 * Whoever sleeps has slept at once, and so much time has passed. Not for a lease: its holder sleeps for as long as it
 * has it.
 */
export function movingClock(start = 0): MovingClock {
  const clock: MovingClock = {
    at: start,
    now: () => clock.at,
    monotonic: () => clock.at,
    sleep: (milliseconds) => {
      clock.at += milliseconds;
      return Promise.resolve();
    },
  };
  return clock;
}

export interface HeldClock extends Clock {
  /** The time of the wall runs so much ahead of the other one: people set it. */
  ahead: number;
  /**
   * Lets time pass and wakes who slept for it, in the order of their times; what they do is done before the next one
   * wakes.
   */
  pass(milliseconds: number): Promise<void>;
  /** Lets time pass in which this process does not run: nobody wakes before the next `pass`. */
  block(milliseconds: number): void;
  /** How many sleep. */
  readonly asleep: number;
}

export function heldClock(start = Date.parse('2026-11-23T10:00:00Z')): HeldClock {
  let at = 0;
  const sleeping = new Set<{ readonly until: number; readonly wake: () => void }>();
  const clock: HeldClock = {
    ahead: 0,
    now: () => start + at + clock.ahead,
    monotonic: () => at,
    sleep: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) return reject(new DOMException('aborted', 'AbortError'));
        const onAbort = (): void => {
          sleeping.delete(one);
          reject(new DOMException('aborted', 'AbortError'));
        };
        const wake = (): void => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        };
        const one = { until: at + milliseconds, wake };
        sleeping.add(one);
        signal?.addEventListener('abort', onAbort, { once: true });
      }),
    pass: async (milliseconds) => {
      const end = at + milliseconds;
      for (;;) {
        await settled();
        const [next] = [...sleeping].filter(({ until }) => until <= end).sort((a, b) => a.until - b.until);
        if (next === undefined) break;
        at = Math.max(at, next.until);
        sleeping.delete(next);
        next.wake();
      }
      at = Math.max(at, end);
    },
    block: (milliseconds) => void (at += milliseconds),
    get asleep() {
      return sleeping.size;
    },
  };
  return clock;
}

/** Everything that goes on without time: answers of servers in this process, and what is done with them. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await nextTurn();
}

/** More than any answer takes. */
const TURNS = 10;

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
