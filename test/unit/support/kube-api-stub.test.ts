import { afterEach, describe, expect, test } from '@jest/globals';
import { startKubeApiStub } from '../../support/kube-api-stub.ts';
import type { KubeApiStub } from '../../support/kube-api-stub.ts';
import { stubCluster } from '../../support/stub-cluster.ts';

let stub: KubeApiStub | null = null;

afterEach(async () => {
  await stub?.close();
  stub = null;
});

async function ask(path: string, method = 'GET'): Promise<{ readonly status: number; readonly body: unknown }> {
  stub ??= await startKubeApiStub(stubCluster('shop', 3, [{ ip: '127.0.0.2', port: 6379 }]));
  const response = await fetch(`${stub.url}${path}`, { method });
  return { status: response.status, body: await response.json() };
}

function names(body: unknown): readonly string[] {
  return (body as { items: { metadata: { name: string } }[] }).items.map((item) => item.metadata.name);
}

describe('the stub of the Kubernetes API', () => {
  test.each([
    ['/api/v1/namespaces/default/pods?labelSelector=kubectl-redis.io%2Fcluster%3Dshop', ['shop-1-0']],
    ['/api/v1/namespaces/default/pods?labelSelector=kubectl-redis.io%2Fcluster%3Dother', []],
    ['/api/v1/pods', ['shop-1-0']],
    ['/api/v1/namespaces/elsewhere/pods', []],
    ['/api/v1/namespaces/default/services?labelSelector=name', ['shop-1']],
    ['/api/v1/nodes', ['host-1', 'host-2', 'host-3']],
    ['/apis/apps/v1/namespaces/default/statefulsets', ['shop-1']],
    ['/apis/coordination.k8s.io/v1/namespaces/default/leases', []],
  ])('lists %s', async (path, expected) => {
    const { status, body } = await ask(path);
    expect(status).toBe(200);
    expect(names(body)).toEqual(expected);
  });

  test('gets what is there, and says what is not', async () => {
    expect(await ask('/api/v1/namespaces/default/configmaps/shop-config')).toMatchObject({
      status: 200,
      body: { kind: 'ConfigMap', metadata: { name: 'shop-config' } },
    });
    expect(await ask('/api/v1/namespaces/default/configmaps/other')).toMatchObject({
      status: 404,
      body: { kind: 'Status', reason: 'NotFound' },
    });
  });

  test.each([
    ['POST', '/api/v1/namespaces/default/pods'],
    ['GET', '/api/v1/namespaces/default/pods?watch=true'],
    ['GET', '/api/v1/namespaces/default/pods?labelSelector=a%20in%20(b)'],
  ])('answers %s %s with 501', async (method, path) => {
    expect((await ask(path, method)).status).toBe(501);
  });

  test('remembers what it was asked, and writes a kubeconfig that leads to it', async () => {
    await ask('/api/v1/nodes');
    expect(stub?.requests).toEqual(['/api/v1/nodes']);
    expect(JSON.parse(stub?.kubeconfig ?? '')).toMatchObject({ clusters: [{ cluster: { server: stub?.url } }] });
  });
});
