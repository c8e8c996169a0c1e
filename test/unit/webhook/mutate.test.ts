import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '../../../pkg/engine/ports.ts';
import { AppError } from '../../../pkg/errors.ts';
import type { Json } from '../../../pkg/pod/inject/pod-json.ts';
import { mutate } from '../../../webhook/mutate.ts';
import type { SeenRecord } from '../../../webhook/record.ts';
import { createRecent } from '../../../webhook/recent.ts';
import { admit, createCluster, dataOf, make, requestOf, setData, type Cluster } from '../../support/admission.ts';
import { podOf } from '../../support/inject-pods.ts';

const CLUSTER = 'kubectl-redis.io/cluster';
const named = (name: string): Json => podOf({ meta: { labels: { [CLUSTER]: 'redis', name } } });
const ANY = podOf({ meta: { labels: { [CLUSTER]: 'redis' }, generateName: 'cache-' } });

describe('the first pod of a cluster', () => {
  test('gets Service, ConfigMap and address', async () => {
    const cluster = createCluster();
    const pod = await admit(cluster, named('redis-3'));
    if (typeof pod === 'string') throw new Error(pod);
    expect(pod.metadata.annotations?.['kubectl-redis.io/announce-ip']).toBe('10.96.0.1');
    expect(JSON.stringify(pod.spec)).toContain('"KUBECTL_REDIS_SECOND_BUS_PORT","value":"16380"');
    expect(cluster.writes).toEqual([
      'create Service/redis-3',
      'create ConfigMap/redis-config',
      'create ConfigMap/redis-state',
    ]);
    expect(dataOf(cluster)).toMatchObject({ formed: 'false', nodes: '3 redis-3 10.96.0.1 -\n' });
    const service = cluster.store.objects.get('Service/redis-3');
    expect(service?.['spec']).toMatchObject({
      selector: { [CLUSTER]: 'redis', name: 'redis-3' },
      publishNotReadyAddresses: true,
    });
    expect(pod.metadata.annotations?.['kubectl-redis.io/claim']).toBe(
      service?.metadata.annotations?.['kubectl-redis.io/claim'],
    );
  });

  test('of a dry run leaves no trace', async () => {
    const cluster = createCluster();
    expect(await admit(cluster, named('redis-3'), { dryRun: true })).toMatchObject({
      metadata: { labels: { name: 'redis-3' } },
    });
    expect(cluster.writes).toEqual([]);
  });

  test('that is refused takes no number', async () => {
    const claim = { persistentVolumeClaim: { claimName: 'c' } };
    const volumes = [
      { name: 'a', ...claim },
      { name: 'b', ...claim },
    ];
    const cluster = createCluster();
    expect(await admit(cluster, podOf({ spec: { volumes, containers: [{ name: 'redis' }] } }))).toBe('which-volume');
    expect(cluster.writes).toEqual([]);
  });
});

describe('numbers', () => {
  test('ten pods admitted at once get ten, also of two servers', async () => {
    const cluster = createCluster();
    const pods = await Promise.all(Array.from({ length: 10 }, () => admit(cluster, ANY)));
    const names = pods.map((pod) => (typeof pod === 'string' ? pod : pod.metadata.labels?.['name']));
    expect(new Set(names)).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((n) => `redis-${n}`)));
    const addresses = pods.map((pod) =>
      typeof pod === 'string' ? pod : pod.metadata.annotations?.['kubectl-redis.io/announce-ip'],
    );
    expect(new Set(addresses).size).toBe(10);
    expect(dataOf(cluster)['nodes']?.trim().split('\n')).toHaveLength(10);
  });

  test('of ten pods of one name admitted at once, one gets it', async () => {
    const cluster = createCluster();
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => admit(cluster, named('redis-1'))));
    expect(outcomes.filter((outcome) => typeof outcome !== 'string')).toHaveLength(1);
    expect(new Set(outcomes.filter((outcome) => typeof outcome === 'string'))).toEqual(new Set(['name-claimed']));
  });

  test('a pod is refused while another of its name is there, Terminating included; then its successor is not held up', async () => {
    const cluster = createCluster();
    expect(await make(cluster, named('redis-1'), 'a')).toBe('redis-1');
    expect(await make(cluster, named('redis-1'), 'b')).toBe('name-taken');
    const pod = cluster.store.objects.get('Pod/a') as KubeObject;
    await cluster.store.apply({ ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } });
    const { verdict } = await mutate(requestOf(named('redis-1')), cluster.deps);
    expect(verdict).toMatchObject({
      kind: 'denied',
      code: 'name-taken',
      sentence: expect.stringContaining('being deleted'),
    });
    await cluster.store.remove('v1', 'Pod', 'a');
    expect(await make(cluster, named('redis-1'), 'b')).toBe('redis-1');
  });

  test('a claim without a pod holds for a minute', async () => {
    const cluster = createCluster();
    await admit(cluster, named('redis-1'));
    cluster.now += 59_000;
    expect(await admit(cluster, named('redis-1'))).toBe('name-claimed');
    cluster.now += 1_000;
    expect(await make(cluster, named('redis-1'), 'a')).toBe('redis-1');
  });

  test('a StatefulSet tries again for its pod at once', async () => {
    const cluster = createCluster();
    const ownerReferences = [{ kind: 'StatefulSet', name: 'redis', controller: true }];
    const pod = podOf({ meta: { labels: { [CLUSTER]: 'redis' }, name: 'redis-0', ownerReferences } });
    await admit(cluster, pod);
    expect(await admit(cluster, pod)).toMatchObject({ metadata: { labels: { name: 'redis-0' } } });
  });

  test('a formed cluster grows by nobody: the successor of a pod waits until it is gone, and takes its place', async () => {
    const cluster = createCluster();
    for (const name of ['a', 'b', 'c']) await make(cluster, ANY, name);
    await setData(cluster, { formed: 'true', nodes: dataOf(cluster)['nodes']?.replaceAll(/-$/gm, '7') ?? '' });
    expect(await make(cluster, ANY, 'd')).toBe('no-free-number');
    await cluster.store.remove('v1', 'Pod', 'b');
    const pod = await admit(cluster, ANY);
    expect(pod).toMatchObject({ metadata: { labels: { name: 'redis-2', 'kubectl-redis.io/shard': '7' } } });
  });

  test('a pod that has ended for good holds no number', async () => {
    const cluster = createCluster();
    await make(cluster, named('redis-1'), 'a');
    const pod = cluster.store.objects.get('Pod/a') as KubeObject;
    await cluster.store.apply({ ...pod, status: { phase: 'Failed' } });
    cluster.now += 60_000;
    expect(await make(cluster, named('redis-1'), 'b')).toBe('redis-1');
  });
});

describe('K2: the record', () => {
  const objectOf = (cluster: Cluster, name: string): KubeObject => {
    const object = cluster.store.objects.get(`ConfigMap/${name}`);
    if (object === undefined) throw new Error(`no ${name}`);
    return object;
  };

  test('of an older version is taken over', async () => {
    const cluster = createCluster();
    const data = { formed: 'true', nodes: '1 redis-1 10.0.0.1 1\n2 redis-2 10.0.0.2 2\n', budgets: '1:2' };
    await cluster.store.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'redis-config' }, data });
    await make(cluster, named('redis-1'), 'a');
    expect(dataOf(cluster)).toMatchObject({ ...data, nodes: data.nodes.replace('10.0.0.1', '10.96.0.1') });
    expect(objectOf(cluster, 'redis-config')['data']).toEqual(data);
  });

  test('that is made anew while a pod serves does not say that the cluster was never formed', async () => {
    const cluster = createCluster();
    await make(cluster, named('redis-1'), 'a');
    const pod = cluster.store.objects.get('Pod/a');
    const status = { conditions: [{ type: 'Ready', status: 'True' }] };
    await cluster.store.apply({ ...(pod as KubeObject), status });
    for (const name of ['redis-config', 'redis-state']) await cluster.store.remove('v1', 'ConfigMap', name);
    await make(cluster, named('redis-2'), 'b');
    expect(dataOf(cluster)).toEqual({ nodes: expect.stringContaining('2 redis-2 '), namespace: 'shop' });
  });

  test('is not written over an object of somebody else', async () => {
    const cluster = createCluster();
    const data = { theirs: 'x' };
    await cluster.store.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'redis-state' }, data });
    expect(await admit(cluster, named('redis-1'))).toBe('name-taken');
    expect(objectOf(cluster, 'redis-state')['data']).toEqual(data);
  });
});

describe('objects of people', () => {
  const service = (spec: Json): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'redis-1' },
    spec,
  });
  const ports = [{ port: 6379 }, { port: 16379 }];

  test('their Service is the address', async () => {
    const cluster = createCluster();
    await cluster.store.create(service({ clusterIP: '10.7.7.7', selector: { app: 'redis', name: 'redis-1' }, ports }));
    const { verdict } = await mutate(requestOf(ANY), cluster.deps);
    expect(verdict).toMatchObject({
      kind: 'injected',
      warnings: expect.arrayContaining([expect.stringContaining('publishNotReady')]),
    });
    expect(dataOf(cluster)['nodes']).toBe('1 redis-1 10.7.7.7 -\n');
    expect(JSON.stringify(verdict)).not.toContain('KUBECTL_REDIS_SECOND_BUS_PORT');
    expect(cluster.store.objects.get('Service/redis-1')?.['spec']).toEqual({
      clusterIP: '10.7.7.7',
      selector: { app: 'redis', name: 'redis-1' },
      ports,
    });
  });

  test('one that can not be is refused', async () => {
    const cluster = createCluster();
    await cluster.store.create(service({ clusterIP: 'None', selector: { name: 'redis-1' }, ports }));
    expect(await admit(cluster, named('redis-1'))).toBe('service-unfit');
  });

  test('pods of create, of others, and what is no new pod are left alone', async () => {
    const cluster = createCluster();
    const made = podOf({
      meta: { labels: { [CLUSTER]: 'redis' }, annotations: { 'kubectl-redis.io/injected': 'create' } },
    });
    expect(await admit(cluster, made)).toBe('injected-already');
    expect(await admit(cluster, podOf({ meta: { labels: {} } }))).toBe('not-asked-for');
    expect(await admit(cluster, ANY, { isNewPod: false })).toBe('no-new-pod');
    expect(cluster.writes).toEqual([]);
  });
});

test('a table that is complete is not written again', async () => {
  const cluster = createCluster();
  await make(cluster, named('redis-1'), 'a');
  await cluster.store.remove('v1', 'Pod', 'a');
  cluster.now += 60_000;
  cluster.writes.length = 0;
  await make(cluster, named('redis-1'), 'b');
  expect(cluster.writes).toEqual(['replace Service/redis-1']);
});

describe('what was read of the cluster a moment ago', () => {
  /** Objects that were read since, of a cluster whose first two nodes were admitted already. */
  async function reads(pod: Json, afterMs: number): Promise<string[]> {
    const cluster = createCluster();
    const read: string[] = [];
    const get: typeof cluster.kube.get = (version, kind, name) => {
      read.push(`${kind}/${name}`);
      return cluster.kube.get(version, kind, name);
    };
    const recent = createRecent<SeenRecord>(() => cluster.now);
    const deps = { ...cluster.deps, kubeIn: () => ({ ...cluster.kube, get }), recent };
    for (const name of ['redis-1', 'redis-2', 'redis-2']) {
      expect((await mutate(requestOf(named(name), { name }), deps)).verdict.kind).toBe('injected');
    }
    read.length = 0;
    cluster.now += afterMs;
    expect((await mutate(requestOf(pod, { name: 'redis-1' }), deps)).verdict.kind).toBe('injected');
    return read;
  }

  test('does for one that says which node it is, and that is known', async () => {
    expect(await reads(named('redis-1'), 999)).toEqual(['Service/redis-1']);
  });

  test.each([
    ['once it is a second old', named('redis-1'), 1_000],
    ['for a new node', named('redis-3'), 0],
    ['for one that may be any', ANY, 0],
  ])('does not do %s', async (_, pod, afterMs) => {
    expect(await reads(pod, afterMs)).toEqual(expect.arrayContaining(['ConfigMap/redis-state', 'Service/redis']));
  });

  test('is not kept for good', () => {
    let now = 0;
    const { recall, keep } = createRecent<number>(() => now);
    keep('a', 1);
    now = 600;
    keep('b', 2);
    keep('a', 3);
    now = 1_500;
    expect([recall('a'), recall('b')]).toEqual([3, 2]);
    now = 1_600;
    expect([recall('a'), recall('b')]).toEqual([null, null]);
  });
});

test.each([
  [new AppError('no answer', { code: 'timeout' }), 'timeout', 500],
  [new Error('odd'), 'internal', 500],
])('an API server that fails: %s', async (error, code, status) => {
  const cluster = createCluster();
  const kube = { ...cluster.kube, list: () => Promise.reject(error) };
  const { verdict } = await mutate(requestOf(ANY), { ...cluster.deps, kubeIn: () => kube });
  expect(verdict).toMatchObject({ kind: 'denied', code, status });
});
