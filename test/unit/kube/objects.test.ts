import { afterEach, describe, expect, test } from '@jest/globals';
import type { KubePort } from '../../../pkg/engine/ports.ts';
import { createKubePort } from '../../../pkg/kube/kube-port.ts';
import { resourcePath } from '../../../pkg/kube/resources.ts';
import { labelsText, selectorText } from '../../../pkg/kube/selectors.ts';
import { sendJson, sendStatus, startHttpStub } from '../../support/http-stub.ts';
import type { Answer, HttpStub } from '../../support/http-stub.ts';

let stub: HttpStub | null = null;
afterEach(async () => {
  await stub?.close();
  stub = null;
});

async function portOf(answer: Answer): Promise<{ stub: HttpStub; kube: KubePort }> {
  stub = await startHttpStub(answer);
  return { stub, kube: createKubePort(stub.client(), 'db') };
}

const echo: Answer = (request, response) => sendJson(response, 200, request.body ?? { items: [] });

describe('paths', () => {
  test.each([
    ['v1', 'Pod', 'db', 'x', '/api/v1/namespaces/db/pods/x', 'pods'],
    ['v1', 'Pod', null, undefined, '/api/v1/pods', 'pods'],
    ['v1', 'Node', 'db', 'node1', '/api/v1/nodes/node1', 'nodes'],
    ['apps/v1', 'StatefulSet', 'db', undefined, '/apis/apps/v1/namespaces/db/statefulsets', 'statefulsets.apps'],
    [
      'policy/v1',
      'PodDisruptionBudget',
      'db',
      'x',
      '/apis/policy/v1/namespaces/db/poddisruptionbudgets/x',
      'poddisruptionbudgets.policy',
    ],
    [
      'coordination.k8s.io/v1',
      'Lease',
      'db',
      'x',
      '/apis/coordination.k8s.io/v1/namespaces/db/leases/x',
      'leases.coordination.k8s.io',
    ],
    [
      'storage.k8s.io/v1',
      'StorageClass',
      'db',
      undefined,
      '/apis/storage.k8s.io/v1/storageclasses',
      'storageclasses.storage.k8s.io',
    ],
    [
      'discovery.k8s.io/v1',
      'EndpointSlice',
      'db',
      undefined,
      '/apis/discovery.k8s.io/v1/namespaces/db/endpointslices',
      'endpointslices.discovery.k8s.io',
    ],
    [
      'networking.k8s.io/v1',
      'NetworkPolicy',
      'db',
      undefined,
      '/apis/networking.k8s.io/v1/namespaces/db/networkpolicies',
      'networkpolicies.networking.k8s.io',
    ],
  ])('%s %s', (apiVersion, kind, namespace, name, path, resource) => {
    expect(resourcePath({ apiVersion, kind, namespace, ...(name === undefined ? {} : { name }) })).toMatchObject({
      path,
      resource,
    });
  });

  test('an unknown kind is a bug', () => {
    expect(() => resourcePath({ apiVersion: 'v1', kind: 'Pods', namespace: 'db' })).toThrow(
      'no REST path known for v1 Pods',
    );
  });
});

describe('selectors', () => {
  test('labels and expressions', () => {
    expect(labelsText({ a: 'b', c: 'd' })).toBe('a=b,c=d');
    expect(labelsText({})).toBeNull();
    expect(
      selectorText({
        matchLabels: { app: 'redis' },
        matchExpressions: [
          { key: 'tier', operator: 'In', values: ['a', 'b'] },
          { key: 'old', operator: 'NotIn', values: ['yes'] },
          { key: 'here', operator: 'Exists' },
          { key: 'gone', operator: 'DoesNotExist' },
        ],
      }),
    ).toBe('app=redis,tier in (a,b),old notin (yes),here,!gone');
    expect(selectorText({})).toBeNull();
  });
});

describe('writing', () => {
  const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'redis-operation' } };
  const path = '/apis/coordination.k8s.io/v1/namespaces/db/leases';

  test('apply is a forced server-side apply in our name', async () => {
    const { stub, kube } = await portOf(echo);
    expect(await kube.apply(lease)).toEqual(lease);
    expect(await kube.apply(lease, { dryRun: true })).toEqual(lease);
    expect(
      stub.seen.map(({ method, path, query, headers, body }) => ({
        method,
        path,
        query,
        type: headers['content-type'],
        body,
      })),
    ).toEqual([
      {
        method: 'PATCH',
        path: `${path}/redis-operation`,
        query: { fieldManager: 'kubectl-redis', force: 'true' },
        type: 'application/apply-patch+yaml',
        body: lease,
      },
      {
        method: 'PATCH',
        path: `${path}/redis-operation`,
        query: { fieldManager: 'kubectl-redis', force: 'true', dryRun: 'All' },
        type: 'application/apply-patch+yaml',
        body: lease,
      },
    ]);
  });

  test('create posts to the collection of the namespace that the object names', async () => {
    const { stub, kube } = await portOf(echo);
    await kube.create({ ...lease, metadata: { name: 'x', namespace: 'other' } });
    expect(stub.seen[0]).toMatchObject({
      method: 'POST',
      path: '/apis/coordination.k8s.io/v1/namespaces/other/leases',
    });
  });

  test('replace is a PUT; somebody else was faster', async () => {
    const { stub, kube } = await portOf((_request, response) => sendStatus(response, 409, 'Conflict', 'modified'));
    await expect(
      kube.replace({ ...lease, metadata: { name: 'redis-operation', resourceVersion: '7' } }),
    ).rejects.toMatchObject({ code: 'conflict' });
    expect(stub.seen[0]).toMatchObject({
      method: 'PUT',
      path: `${path}/redis-operation`,
      body: { metadata: { resourceVersion: '7' } },
    });
  });

  test('remove says whether it was there', async () => {
    const { stub, kube } = await portOf((request, response) =>
      request.path.endsWith('/here') ? sendJson(response, 200, {}) : sendStatus(response, 404, 'NotFound', 'not found'),
    );
    expect(await kube.remove('v1', 'Pod', 'here', { uid: 'u', graceSeconds: 0 })).toBe(true);
    expect(await kube.remove('v1', 'Pod', 'gone')).toBe(false);
    expect(stub.seen.map((each) => each.body)).toEqual([
      {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: 'Background',
        preconditions: { uid: 'u' },
        gracePeriodSeconds: 0,
      },
      { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background' },
    ]);
  });

  test('remove with a uid leaves another object of that name alone', async () => {
    const { kube } = await portOf((_request, response) =>
      sendStatus(response, 409, 'Conflict', 'the UID in the precondition'),
    );
    expect(await kube.remove('v1', 'Pod', 'x', { uid: 'u' })).toBe(false);
    await expect(kube.remove('v1', 'Pod', 'x')).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('reading', () => {
  test('list gives the items the kind that they do not repeat', async () => {
    const { stub, kube } = await portOf((_request, response) =>
      sendJson(response, 200, { items: [{ metadata: { name: 'a' } }] }),
    );
    expect(await kube.list('apps/v1', 'StatefulSet', { selector: 'app=redis' })).toEqual([
      { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'a' } },
    ]);
    await kube.list('v1', 'Service', { allNamespaces: true });
    expect(stub.seen.map(({ path, query }) => ({ path, query }))).toEqual([
      { path: '/apis/apps/v1/namespaces/db/statefulsets', query: { labelSelector: 'app=redis' } },
      { path: '/api/v1/services', query: {} },
    ]);
  });

  test('get of nothing is null', async () => {
    const { kube } = await portOf((_request, response) => sendStatus(response, 404, 'NotFound', 'not found'));
    expect(await kube.get('v1', 'Secret', 'redis-auth')).toBeNull();
  });

  test('a log, and no log', async () => {
    const { stub, kube } = await portOf((request, response) =>
      request.query['previous'] === 'true'
        ? sendStatus(response, 400, 'BadRequest', 'previous terminated container not found')
        : void response.end('one\n\ntwo\n'),
    );
    expect(await kube.logTail('redis-1-0', 'redis', 20)).toEqual(['one', '', 'two']);
    expect(await kube.logTail('redis-1-0', 'redis', 20, true)).toEqual([]);
    expect(stub.seen[0]).toMatchObject({
      path: '/api/v1/namespaces/db/pods/redis-1-0/log',
      query: { container: 'redis', tailLines: '20', limitBytes: '65536' },
    });
  });
});
