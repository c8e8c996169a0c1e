/** A workload that was given to another cluster is not of the one by whose name it goes. */
import { afterEach, expect, test } from '@jest/globals';
import { readFacts } from '../../../pkg/kube/read-facts.ts';
import { sendJson, sendStatus, startHttpStub } from '../../support/http-stub.ts';
import type { HttpStub } from '../../support/http-stub.ts';
import { rawPod } from '../../support/kube-json.ts';

let stub: HttpStub | null = null;
afterEach(async () => {
  await stub?.close();
  stub = null;
});

const OTHER = { 'kubectl-redis.io/cluster': 'f' };

test.each([
  ['label', { labels: { app: 'redis', ...OTHER } }, 0],
  ['annotation', { labels: { app: 'redis' }, annotations: OTHER }, 0],
  ['nothing', { labels: { app: 'redis' } }, 1],
])('pods of StatefulSet redis that say by %s that they are of f', async (_, said, seen) => {
  const metadata = { name: 'redis-0', uid: 'u', ...said };
  const pod = { ...rawPod(), metadata };
  const set = {
    metadata: { name: 'redis' },
    spec: { selector: { matchLabels: { app: 'redis' } }, template: { metadata: said } },
  };
  const service = { metadata: { name: 'redis' }, spec: { selector: { app: 'redis' } } };
  stub = await startHttpStub(({ path, query }, response) => {
    if (/configmaps|leases/.test(path)) return sendStatus(response, 404, 'NotFound', 'not found');
    const selector = query['labelSelector'] ?? '';
    const items = path.endsWith('/pods')
      ? selector === 'app=redis'
        ? [pod]
        : []
      : path.endsWith('/statefulsets')
        ? [set]
        : path.endsWith('/services')
          ? [service]
          : [];
    sendJson(response, 200, { items });
  });
  const facts = await readFacts(stub.client(), { namespace: 'db', name: 'redis' });
  expect([facts.pods.length, facts.statefulSets.length]).toEqual([seen, seen]);
});
