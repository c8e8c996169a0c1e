/** Eviction: what is asked, and what each answer means. */
import { afterEach, expect, test } from '@jest/globals';
import { createKubePort } from '../../../pkg/kube/kube-port.ts';
import { sendJson, sendStatus, startHttpStub } from '../../support/http-stub.ts';
import type { HttpStub } from '../../support/http-stub.ts';

let stub: HttpStub | null = null;
afterEach(async () => {
  await stub?.close();
  stub = null;
});

test('names the pod and its uid', async () => {
  const asked: unknown[] = [];
  stub = await startHttpStub((request, response) => {
    asked.push([request.method, request.path, request.body]);
    sendJson(response, 201, { kind: 'Status', status: 'Success' });
  });
  expect(await createKubePort(stub.client(), 'db').evict('redis-1-0', 'uid-1')).toEqual({ kind: 'evicted' });
  const body = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name: 'redis-1-0', namespace: 'db' },
    deleteOptions: { preconditions: { uid: 'uid-1' } },
  };
  expect(asked).toEqual([['POST', '/api/v1/namespaces/db/pods/redis-1-0/eviction', body]]);
});

test.each([
  [404, 'NotFound', { kind: 'gone' }],
  [409, 'Conflict', { kind: 'gone' }],
  [429, 'TooManyRequests', { kind: 'not-now', why: 'it would violate the budget' }],
])('%d %s: asked once', async (code, reason, expected) => {
  let asked = 0;
  stub = await startHttpStub((_, response) => {
    asked += 1;
    sendStatus(response, code, reason, 'it would violate the budget');
  });
  expect(await createKubePort(stub.client(), 'db').evict('redis-1-0', 'uid-1')).toEqual(expected);
  expect(asked).toBe(1);
});

test('without the right to', async () => {
  const why =
    'pods "redis-1-0" is forbidden: User "jo" cannot create resource "pods/eviction" in API group "" in the namespace "db"';
  stub = await startHttpStub((_, response) => sendStatus(response, 403, 'Forbidden', why));
  await expect(createKubePort(stub.client(), 'db').evict('redis-1-0', 'uid-1')).rejects.toMatchObject({
    code: 'forbidden',
  });
});
