/** The real clock. */
import { uptime } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from './ports.ts';

/**
 * @param running milliseconds for which the process could run
 * @param up milliseconds since the machine was started, sleep included; null where `running` counts sleep, too
 * @returns the further one of the two, from when this is called; never less than before
 */
export function monotonicOf(running: () => number, up: (() => number) | null): () => number {
  const begun = { running: running(), up: up?.() ?? 0 };
  let last = 0;
  return () => {
    const slept = up === null ? 0 : up() - begun.up;
    last = Math.max(last, running() - begun.running, slept);
    return last;
  };
}

/**
 * Linux stops the clock of performance.now() while a laptop is suspended; the uptime of the system goes on. On other
 * systems the first one does (libuv takes mach_continuous_time and QueryPerformanceCounter).
 */
const upOnLinux = process.platform === 'linux' ? (): number => uptime() * 1_000 : null;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: monotonicOf(() => performance.now(), upOnLinux),
  sleep: async (milliseconds, signal) => {
    await delay(milliseconds, undefined, signal === undefined ? {} : { signal });
  },
};
