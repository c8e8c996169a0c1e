import { describe, expect, test } from '@jest/globals';
import { awaitBrought } from '../../../pkg/engine/await-brought.ts';
import type { KubeObject, KubePort } from '../../../pkg/engine/ports.ts';
import { AppError } from '../../../pkg/errors.ts';

const CLUSTER = { namespace: 'shop', name: 'redis' };
const LABEL = { 'kubectl-redis.io/cluster': 'redis' };

function workload(kind: string, replicas: number | undefined, metadata: object, more: object = {}): KubeObject {
  const spec = { ...(replicas === undefined ? {} : { replicas }), template: { metadata } };
  // A list of the API server does not say of what kind its items are.
  return { apiVersion: '', kind: '', metadata: { name: `my-${kind.toLowerCase()}`, ...more }, spec };
}

/** A namespace in which one more pod is there at every look. */
function world(workloads: Readonly<Record<string, readonly KubeObject[]>>, podsAtFirst = 0, podsAtMost = 99) {
  const seen = { said: [] as string[], looks: 0, now: 0 };
  const kube: Pick<KubePort, 'list' | 'whyNoPod'> = {
    list: async (_, kind) => {
      if (kind !== 'Pod') return workloads[kind] ?? [];
      const there = Math.min(podsAtFirst + seen.looks++, podsAtMost);
      return Array.from({ length: there }, (_, n) => ({ apiVersion: '', kind: '', metadata: { name: `pod-${n}` } }));
    },
    whyNoPod: async (name) => ({
      pod: `${name}-0`,
      code: 'rejected',
      sentence: 'it is refused',
      evidence: ['a quota'],
      fatal: false,
    }),
  };
  const deps = {
    kube,
    clock: { now: () => seen.now, monotonic: () => seen.now, sleep: async (ms: number) => void (seen.now += ms) },
    signal: new AbortController().signal,
    timeoutMs: 5_000,
    say: (sentence: string) => void seen.said.push(sentence),
  };
  return { seen, deps };
}

test('where nobody brought anything no pod is looked at', async () => {
  const stranger = workload('StatefulSet', 3, { labels: { 'kubectl-redis.io/cluster': 'other' } });
  const ours = workload('StatefulSet', 1, { labels: { ...LABEL, 'app.kubernetes.io/managed-by': 'kubectl-redis' } });
  const { deps, seen } = world({ StatefulSet: [stranger, ours] });
  await awaitBrought(CLUSTER, deps);
  expect(seen).toEqual({ said: [], looks: 0, now: 0 });
});

describe('the pods that are wanted', () => {
  test.each<[string, Readonly<Record<string, readonly KubeObject[]>>, number]>([
    ['of a StatefulSet', { StatefulSet: [workload('StatefulSet', 3, { labels: LABEL })] }, 3],
    ['by annotation', { Deployment: [workload('Deployment', 2, { annotations: LABEL })] }, 2],
    ['without a number', { Deployment: [workload('Deployment', undefined, { labels: LABEL })] }, 1],
    [
      'of many ReplicaSets',
      { ReplicaSet: [1, 2, 3].map((n) => workload(`ReplicaSet${n}`, 1, { annotations: LABEL })) },
      3,
    ],
    [
      'of a Deployment, whose ReplicaSet is not counted again',
      {
        Deployment: [workload('Deployment', 2, { labels: LABEL })],
        ReplicaSet: [workload('ReplicaSet', 2, { labels: LABEL }, { ownerReferences: [{ kind: 'Deployment' }] })],
      },
      2,
    ],
  ])('%s', async (_, workloads, wanted) => {
    const { deps, seen } = world(workloads);
    await awaitBrought(CLUSTER, deps);
    expect(seen.said).toHaveLength(wanted);
    expect(seen.said[0]).toContain(`0 of ${wanted} are there`);
    expect(seen.looks).toBe(wanted + 1);
  });

  test('that are there already are not waited for', async () => {
    const { deps, seen } = world({ StatefulSet: [workload('StatefulSet', 3, { labels: LABEL })] }, 3);
    await awaitBrought(CLUSTER, deps);
    expect(seen.said).toEqual([]);
  });

  test('that never come are told of, with what the controller says', async () => {
    const { deps } = world({ StatefulSet: [workload('StatefulSet', 3, { labels: LABEL })] }, 0, 2);
    await expect(awaitBrought(CLUSTER, deps)).rejects.toMatchObject({
      code: 'pods-timeout',
      message: '2 of 3 pods of redis were there after 5 s',
      cause: new Error('it is refused | a quota'),
    });
  });
});

test('without the right to list workloads nothing is known, and nothing waited for', async () => {
  const { deps } = world({});
  const list = () => Promise.reject(new AppError('no', { code: 'forbidden' }));
  await awaitBrought(CLUSTER, { ...deps, kube: { ...deps.kube, list } });
  const broken = () => Promise.reject(new AppError('no', { code: 'server-unreachable' }));
  await expect(awaitBrought(CLUSTER, { ...deps, kube: { ...deps.kube, list: broken } })).rejects.toThrow('no');
});
