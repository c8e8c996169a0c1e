/** Which numbers the webhook gives once a cluster was formed. */
import { describe, expect, test } from '@jest/globals';
import jsonPatch from 'fast-json-patch';
import type { KubeObject } from '../../../pkg/engine/ports.ts';
import type { Json, Pod } from '../../../pkg/pod/inject/pod-json.ts';
import { mutate } from '../../../webhook/mutate.ts';
import { createCluster, requestOf, type Cluster } from '../../support/admission.ts';
import { podOf } from '../../support/inject-pods.ts';

const CLUSTER = 'kubectl-redis.io/cluster';
const named = (name: string): Json => podOf({ meta: { labels: { [CLUSTER]: 'redis', name } } });

/** Admits a pod as the API server would; the pod, or the code of the refusal. */
async function admit(cluster: Cluster, pod: Json): Promise<Pod | string> {
  const { verdict } = await mutate(requestOf(pod), cluster.deps);
  if (verdict.kind !== 'injected') return verdict.code;
  return jsonPatch.applyPatch(structuredClone(pod), verdict.patch as never, true).newDocument as Pod;
}

/** Admits and, when it was not refused, makes the pod. */
async function make(cluster: Cluster, pod: Json, name: string): Promise<string> {
  const admitted = await admit(cluster, pod);
  if (typeof admitted === 'string') return admitted;
  await cluster.addPod(admitted, name);
  return admitted.metadata.labels?.['name'] ?? '';
}

const dataOf = (cluster: Cluster): Record<string, string> =>
  cluster.store.objects.get('ConfigMap/redis-state')?.['data'] as Record<string, string>;

async function setData(cluster: Cluster, data: Record<string, string>): Promise<void> {
  const config = cluster.store.objects.get('ConfigMap/redis-state');
  await cluster.store.apply({ ...(config as KubeObject), data: { ...dataOf(cluster), ...data } });
}

describe('a cluster that was formed', () => {
  const ofSet = (name: string): Json => {
    const ownerReferences = [{ kind: 'StatefulSet', name: 'redis', controller: true }];
    return podOf({ meta: { labels: { [CLUSTER]: 'redis' }, name, ownerReferences } });
  };

  test.each([
    ['the seventh of a StatefulSet', ofSet('redis-6')],
    ['one that says so', named('redis-6')],
  ])('a formed cluster gives no number beyond its own, and leaves no trace of it: %s', async (_, pod) => {
    const cluster = createCluster();
    for (const name of ['redis-0', 'redis-1']) await make(cluster, ofSet(name), name);
    await setData(cluster, { formed: 'true' });
    cluster.writes.length = 0;
    const before = dataOf(cluster);
    expect(await admit(cluster, pod)).toBe('pod-beyond');
    expect([cluster.writes, dataOf(cluster)]).toEqual([[], before]);
    await cluster.store.remove('v1', 'Pod', 'redis-1');
    cluster.now += 60_000;
    expect(await make(cluster, ofSet('redis-1'), 'redis-1')).toBe('redis-1');
  });

  test('an older record that was put back keeps no node away: its Service tells of it', async () => {
    const cluster = createCluster();
    for (const name of ['redis-0', 'redis-1']) await make(cluster, ofSet(name), name);
    await setData(cluster, { formed: 'true', nodes: '0 redis-0 10.96.0.1 1\n' });
    await cluster.store.remove('v1', 'Pod', 'redis-1');
    expect(await make(cluster, ofSet('redis-1'), 'redis-1')).toBe('redis-1');
    expect(dataOf(cluster)['nodes']).toContain('1 redis-1 10.96.0.2 -');
  });
});
