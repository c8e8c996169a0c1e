/** Which numbers the webhook gives once a cluster was formed. */
import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../../pkg/pod/inject/pod-json.ts';
import { admit, createCluster, dataOf, make, setData } from '../../support/admission.ts';
import { podOf } from '../../support/inject-pods.ts';

const CLUSTER = 'kubectl-redis.io/cluster';
const named = (name: string): Json => podOf({ meta: { labels: { [CLUSTER]: 'redis', name } } });

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
