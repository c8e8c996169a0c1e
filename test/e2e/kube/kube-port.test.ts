import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { PodFacts } from '../../../pkg/cluster/model/observation.ts';
import type { KubeObject } from '../../../pkg/engine/ports.ts';
import { describeCore, openClusterEnv, podObject, until } from '../../support/cluster-env.ts';
import type { ClusterEnv } from '../../support/cluster-env.ts';

describeCore('the Kubernetes port', () => {
  let env: ClusterEnv;
  beforeAll(async () => {
    env = await openClusterEnv();
  });
  afterAll(async () => {
    await env.close();
  });

  const configMap = (data: Record<string, string>): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'shop-config', labels: { 'kubectl-redis.io/cluster': 'shop' } },
    data,
  });

  test('apply makes, changes and takes over; a dry run changes nothing', async () => {
    const dry = await env.kube.apply(configMap({ a: '0' }), { dryRun: true });
    expect(dry['data']).toEqual({ a: '0' });
    expect(await env.kube.get('v1', 'ConfigMap', 'shop-config')).toBeNull();
    const made = await env.kube.apply(configMap({ a: '1', b: '1' }));
    expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    const changed = await env.kube.apply(configMap({ a: '2' }));
    expect(changed['data']).toEqual({ a: '2' });
    expect(changed.metadata.uid).toBe(made.metadata.uid);
  });

  test('create refuses what is there, replace what was changed meanwhile, remove what is another', async () => {
    const lease: KubeObject = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'shop-operation', annotations: { 'kubectl-redis.io/verb': 'create' } },
      spec: { holderIdentity: 'ada', leaseDurationSeconds: 30 },
    };
    const made = await env.kube.create(lease);
    await expect(env.kube.create(lease)).rejects.toMatchObject({ code: 'already-exists' });
    const renewed = await env.kube.replace({ ...made, spec: { holderIdentity: 'bob', leaseDurationSeconds: 30 } });
    await expect(env.kube.replace({ ...made, spec: { holderIdentity: 'eve' } })).rejects.toMatchObject({
      code: 'conflict',
    });
    const facts = await env.kube.readFacts({ namespace: env.namespace, name: 'shop' });
    expect(facts.operation).toEqual({
      holder: 'bob',
      verb: 'create',
      acquiredAt: renewed.metadata['creationTimestamp'],
      renewedAt: renewed.metadata['creationTimestamp'],
      durationSeconds: 30,
      progress: null,
    });
    const other = '00000000-0000-4000-8000-000000000000';
    expect(await env.kube.remove('coordination.k8s.io/v1', 'Lease', 'shop-operation', { uid: other })).toBe(false);
    const uid = renewed.metadata.uid ?? '';
    expect(await env.kube.remove('coordination.k8s.io/v1', 'Lease', 'shop-operation', { uid })).toBe(true);
    expect(await env.kube.remove('coordination.k8s.io/v1', 'Lease', 'shop-operation')).toBe(false);
  });

  test('the server’s objection to a field is the reason', async () => {
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'shop' },
      spec: { ports: [{ port: 99999 }] },
    };
    await expect(env.kube.create(service)).rejects.toMatchObject({
      code: 'invalid',
      cause: expect.stringContaining('spec.ports[0].port'),
    });
  });

  test('a watch sees a pod come, run and go; its log can be read', async () => {
    const control = new AbortController();
    const seen: PodFacts[][] = [];
    const watching = env.kube.watchPods('app=watched', (pods) => seen.push([...pods]), control.signal);
    await until(
      () => Promise.resolve(seen.length),
      (length) => length > 0,
      10_000,
    );
    await env.kube.create(podObject({ name: 'watched', labels: { app: 'watched' } }));
    await until(
      () => Promise.resolve(seen.at(-1)),
      (pods) => pods?.[0]?.ready === true,
      60_000,
    );
    const log = await env.kube.logTail('watched', 'redis', 50);
    expect(log.join('\n')).toContain('Ready to accept connections');
    expect(await env.kube.remove('v1', 'Pod', 'watched')).toBe(true);
    await until(
      () => Promise.resolve(seen.at(-1)),
      (pods) => pods?.length === 0,
      60_000,
    );
    control.abort();
    await watching;
    const phases = seen.map((pods) => pods[0]?.phase ?? 'none');
    expect(phases[0]).toBe('none');
    expect(phases).toEqual(expect.arrayContaining(['Pending', 'Running']));
  });

  test('hosts and their zones; a namespace without the cluster has no pods', async () => {
    const facts = await env.kube.readFacts({ namespace: env.namespace, name: 'nobody-knows' });
    expect(facts).toMatchObject({ pods: [], services: [], config: null, operation: null, gaps: [] });
    expect(facts.hosts.length).toBeGreaterThan(0);
    expect(facts.hosts.every((host) => host.name !== '')).toBe(true);
  });

  test('clusters are listed by where they come from', async () => {
    await env.kube.create(podObject({ name: 'brought-0', labels: { 'kubectl-redis.io/cluster': 'brought' } }));
    await env.kube.create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'made', labels: { 'kubectl-redis.io/cluster': 'made' } },
      spec: { ports: [{ port: 6379 }] },
    });
    const labels = { app: 'hand-made' };
    const container = { name: 'redis', image: 'redis:7', args: ['--cluster-enabled', 'yes'] };
    await env.kube.create({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'hand-made' },
      spec: {
        replicas: 0,
        serviceName: 'hand-made',
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    });
    const namespace = env.namespace;
    const expected = [
      { namespace, name: 'brought', origin: 'labelled', pods: 1 },
      { namespace, name: 'hand-made', origin: 'foreign', pods: 0 },
      { namespace, name: 'made', origin: 'ours', pods: 0 },
    ];
    expect(await env.kube.listClusters(namespace)).toEqual(expected);
    expect(await env.kube.listClusters(null)).toEqual(expect.arrayContaining(expected));
  });

  test('without rights: verb, resource and namespace are named', async () => {
    const { kube } = env.connect({ as: 'nobody' });
    await expect(kube.list('v1', 'Pod')).rejects.toMatchObject({
      code: 'forbidden',
      message: `no right to list pods in namespace ${env.namespace}`,
      hint: expect.stringContaining(`kubectl auth can-i list pods -n ${env.namespace} --as nobody`),
    });
    await expect(kube.apply(configMap({}))).rejects.toMatchObject({
      code: 'forbidden',
      message: `no right to patch configmaps in namespace ${env.namespace}`,
    });
    await expect(kube.readFacts({ namespace: env.namespace, name: 'shop' })).rejects.toMatchObject({
      code: 'forbidden',
    });
  });

  test('with some rights: what is missing is a gap', async () => {
    const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' };
    const subject = { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'viewer' };
    const binding = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'viewer' },
      roleRef: role,
      subjects: [subject],
    };
    await env.kube.create(binding);
    const { kube } = env.connect({ as: 'viewer' });
    const cluster = { namespace: env.namespace, name: 'brought' };
    const facts = await until(
      () => kube.readFacts(cluster).catch(() => null),
      (answer) => answer !== null,
      10_000,
    );
    expect(facts?.gaps.map((gap) => gap.what).sort()).toEqual(['leases', 'nodes']);
  });

  test('an apply into a namespace that is not there', async () => {
    const { kube } = env.connect({ namespace: `${env.namespace}-none` });
    await expect(kube.apply(configMap({}))).rejects.toMatchObject({
      code: 'namespace-not-found',
      message: `namespace ${env.namespace}-none does not exist`,
    });
  });
});
