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
    settler.admitted(SHOP);
    await turn();
    expect(seen.slept).toEqual(slept);
  });

  test('are one series a cluster, which a new admission begins anew', async () => {
    const { settler, seen } = started([1, 1, 0]);
    settler.admitted(SHOP);
    settler.admitted({ ...SHOP, name: 'other' });
    settler.admitted(SHOP);
    await turn();
    expect(seen.slept.filter((ms) => ms === 1_000).length).toBeGreaterThanOrEqual(3);
    settler.admitted(SHOP);
    await turn();
    expect(seen.slept.at(-1)).toBe(1_000);
  });

  test('that fail are told of, and the next admission looks again', async () => {
    const { settler, seen } = started([], new Error('no'));
    settler.admitted(SHOP);
    await turn();
    settler.admitted(SHOP);
    await turn();
    expect(seen.failures).toHaveLength(2);
  });
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
  expect(await settleClaims(cluster.kube, cluster.deps.clock, SHOP)).toBe(0);
  expect(cluster.store.objects.get('Service/redis-1')?.metadata.annotations).toEqual({});
});

test('the successor of a pod that lived for a moment has its number as soon as somebody has looked', async () => {
  const cluster = createCluster();
  const admitted: unknown[] = [];
  const deps = { ...cluster.deps, onAdmitted: (each: unknown) => void admitted.push(each) };
  const pod = podOf({ meta: { labels: { 'kubectl-redis.io/cluster': 'redis', name: 'redis-1' } } });
  const admit = async (change = {}) => (await mutate(requestOf(pod, change), deps)).verdict;
  const first = await admit();
  expect(admitted).toEqual([SHOP]);
  const claim = cluster.store.objects.get('Service/redis-1')?.metadata.annotations?.[CLAIM];
  const metadata = {
    labels: { 'kubectl-redis.io/cluster': 'redis', name: 'redis-1' },
    annotations: { [CLAIM]: claim },
  };
  expect(first.kind).toBe('injected');

  // Nobody has seen it yet: it may be on its way.
  expect(await settleClaims(cluster.kube, cluster.deps.clock, SHOP)).toBe(1);
  await cluster.addPod({ metadata }, 'redis-1-abc');
  expect(await settleClaims(cluster.kube, cluster.deps.clock, SHOP)).toBe(0);
  await cluster.store.remove('v1', 'Pod', 'redis-1-abc');
  expect(await admit()).toMatchObject({ kind: 'injected' });
  expect((cluster.store.objects.get('Service/redis-1') as KubeObject).metadata.annotations?.[CLAIM]).not.toBe(claim);

  expect(await admit({ dryRun: true })).toMatchObject({ kind: 'denied', code: 'name-claimed' });
  expect(admitted).toHaveLength(2);
});
