/** The clock that leases count by (FINDINGS K15): it goes on while the machine sleeps, and nobody can set it. */
import { describe, expect, test } from '@jest/globals';
import { monotonicOf, systemClock } from '../../../pkg/engine/clock.ts';

describe('the monotonic clock', () => {
  test('goes on while a Linux is suspended, when that of the process stands still', () => {
    const at = { running: 5_000, up: 90_000 };
    const clock = monotonicOf(
      () => at.running,
      () => at.up,
    );
    expect(clock()).toBe(0);
    at.running += 1_000;
    at.up += 1_000;
    expect(clock()).toBe(1_000);
    at.up += 3_600_000;
    expect(clock()).toBe(3_601_000);
    at.running += 500;
    at.up += 500;
    expect(clock()).toBe(3_601_500);
  });

  test('never goes back, also where the uptime is coarse or wrong', () => {
    const at = { running: 0, up: 0 };
    const clock = monotonicOf(
      () => at.running,
      () => at.up,
    );
    const seen = [9, 3, 40, 2, 50].map((step, i) => {
      at.running += step;
      at.up += i % 2 === 0 ? 10 : -1_000;
      return clock();
    });
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  test('is that of the process where it counts sleep', () => {
    let running = 7;
    const clock = monotonicOf(() => running, null);
    running += 5;
    expect(clock()).toBe(5);
  });

  test('passes as the real one sleeps', async () => {
    const before = systemClock.monotonic();
    await systemClock.sleep(30);
    const passed = systemClock.monotonic() - before;
    // Uptime is told in hundredths of a second.
    expect([passed >= 29, passed < 10_000]).toEqual([true, true]);
  });
});
