/** What a record that is made anew says of a cluster that may have been formed. */
import { expect, test } from '@jest/globals';
import { keepRecord, readRecord } from '../../../webhook/record.ts';
import type { KubeObject } from '../../../pkg/engine/ports.ts';
import { stateMap } from '../../../pkg/pod/state-map.ts';
import { createCluster } from '../../support/admission.ts';

const REF = { namespace: 'default', name: 'redis' };
const LINE = { ordinal: 1, node: 'redis-1', address: '10.96.0.1', shard: '1' };

function service(ageMs: number): KubeObject {
  const creationTimestamp = new Date(Date.now() - ageMs).toISOString();
  const labels = { 'kubectl-redis.io/cluster': 'redis' };
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'redis-1', labels, creationTimestamp } };
}

test.each([
  ['no Service: it was never formed', null, 'false'],
  ['a Service that was made with the pod', 500, 'false'],
  ['a Service of before: nobody says so, and `create` decides', 3_600_000, undefined],
])('%s', async (_, ageMs, formed) => {
  const { store } = createCluster();
  if (ageMs !== null) await store.create(service(ageMs));
  await keepRecord(store, REF, LINE, await readRecord(store, REF));
  const data = store.objects.get('ConfigMap/redis-state')?.['data'] as Readonly<Record<string, string>>;
  expect([data['formed'], data['nodes']]).toEqual([formed, expect.stringContaining('1 redis-1 10.96.0.1')]);
});

test('a record that was restored from another namespace loses the addresses of that one, and is of this one since then', async () => {
  const { store } = createCluster();
  const nodes = '1 redis-1 10.0.0.1 1\n2 redis-2 10.0.0.2 2\n';
  await store.create(stateMap(REF, { formed: 'true', nodes, namespace: 'prod' }));
  await keepRecord(store, REF, LINE, await readRecord(store, REF));
  expect(store.objects.get('ConfigMap/redis-state')?.['data']).toEqual({
    formed: 'true',
    nodes: '1 redis-1 10.96.0.1 1\n2 redis-2 - 2\n',
    namespace: 'default',
  });
});
