/** Pods for tests of injection: written by people, and as fast-check makes them up. */
import * as fc from 'fast-check';
import { inject, type InjectContext, type Injected } from '../../pkg/pod/inject/inject.ts';
import { examine, type Candidate, type Declined } from '../../pkg/pod/inject/examine.ts';
import type { Json } from '../../pkg/pod/inject/pod-json.ts';

export function podOf(change: { meta?: Json; spec?: Json; container?: Json } = {}): Json {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { labels: { 'kubectl-redis.io/cluster': 'redis' }, ...change.meta },
    spec: { containers: [{ name: 'main', image: 'redis:8', ...change.container }], ...change.spec },
  };
}

export function contextOf(change: Partial<InjectContext> = {}): InjectContext {
  return {
    namespace: 'shop',
    mode: 'webhook',
    ordinal: 2,
    announceIp: '10.96.0.2',
    secondBus: true,
    shard: null,
    masters: 3,
    nodes: 6,
    claim: null,
    claimTemplates: [],
    ...change,
  };
}

export function injectPod(pod: Json, change: Partial<InjectContext> = {}): Injected | Declined {
  const examined = examine(pod);
  return examined.kind === 'candidate' ? inject(examined, contextOf(change)) : examined;
}

/** @throws when it is declined */
export function injectedPod(pod: Json, change: Partial<InjectContext> = {}): Injected {
  const result = injectPod(pod, change);
  if (result.kind !== 'injected') throw new Error(`${result.code}: ${result.sentence}`);
  return result;
}

export function candidateOf(pod: Json): Candidate {
  const examined = examine(pod);
  if (examined.kind !== 'candidate') throw new Error(examined.sentence);
  return examined;
}

const maybe = <T>(key: string, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<Json> =>
  fc.option(arbitrary).map((value) => (value === null ? {} : { [key]: value }));
const merged = (...parts: fc.Arbitrary<Json>[]): fc.Arbitrary<Json> =>
  fc.tuple(...parts).map((all) => Object.assign({}, ...all) as Json);

const probe = fc.record({ tcpSocket: fc.record({ port: fc.constant(6379) }), periodSeconds: fc.nat(60) });
const user = fc.constantFrom(0, 1, 999, 1001);
const mount = fc.record({
  name: fc.constantFrom('data', 'config', 'tmp', 'own'),
  mountPath: fc.constantFrom('/data', '/var/lib/redis', '/var/lib/redis/', '/tmp', '/etc/own', '/bitnami/redis/data'),
});
const volume = fc.record({
  name: fc.constantFrom('data', 'config', 'tmp', 'auth', 'own', 'kube-api-access-x1'),
  source: fc.constantFrom('emptyDir', 'persistentVolumeClaim', 'secret', 'projected'),
});

const container = merged(
  fc.constantFrom(
    { name: 'redis', image: 'redis:8' },
    { name: 'main', image: 'valkey/valkey:9' },
    { name: 'x', image: 'x' },
  ),
  maybe(
    'env',
    fc
      .uniqueArray(fc.constantFrom('A', 'KUBECTL_REDIS_NODE'), { maxLength: 2 })
      .map((all) => all.map((name) => ({ name, value: '1' }))),
  ),
  maybe('ports', fc.constantFrom([{ containerPort: 6379 }], [{ name: 'tcp-redis', containerPort: 80 }])),
  maybe('volumeMounts', fc.uniqueArray(mount, { maxLength: 3, selector: (each) => each.mountPath.replace(/\/$/, '') })),
  maybe('resources', fc.constantFrom({}, { limits: { memory: '1Gi' } }, { limits: { cpu: '1' } })),
  maybe(
    'securityContext',
    merged(maybe('runAsUser', user), maybe('privileged', fc.boolean()), maybe('readOnlyRootFilesystem', fc.boolean())),
  ),
  maybe('readinessProbe', probe),
  maybe('livenessProbe', probe),
  maybe(
    'lifecycle',
    fc.constantFrom({ preStop: { exec: { command: ['true'] } } }, { postStart: { exec: { command: ['true'] } } }),
  ),
  maybe('args', fc.constantFrom(['--save', ''], ['redis-server', '--appendonly', 'no'])),
);

const spec = merged(
  container.map((redis) => ({ containers: [redis] })),
  maybe(
    'volumes',
    fc
      .uniqueArray(volume, { maxLength: 4, selector: ({ name }) => name })
      .map((all) => all.map(({ name, source }) => ({ name, [source]: {} }))),
  ),
  maybe('terminationGracePeriodSeconds', fc.constantFrom(5, 120)),
  maybe('automountServiceAccountToken', fc.boolean()),
  maybe('securityContext', merged(maybe('runAsUser', user), maybe('fsGroup', user))),
  maybe('affinity', fc.constantFrom({}, { nodeAffinity: {} }, { podAntiAffinity: {} })),
  maybe('initContainers', fc.constant([{ name: 'init', image: 'busybox' }])),
  maybe('nodeSelector', fc.constant({ disk: 'fast' })),
);

const annotations = merged(
  maybe('kubectl-redis.io/anti-affinity', fc.constantFrom('hard', 'soft', 'off')),
  maybe('kubectl-redis.io/config', fc.constantFrom('maxmemory 10mb', 'appendonly no\nsave ""')),
  maybe('kubectl-redis.io/run-as', fc.constantFrom('1001', '1001:5', 'image', '0')),
  maybe('kubectl-redis.io/metrics', fc.constantFrom('true', 'example/exporter:1')),
  maybe('own', fc.string()),
);

/** Pods that ask to be nodes of `redis`, by label or by annotation, and say all sorts of things themselves. */
export const arbitraryPod: fc.Arbitrary<Json> = fc
  .record({
    annotations,
    spec,
    labels: merged(maybe('app', fc.constant('mine')), maybe('team', fc.string())),
    byLabel: fc.boolean(),
  })
  .map(({ annotations: notes, spec: rest, labels, byLabel }) => {
    const optIn = { 'kubectl-redis.io/cluster': 'redis' };
    const metadata = byLabel
      ? { labels: { ...labels, ...optIn }, annotations: notes }
      : { labels, annotations: { ...notes, ...optIn } };
    return { apiVersion: 'v1', kind: 'Pod', metadata, spec: rest };
  });
