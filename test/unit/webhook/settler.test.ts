import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '../../../pkg/engine/ports.ts';
import { settleClaims } from '../../../webhook/identity.ts';
import { mutate } from '../../../webhook/mutate.ts';
import { createSettler } from '../../../webhook/settler.ts';
import { createCluster, requestOf } from '../../support/admission.ts';
import { podOf } from '../../support/inject-pods.ts';

const SHOP = { namespace: 'shop', name: 'redis' };
const CLAIM = 'kubectl-redis.io/claim';
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const clockOf = (cluster: { readonly now: number }, slept: number[] = []) => ({
  now: () => cluster.now,
  sleep: async (ms: number) => void slept.push(ms),
});

/** A settler whose time passes at once; `open` is how many claims each look finds. */
function started(open: readonly number[], failure?: Error) {
  const seen = { slept: [] as number[], looks: 0, failures: [] as unknown[] };
  const settler = createSettler({
    settle: async () => {
      if (failure !== undefined) throw failure;
      return open[seen.looks++] ?? 0;
    },
    clock: { sleep: async (ms) => void seen.slept.push(ms) },
    signal: new AbortController().signal,
    onFailure: (error) => void seen.failures.push(error),
  });
  return { settler, seen };
}

describe('looks after an admission', () => {
  test.each([
    [[0], [1_000]],
    [
      [2, 1, 0],
      [1_000, 3_000, 10_000],
    ],
    [
      [1, 1, 1, 1, 1],
      [1_000, 3_000, 10_000, 30_000],
    ],
  ])('that find %j open claims come after %j ms', async (open, slept) => {
    const { settler, seen } = started(open);
    settler.admitted(SHOP, false);
    await turn();
    expect(seen.slept).toEqual(slept);
  });

  test('of pods with names come later: their claims hold up nobody of that name', async () => {
    const { settler, seen } = started([1, 1, 1]);
    settler.admitted(SHOP, true);
    await turn();
    expect(seen.slept).toEqual([20_000, 30_000]);
  });

  test('of one without a name come soon, also while others have time', async () => {
    const { settler, seen } = started([0, 0]);
    settler.admitted(SHOP, true);
    settler.admitted(SHOP, false);
    await turn();
    expect(seen.slept).toEqual([20_000, 1_000]);
  });

  test('are one series a cluster, which a new admission begins anew', async () => {
    const { settler, seen } = started([1, 1, 0]);
    settler.admitted(SHOP, false);
    settler.admitted({ ...SHOP, name: 'other' }, false);
    settler.admitted(SHOP, false);
    await turn();
    expect(seen.slept.filter((ms) => ms === 1_000).length).toBeGreaterThanOrEqual(3);
    settler.admitted(SHOP, false);
    await turn();
    expect(seen.slept.at(-1)).toBe(1_000);
  });

  test('of several clusters come one after the other', async () => {
    let [looking, most] = [0, 0];
    const settle = async (): Promise<number> => {
      most = Math.max(most, ++looking);
      await turn();
      looking--;
      return 0;
    };
    const seen: unknown[] = [];
    const { admitted } = createSettler({
      settle,
      clock: { sleep: async () => {} },
      signal: new AbortController().signal,
      onFailure: (error) => void seen.push(error),
    });
    for (const name of ['a', 'b', 'c']) admitted({ namespace: 'shop', name }, false);
    for (let i = 0; i < 5; i++) await turn();
    expect([most, looking, seen]).toEqual([1, 0, []]);
  });

  test('that fail are told of, and the next admission looks again', async () => {
    const { settler, seen } = started([], new Error('no'));
    settler.admitted(SHOP, false);
    await turn();
    settler.admitted(SHOP, false);
    await turn();
    expect(seen.failures).toHaveLength(2);
  });
});

test('the successor of a pod with a name waits for nobody who settles', async () => {
  const cluster = createCluster();
  const pod = podOf({ meta: { name: 'a', labels: { 'kubectl-redis.io/cluster': 'redis', name: 'redis-1' } } });
  const admit = async (name: string): Promise<string> =>
    (await mutate(requestOf(pod, { name }), cluster.deps)).verdict.kind;
  expect(await admit('a')).toBe('injected');
  expect(await admit('a')).toBe('injected');
  expect(await admit('b')).toBe('denied');
});

test.each([
  ['made by the webhook', { 'kubectl-redis.io/cluster': 'redis' }],
  ["of people's own", {}],
])('a claim on a Service %s is settled', async (_, labels) => {
  const cluster = createCluster();
  const annotations = { [CLAIM]: 'somebody 2026-01-01T00:00:00.000Z' };
  await cluster.store.create({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'redis-1', labels, annotations } });
  await cluster.addPod(
    { metadata: { labels: { 'kubectl-redis.io/cluster': 'redis', name: 'redis-1' }, annotations } },
    'redis-1-abc',
  );
  expect(await settleClaims(cluster.kube, clockOf(cluster), SHOP)).toBe(0);
  expect(cluster.store.objects.get('Service/redis-1')?.metadata.annotations).toEqual({});
});

test('the successor of a pod that lived for a moment has its number as soon as somebody has looked', async () => {
  const cluster = createCluster();
  const admitted: unknown[] = [];
  const deps = { ...cluster.deps, onAdmitted: (...told: unknown[]) => void admitted.push(told) };
  const pod = podOf({ meta: { labels: { 'kubectl-redis.io/cluster': 'redis', name: 'redis-1' } } });
  const admit = async (change = {}) => (await mutate(requestOf(pod, change), deps)).verdict;
  const first = await admit();
  expect(admitted).toEqual([[SHOP, false]]);
  const claim = cluster.store.objects.get('Service/redis-1')?.metadata.annotations?.[CLAIM];
  const metadata = {
    labels: { 'kubectl-redis.io/cluster': 'redis', name: 'redis-1' },
    annotations: { [CLAIM]: claim },
  };
  expect(first.kind).toBe('injected');

  // Nobody has seen it yet: it may be on its way.
  expect(await settleClaims(cluster.kube, clockOf(cluster), SHOP)).toBe(1);
  await cluster.addPod({ metadata }, 'redis-1-abc');
  expect(await settleClaims(cluster.kube, clockOf(cluster), SHOP)).toBe(0);
  await cluster.store.remove('v1', 'Pod', 'redis-1-abc');
  expect(await admit()).toMatchObject({ kind: 'injected' });
  expect((cluster.store.objects.get('Service/redis-1') as KubeObject).metadata.annotations?.[CLAIM]).not.toBe(claim);

  expect(await admit({ dryRun: true })).toMatchObject({ kind: 'denied', code: 'name-claimed' });
  expect(admitted).toHaveLength(2);
});

test('claims are settled one after the other, with a rest behind each that grows with what it took', async () => {
  const cluster = createCluster();
  const claimed = { [CLAIM]: 'somebody 2026-01-01T00:00:00.000Z' };
  for (const name of ['redis-1', 'redis-2', 'redis-3']) {
    const labels = { 'kubectl-redis.io/cluster': 'redis' };
    const metadata = { name, labels, annotations: claimed };
    await cluster.store.create({ apiVersion: 'v1', kind: 'Service', metadata });
    await cluster.addPod({ metadata: { labels: { ...labels, name }, annotations: claimed } }, `${name}-pod`);
  }
  const slept: number[] = [];
  const took = [2, 40, 4_000];
  const replace: typeof cluster.kube.replace = async (object) => {
    cluster.now += took[slept.length] ?? 0;
    return cluster.kube.replace(object);
  };
  expect(await settleClaims({ ...cluster.kube, replace }, clockOf(cluster, slept), SHOP)).toBe(0);
  expect(slept).toEqual([6, 120, 500]);
});
