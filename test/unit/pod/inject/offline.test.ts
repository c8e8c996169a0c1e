import { describe, expect, test } from '@jest/globals';
import { injectObject, refuseOverlaps } from '../../../../pkg/pod/inject/offline.ts';
import type { Json } from '../../../../pkg/pod/inject/pod-json.ts';

const CLUSTER = { 'kubectl-redis.io/cluster': 'redis' };

function workload(kind: string, spec: Json = {}, labels: Json = CLUSTER): Json {
  const template = { metadata: { labels }, spec: { containers: [{ name: 'redis', image: 'redis:8' }] } };
  return { apiVersion: 'apps/v1', kind, metadata: { name: 'x' }, spec: { ...spec, template } };
}

const NAMED = { ...CLUSTER, name: 'redis-3' };
const codeOf = (object: Json): (string | undefined)[] =>
  injectObject(object, 'shop').findings.map(({ outcome }) => ('code' in outcome ? outcome.code : outcome.kind));

test.each<[string, Json, string]>([
  ['StatefulSet', workload('StatefulSet', { replicas: 6 }), 'injected'],
  ['StatefulSet of one node', workload('StatefulSet', {}, NAMED), 'injected'],
  ['ReplicaSet of one node', workload('ReplicaSet', { replicas: 1 }, NAMED), 'injected'],
  ['a kind of somebody else', workload('Rollout', {}, NAMED), 'injected'],
  ['Deployment', workload('Deployment', { replicas: 6 }), 'needs-webhook'],
  ['two of one name', workload('Deployment', { replicas: 2 }, NAMED), 'too-many-replicas'],
  ['one of one name on every host', workload('DaemonSet', {}, NAMED), 'too-many-replicas'],
  ['not asked for', workload('Deployment', {}, { app: 'redis' }), 'not-asked-for'],
  ['a bad name', workload('StatefulSet', {}, { ...CLUSTER, name: 'x' }), 'bad-node-name'],
  ['Pod', { kind: 'Pod', metadata: { labels: NAMED }, spec: { containers: [{ name: 'redis' }] } }, 'injected'],
  [
    'Pod without a number',
    { kind: 'Pod', metadata: { labels: CLUSTER }, spec: { containers: [{ name: 'redis' }] } },
    'needs-webhook',
  ],
  ['CronJob', { kind: 'CronJob', spec: { jobTemplate: { spec: { template: workload('x')['spec'] } } } }, 'none'],
  ['template of a CronJob', { kind: 'CronJob', spec: { jobTemplate: workload('Job', {}, NAMED) } }, 'injected'],
])('%s', (_, object, code) => {
  expect(codeOf(object)).toEqual(code === 'none' ? [] : [code]);
});

describe('a StatefulSet', () => {
  const { object, findings } = injectObject(
    workload('StatefulSet', { replicas: 6, volumeClaimTemplates: [{ metadata: { name: 'store' } }] }),
    'shop',
  );
  const template = (object['spec'] as { template: { metadata: Json; spec: { containers: Json[]; volumes: Json[] } } })
    .template;

  test('uses its claim, and leaves number and address to the start', () => {
    const [redis = {}] = template.spec.containers;
    expect(redis['volumeMounts']).toContainEqual({ name: 'store', mountPath: '/var/lib/redis' });
    expect(template.spec.volumes.map(({ name }) => name)).toEqual(['cluster-config', 'tmp', 'auth']);
    expect(template.metadata['labels']).not.toHaveProperty('name');
    expect(redis['env']).toContainEqual({ name: 'KUBECTL_REDIS_LOOKUP', value: 'table' });
    expect(redis['env']).toContainEqual({ name: 'KUBECTL_REDIS_NAMESPACE', value: 'shop' });
  });

  test('is told what comes next, and that its pods must not wait for each other', () => {
    const [finding] = findings;
    expect(finding).toMatchObject({ where: 'StatefulSet/x', cluster: 'redis' });
    const warnings = finding?.outcome.kind === 'injected' ? finding.outcome.warnings : [];
    expect(warnings).toEqual([
      expect.stringContaining('Parallel'),
      expect.stringContaining('kubectl redis create redis -n shop'),
    ]);
  });

  test('of a second pass is left as it is', () => {
    expect(injectObject(object, 'shop')).toMatchObject({
      object,
      findings: [{ outcome: { code: 'injected-already' } }],
    });
  });
});

describe('K19: two StatefulSets of one cluster', () => {
  const called = (name: string, spec: Json, namespace = 'shop'): Json => {
    const { metadata, ...rest } = workload('StatefulSet', spec);
    return { ...rest, metadata: { ...(metadata as Json), name, namespace } };
  };
  const judged = (...objects: Json[]): string[] =>
    refuseOverlaps(objects.flatMap((object) => injectObject(object, 'shop').findings)).map(({ outcome }) =>
      'code' in outcome ? `${outcome.code}: ${outcome.sentence}` : outcome.kind,
    );

  test('that both number their pods from 0: the second is refused, and told which numbers are free', () => {
    const said = judged(called('lead', { replicas: 3 }), called('follow', { replicas: 3 }));
    expect(said[0]).toBe('injected');
    expect(said[1]).toMatch(
      /^numbers-overlap: its pods get the numbers of those of StatefulSet\/lead \(from 0 to 2\).*spec\.ordinals\.start.*, for example to 3$/,
    );
    expect(judged({ kind: 'List', items: [called('a', { replicas: 3 }), called('b', { replicas: 1 })] })[1]).toContain(
      'numbers-overlap',
    );
  });

  test('with numbers of their own, or of two clusters or namespaces', () => {
    const second = called('follow', { replicas: 3, ordinals: { start: 3 } });
    expect(judged(called('lead', { replicas: 3 }), second)).toEqual(['injected', 'injected']);
    expect(judged(called('lead', { replicas: 3 }), called('follow', { replicas: 3 }, 'else'))).toEqual([
      'injected',
      'injected',
    ]);
  });
});

test('items of lists, lists of lists, and what is no object', () => {
  const list = {
    kind: 'List',
    items: [1, workload('ReplicaSet', {}, NAMED), { kind: 'List', items: [workload('Deployment')] }],
  };
  expect(codeOf(list)).toEqual(['injected', 'needs-webhook']);
  expect((injectObject(list, 'shop').object['items'] as unknown[])[0]).toBe(1);
});
