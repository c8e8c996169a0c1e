import { describe, expect, test } from '@jest/globals';
import type { Container, Json, Pod } from '../../../../pkg/pod/inject/pod-json.ts';
import { statefulSet } from '../../../../pkg/pod/stateful-set.ts';
import { injectedPod, injectPod, podOf } from '../../../support/inject-pods.ts';
import { specOf } from '../../../support/spec.ts';

const CLUSTER = 'kubectl-redis.io/cluster';

function redisOf(pod: Pod, name = 'main'): Container {
  const found = pod.spec.containers.find((container) => container.name === name);
  if (found === undefined) throw new Error(`no container ${name}`);
  return found;
}

describe('a pod of nothing but an image and a label', () => {
  const { pod, warnings } = injectedPod(podOf({ meta: { labels: { [CLUSTER]: 'redis', name: 'redis-2' } } }));

  test('gets what create gives its own', () => {
    const set = statefulSet(specOf({ auth: true, antiAffinity: 'soft' }), 2, { announceIp: '10.96.0.2', shard: '2' });
    const { template } = set['spec'] as { template: Pod };
    const [own] = template.spec.containers;
    if (own === undefined) throw new Error('create makes a container');
    const redis = redisOf(pod);
    for (const field of [
      'command',
      'ports',
      'startupProbe',
      'readinessProbe',
      'livenessProbe',
      'lifecycle',
      'securityContext',
    ]) {
      expect(redis[field]).toEqual(own[field]);
    }
    // Whether a password is asked for is not known of a pod: its Secret is mounted where it is there.
    const env = own.env?.filter(({ name }) => name !== 'KUBECTL_REDIS_AUTH');
    expect(redis.env).toEqual(
      env?.map((each) => (each.name === 'KUBECTL_REDIS_NAMESPACE' ? { ...each, value: 'shop' } : each)),
    );
    expect(new Set(redis.volumeMounts)).toEqual(new Set(own.volumeMounts));
    const { containers: _, volumes: __, ...rest } = pod.spec;
    const { containers: ___, volumes: ____, ...ownRest } = template.spec;
    expect(rest).toEqual(ownRest);
  });

  test('its labels, annotations and volumes', () => {
    expect(pod.metadata.labels).toEqual({
      app: 'redis',
      name: 'redis-2',
      [CLUSTER]: 'redis',
      'kubectl-redis.io/shard': '2',
      'app.kubernetes.io/name': 'redis',
      'app.kubernetes.io/instance': 'redis',
      'app.kubernetes.io/component': 'node',
      'app.kubernetes.io/part-of': 'redis',
    });
    expect(pod.metadata.annotations).toEqual({
      'kubectl-redis.io/injected': 'webhook',
      'kubectl-redis.io/container': 'main',
      'kubectl-redis.io/announce-ip': '10.96.0.2',
    });
    expect(pod.spec.volumes?.map(({ name, ...source }) => [name, Object.keys(source)])).toEqual([
      ['cluster-config', ['projected']],
      ['tmp', ['emptyDir']],
      ['auth', ['secret']],
      ['data', ['emptyDir']],
    ]);
    expect(warnings).toEqual([expect.stringContaining('lost with its pod')]);
  });
});

test('the opt-in annotation becomes the label', () => {
  const { pod } = injectedPod(podOf({ meta: { annotations: { [CLUSTER]: 'redis', own: 'x' } } }));
  expect(pod.metadata.labels?.[CLUSTER]).toBe('redis');
  expect(pod.metadata.annotations).toMatchObject({ own: 'x' });
  expect(pod.metadata.annotations).not.toHaveProperty([CLUSTER]);
});

describe('field by field', () => {
  test.each<[string, Json, string]>([
    ['a volume called data', { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'c' } }] }, 'data'],
    ['the only claim', { volumes: [{ name: 'own', persistentVolumeClaim: { claimName: 'c' } }] }, 'own'],
  ])('data goes to %s', (_, spec, name) => {
    const meta = { labels: { [CLUSTER]: 'redis', name: 'redis-2' } };
    const { pod, warnings } = injectedPod(podOf({ meta, spec: { containers: [{ name: 'main' }], ...spec } }));
    expect(redisOf(pod).volumeMounts).toContainEqual({ name, mountPath: '/var/lib/redis' });
    expect(warnings.join()).not.toContain('emptyDir');
  });

  test("data goes where the image's own data directory is mounted", () => {
    const volumes = [{ name: 'own', persistentVolumeClaim: { claimName: 'c' } }];
    const volumeMounts = [{ name: 'own', mountPath: '/data', subPath: 'a' }];
    const meta = { labels: { [CLUSTER]: 'redis', name: 'redis-2' } };
    const { pod } = injectedPod(podOf({ meta, spec: { volumes, containers: [{ name: 'main', volumeMounts }] } }));
    expect(redisOf(pod).volumeMounts).toContainEqual({ name: 'own', mountPath: '/var/lib/redis', subPath: 'a' });
  });

  // With another number it would serve at the address of another node, whose replicas copy it.
  test.each([
    ['by the name of its volume', [{ name: 'data', persistentVolumeClaim: { claimName: 'c' } }], []],
    [
      'where the image keeps it',
      [{ name: 'own', persistentVolumeClaim: { claimName: 'c' } }],
      [{ name: 'own', mountPath: '/data' }],
    ],
    ['on a disk of its host', [{ name: 'data', hostPath: { path: '/var/lib/redis' } }], []],
    ['on a server of files', [{ name: 'data', nfs: { server: 'nfs', path: '/' } }], []],
  ])('data that outlives the pod, %s, and nothing that says which node it is: refused', (_, volumes, volumeMounts) => {
    const spec = { volumes, containers: [{ name: 'main', volumeMounts }] };
    const refused = injectPod(podOf({ spec }));
    expect(refused).toMatchObject({ code: 'claim-without-name' });
    expect(JSON.stringify(refused)).toMatch(
      /its data is on (claim c|volume data \((hostPath|nfs)\)), and nothing says which node/,
    );
  });

  test('a claim of a pod without a name that is made with the pod is no matter', () => {
    const volumes = [{ name: 'data', ephemeral: { volumeClaimTemplate: {} } }];
    expect(injectPod(podOf({ spec: { volumes, containers: [{ name: 'main' }] } }))).toMatchObject({ kind: 'injected' });
  });

  test('two claims and no hint are refused', () => {
    const claim = { persistentVolumeClaim: { claimName: 'c' } };
    const volumes = [
      { name: 'a', ...claim },
      { name: 'b', ...claim },
    ];
    expect(injectPod(podOf({ spec: { volumes, containers: [{ name: 'main' }] } }))).toMatchObject({
      code: 'which-volume',
    });
  });

  test('volumes of people that have our names stay, and ours get others', () => {
    const volumes = [{ name: 'cluster-config', configMap: { name: 'own' } }];
    const { pod } = injectedPod(podOf({ spec: { volumes, containers: [{ name: 'main' }] } }));
    expect(pod.spec.volumes?.[0]).toEqual(volumes[0]);
    expect(redisOf(pod).volumeMounts).toContainEqual({
      name: 'kubectl-redis-cluster-config',
      mountPath: '/etc/redis-cluster',
      readOnly: true,
    });
  });

  test('defaults of the API server are not what people wrote', () => {
    const defaults = { terminationGracePeriodSeconds: 30, enableServiceLinks: true, containers: [{ name: 'main' }] };
    const token = { name: 'kube-api-access-x', projected: {} };
    const volumeMounts = [{ name: 'kube-api-access-x', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }];
    const { pod } = injectedPod(
      podOf({ spec: { ...defaults, volumes: [token], containers: [{ name: 'main', volumeMounts }] } }),
    );
    expect(pod.spec).toMatchObject({
      terminationGracePeriodSeconds: 60,
      enableServiceLinks: false,
      automountServiceAccountToken: false,
    });
    expect(JSON.stringify(pod)).not.toContain('kube-api-access');
    expect(injectedPod(podOf({ spec: defaults }), { mode: 'offline' }).pod.spec).toMatchObject({
      terminationGracePeriodSeconds: 30,
    });
  });

  test('other containers and init containers are left alone, and keep their user', () => {
    const token = { name: 'kube-api-access-x', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' };
    const side = { name: 'side', image: 'nginx', volumeMounts: [token] };
    const init = { name: 'init', image: 'busybox', restartPolicy: 'Always' };
    const containers = [side, { name: 'redis', volumeMounts: [token] }];
    const { pod } = injectedPod(
      podOf({ spec: { containers, initContainers: [init], volumes: [{ name: token.name, projected: {} }] } }),
    );
    expect(pod.spec.containers[0]).toEqual(side);
    expect(pod.spec.initContainers).toEqual([init]);
    expect(pod.spec.securityContext).toEqual({ fsGroup: 999, fsGroupChangePolicy: 'OnRootMismatch' });
    expect(redisOf(pod, 'redis').securityContext).toMatchObject({
      runAsUser: 999,
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(redisOf(pod, 'redis').volumeMounts).not.toContainEqual(token);
  });

  test.each<[string | undefined, Json, object]>([
    [undefined, {}, { runAsUser: 999, runAsGroup: 999, fsGroup: 999, runAsNonRoot: true }],
    ['1001', {}, { runAsUser: 1001, runAsGroup: 1001, fsGroup: 1001, runAsNonRoot: true }],
    ['1001:5', { runAsUser: 7 }, { runAsUser: 7, runAsGroup: 5, fsGroup: 5, runAsNonRoot: true }],
    ['image', {}, { runAsNonRoot: true }],
    ['0', {}, { runAsUser: 0, runAsGroup: 0 }],
  ])('run-as %s over %j', (runAs, securityContext, wanted) => {
    const annotations = runAs === undefined ? {} : { 'kubectl-redis.io/run-as': runAs };
    const { pod } = injectedPod(
      podOf({
        meta: { labels: { [CLUSTER]: 'redis' }, annotations },
        spec: { securityContext, containers: [{ name: 'main' }] },
      }),
    );
    expect(pod.spec.securityContext).toMatchObject(wanted);
    expect('runAsNonRoot' in (pod.spec.securityContext ?? {})).toBe('runAsNonRoot' in wanted);
  });

  test('a privileged container keeps what Kubernetes would refuse beside ours', () => {
    const { pod } = injectedPod(podOf({ container: { securityContext: { privileged: true } } }));
    expect(redisOf(pod).securityContext).not.toHaveProperty('allowPrivilegeEscalation');
  });

  test.each<[Json, Record<string, string>, object]>([
    [{}, {}, {}],
    [{ limits: { memory: '1000Mi' } }, {}, { KUBECTL_REDIS_MAXMEMORY: '734003200' }],
    [
      {},
      { 'kubectl-redis.io/config': '# mine\nsave ""\nmaxmemory 5mb' },
      { KUBECTL_REDIS_CONFIG: 'save ""\nmaxmemory 5mb\n' },
    ],
  ])('memory limit %j and directives %j', (resources, annotations, wanted) => {
    const { pod } = injectedPod(
      podOf({ meta: { labels: { [CLUSTER]: 'redis' }, annotations }, container: { resources } }),
    );
    const set = (redisOf(pod).env ?? []).filter(({ name }) => /CONFIG$|MAXMEMORY/.test(name));
    expect(Object.fromEntries(set.map(({ name, value }) => [name, value]))).toEqual(wanted);
  });

  test('an exporter on demand', () => {
    const annotations = { 'kubectl-redis.io/metrics': 'example/exporter:1' };
    const { pod } = injectedPod(podOf({ meta: { labels: { [CLUSTER]: 'redis' }, annotations } }));
    expect(redisOf(pod, 'redis-exporter')).toMatchObject({
      image: 'example/exporter:1',
      ports: [{ name: 'metrics', containerPort: 9121 }],
    });
  });

  test('without a number the name is left to the start script, without an address to the table', () => {
    const { pod } = injectedPod(podOf(), { mode: 'offline', ordinal: null, announceIp: null, secondBus: false });
    expect(pod.metadata.labels).not.toHaveProperty('name');
    expect(redisOf(pod).env?.map(({ name }) => name)).toEqual([
      'KUBECTL_REDIS_CLUSTER',
      'KUBECTL_REDIS_NAMESPACE',
      'KUBECTL_REDIS_CONFIG_DIR',
      'KUBECTL_REDIS_STATE_DIR',
      'KUBECTL_REDIS_LOOKUP',
      'KUBECTL_REDIS_POD_NAMESPACE',
    ]);
  });

  test.each<[Json, object, string | undefined]>([
    [{ 'kubectl-redis.io/shard': 'b' }, { shard: '3' }, 'b'],
    [{}, { shard: '3' }, '3'],
    [{}, { masters: null }, undefined],
    [{}, { ordinal: 0, masters: 3 }, '3'],
    [{}, { ordinal: 4, masters: 3 }, '1'],
  ])('shard of a pod with labels %j where %j', (labels, known, shard) => {
    const { pod } = injectedPod(podOf({ meta: { labels: { [CLUSTER]: 'redis', ...labels } } }), known);
    expect(pod.metadata.labels?.['kubectl-redis.io/shard']).toBe(shard);
  });

  test('hard anti-affinity wants a shard', () => {
    const annotations = { 'kubectl-redis.io/anti-affinity': 'hard' };
    const written = podOf({ meta: { labels: { [CLUSTER]: 'redis' }, annotations } });
    expect(JSON.stringify(injectedPod(written).pod.spec.affinity)).toContain('requiredDuring');
    const without = injectedPod(written, { masters: null });
    expect(JSON.stringify(without.pod.spec.affinity)).not.toContain('requiredDuring');
    expect(without.warnings.join()).toContain('soft until');
  });

  test('remarks', () => {
    const lifecycle = { preStop: { exec: { command: ['true'] } } };
    const written = podOf({
      spec: { hostNetwork: true, containers: [{ name: 'redis', image: 'own/thing', lifecycle }] },
    });
    expect(injectedPod(written).warnings.join()).toMatch(/emptyDir.*network of its host.*own\/thing.*preStop/);
  });
});
