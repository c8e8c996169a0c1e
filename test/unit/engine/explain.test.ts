/** C13, K20: why a few pods are not ready, bounded in number and time; and what is known of volumes that take no writes. */
import { describe, expect, test } from '@jest/globals';
import type { PodFacts } from '../../../pkg/cluster/model/observation.ts';
import { explainDisks, explainPods, type Explainer } from '../../../pkg/engine/explain.ts';
import { observe } from '../../../pkg/engine/observe.ts';
import type { PodTrouble } from '../../../pkg/engine/ports.ts';
import { changePod, changed } from '../../support/observation-changes.ts';
import { crashing } from '../../support/observation-faults.ts';
import { writes } from '../../support/observation-writes.ts';
import { healthyObservation } from '../../support/observation.ts';

const trouble = (pod: string): PodTrouble => {
  return { pod, code: 'crash-loop', sentence: `${pod} ends`, evidence: ['last words'], fatal: true, mark: '7' };
};

function explainer(over: Partial<Explainer> = {}): Explainer & { readonly asked: string[] } {
  const asked: string[] = [];
  const note = <T>(what: string, answer: T): Promise<T> => {
    asked.push(what);
    return Promise.resolve(answer);
  };
  return {
    asked,
    whyNotReady: (pod) => note(pod.name, trouble(pod.name)),
    logTail: (pod) =>
      note(`log ${pod}`, ['1:M # Short write while writing to the AOF file: (nwritten=193)', 'after that']),
    get: (apiVersion, kind, name) =>
      note(`${kind} ${name}`, { apiVersion, kind, metadata: { name }, allowVolumeExpansion: name === 'standard' }),
    ...over,
  };
}

describe('pods that are not ready', () => {
  test('are asked about, those that do not run first, five at most', async () => {
    const kube = explainer();
    const all = healthyObservation({ masters: 4, hosts: 4 }).kube.pods.map((pod) => ({ ...pod, ready: false }));
    const stopped = (name: string): boolean => name >= 'redis-6';
    const pods = all.map((pod): PodFacts => {
      return stopped(pod.name) ? { ...pod, container: { ...pod.container, state: 'waiting' } } : pod;
    });
    const found = await explainPods(kube, pods, 1_000);
    expect(kube.asked).toEqual(['redis-6-0', 'redis-7-0', 'redis-8-0', 'redis-1-0', 'redis-2-0']);
    expect(found[0]).toEqual({
      pod: 'redis-6-0',
      code: 'crash-loop',
      sentence: 'redis-6-0 ends',
      evidence: ['last words'],
    });
  });

  test('are not explained where they are ready, on their way out, or what is asked fails or comes too late', async () => {
    const { pods } = changed(
      healthyObservation(),
      changePod('redis-2-0', (pod) => ({ ...pod, ready: false, terminating: true })),
      crashing('redis-3-0'),
      crashing('redis-4-0'),
      crashing('redis-5-0'),
    ).kube;
    const kube = explainer({
      whyNotReady: (pod) =>
        pod.name === 'redis-3-0'
          ? Promise.reject(new Error('forbidden'))
          : pod.name === 'redis-4-0'
            ? new Promise(() => undefined)
            : Promise.resolve(trouble(pod.name)),
    });
    expect((await explainPods(kube, pods, 50)).map(({ pod }) => pod)).toEqual(['redis-5-0']);
  });
});

test('a volume that takes no writes: what its log says, and whether its claim may grow', async () => {
  const { kube: facts, replies } = changed(healthyObservation(), writes('redis-2-0', { aofWriteOk: false }));
  const kube = explainer();
  expect(await explainDisks(kube, facts, replies, [], 1_000)).toEqual({
    troubles: [
      {
        pod: 'redis-2-0',
        code: 'disk',
        sentence: '1:M # Short write while writing to the AOF file: (nwritten=193)',
        evidence: ['1:M # Short write while writing to the AOF file: (nwritten=193)'],
      },
    ],
    storageClasses: [{ name: 'standard', expands: true }],
  });
  expect(kube.asked).toEqual(['log redis-2-0', 'StorageClass standard']);
});

test('nothing is asked where nothing is wrong, nor by views that do not explain', async () => {
  const observation = healthyObservation();
  const kube = explainer();
  const ports = {
    kube: {
      readFacts: () => Promise.resolve(changed(observation, crashing('redis-1-0')).kube),
      logTail: () => Promise.resolve([]),
    },
    redis: { ask: () => Promise.resolve({ kind: 'unreachable', why: 'refused', detail: '' } as const) },
    clock: { now: () => 0, monotonic: () => 0, sleep: () => Promise.resolve() },
  };
  expect(await explainDisks(kube, observation.kube, observation.replies, [], 1_000)).toEqual({
    troubles: [],
    storageClasses: [],
  });
  const without = await observe(ports, observation.cluster, { deadlineMs: 1_000 });
  expect([kube.asked, without.kube.troubles]).toEqual([[], undefined]);
  const explained = await observe(ports, observation.cluster, { deadlineMs: 1_000, explain: kube });
  expect([kube.asked, explained.kube.troubles?.map(({ pod }) => pod)]).toEqual([['redis-1-0'], ['redis-1-0']]);
});
