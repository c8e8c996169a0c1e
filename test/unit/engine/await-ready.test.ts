import { describe, expect, test } from '@jest/globals';
import type { Observation, PodFacts } from '../../../pkg/cluster/model/observation.ts';
import { awaitReady, type AwaitReadyDeps } from '../../../pkg/engine/await-ready.ts';
import { AppError } from '../../../pkg/errors.ts';
import { healthyObservation } from '../../support/observation.ts';

const WHOLE = healthyObservation();

function unready(seen: Observation, ...names: readonly string[]): Observation {
  const pods = seen.kube.pods.map((pod) => (names.includes(pod.name) ? { ...pod, ready: false } : pod));
  return { ...seen, kube: { ...seen.kube, pods } };
}

/** What the watch tells after so many milliseconds; the clock goes on when somebody sleeps. */
function watched(tells: (onChange: (pods: readonly PodFacts[]) => void) => Promise<void>, watches = { count: 0 }) {
  const deps: AwaitReadyDeps & { slept: number } = {
    slept: 0,
    kube: {
      watchPods: (_selector, onChange) => {
        watches.count += 1;
        return tells(onChange);
      },
    },
    clock: {
      now: () => 0,
      monotonic: () => 0,
      // (Later than whatever the watch tells at once.)
      sleep: (ms) => new Promise((resolve) => setImmediate(() => ((deps.slept += ms), resolve()))),
    },
    signal: new AbortController().signal,
  };
  return { deps, watches };
}

describe('waiting until pods are ready, at the end', () => {
  test('all are: nothing is watched', async () => {
    const { deps, watches } = watched(async () => undefined);
    expect([await awaitReady(deps, WHOLE), watches.count]).toEqual([[], 0]);
  });

  test('the probe sees the new link a moment later', async () => {
    const before = unready(WHOLE, 'redis-5-0');
    const { deps } = watched(async (onChange) => {
      onChange(before.kube.pods);
      await Promise.resolve();
      onChange(WHOLE.kube.pods);
    });
    expect(await awaitReady(deps, before)).toEqual([]);
    expect(deps.slept).toBe(0);
  });

  test('one that stays so is named after 20 s, and no others', async () => {
    const before = unready(WHOLE, 'redis-5-0', 'redis-6-0');
    const { deps } = watched(async (onChange) => onChange(unready(WHOLE, 'redis-5-0', 'redis-1-0').kube.pods));
    expect(await awaitReady(deps, before)).toEqual(['redis-5-0']);
    expect(deps.slept).toBe(20_000);
  });

  test('one whose Redis does not answer, or that is on its way out, is not waited for', async () => {
    const silent = unready(WHOLE, 'redis-5-0', 'redis-6-0');
    const replies = silent.replies.filter(({ pod }) => pod !== 'redis-5-0');
    const pods = silent.kube.pods.map((pod) => (pod.name === 'redis-6-0' ? { ...pod, terminating: true } : pod));
    const { deps, watches } = watched(async () => undefined);
    const seen = { ...silent, replies, kube: { ...silent.kube, pods } };
    expect([await awaitReady(deps, seen), watches.count]).toEqual([[], 0]);
  });

  test('a watch that is refused, and Ctrl-C: no error, all is done by then', async () => {
    const before = unready(WHOLE, 'redis-5-0');
    const refused = watched(() => Promise.reject(new AppError('no right', { code: 'forbidden' })));
    expect(await awaitReady(refused.deps, before)).toEqual(['redis-5-0']);
    const { deps } = watched(() => new Promise(() => undefined));
    const interrupted = { ...deps, clock: { ...deps.clock, sleep: () => Promise.reject(new Error('aborted')) } };
    expect(await awaitReady(interrupted, before)).toEqual(['redis-5-0']);
  });
});
