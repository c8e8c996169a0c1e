/** What a record that is made anew says of a cluster that may have been formed. */
import { expect, test } from '@jest/globals';
import { keepRecord, readRecord } from '../../../webhook/record.ts';
import type { KubeObject } from '../../../pkg/engine/ports.ts';
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
