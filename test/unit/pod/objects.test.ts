import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { ordinalsOf, shardsOf, type ClusterSpec } from '../../../pkg/cluster/model/spec.ts';
import type { KubeObject } from '../../../pkg/engine/ports.ts';
import { authSecret } from '../../../pkg/pod/auth-secret.ts';
import { budget } from '../../../pkg/pod/budget.ts';
import { busPolicy } from '../../../pkg/pod/bus-policy.ts';
import { configMap } from '../../../pkg/pod/config-map.ts';
import { clusterLabels, nodeLabels } from '../../../pkg/pod/labels.ts';
import type { Manifest } from '../../../pkg/pod/manifest.ts';
import { allObjects } from '../../../pkg/pod/objects.ts';
import { renderRedisConf } from '../../../pkg/pod/redis-conf.ts';
import { clientService, nodeService } from '../../../pkg/pod/services.ts';
import { anySpec } from '../../support/any-spec.ts';
import { specOf } from '../../support/spec.ts';

const spec = specOf({ masters: 3, replicas: 1 });
const METADATA = { namespace: 'default' };

describe('objects', () => {
  test('client Service', () => {
    const { metadata, ...rest } = clientService(spec);
    expect(metadata).toMatchObject({ ...METADATA, name: 'redis', labels: clusterLabels('redis', 'client') });
    expect(metadata.annotations?.['kubectl-redis.io/spec']).toBe(JSON.stringify(spec));
    expect(rest).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      spec: {
        type: 'ClusterIP',
        selector: { 'kubectl-redis.io/cluster': 'redis' },
        ports: [{ name: 'tcp-redis', protocol: 'TCP', port: 6379, targetPort: 6379 }],
        publishNotReadyAddresses: false,
        sessionAffinity: 'None',
      },
    });
  });

  test('Service of a node', () => {
    expect(nodeService(spec, 4)).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...METADATA, name: 'redis-4', labels: nodeLabels('redis', 4) },
      spec: {
        type: 'ClusterIP',
        selector: { 'kubectl-redis.io/cluster': 'redis', name: 'redis-4' },
        ports: [
          { name: 'tcp-redis', protocol: 'TCP', port: 6379, targetPort: 6379 },
          { name: 'tcp-bus', protocol: 'TCP', port: 16379, targetPort: 16379 },
        ],
        publishNotReadyAddresses: true,
        ipFamilyPolicy: 'SingleStack',
        internalTrafficPolicy: 'Cluster',
        sessionAffinity: 'None',
      },
    });
  });

  test('ConfigMap', () => {
    const addresses = new Map([
      [1, '10.0.0.1'],
      [3, 'fd00::3'],
      [9, '10.0.0.9'],
    ]);
    const { data, ...rest } = configMap(spec, { addresses, formed: true });
    expect(rest).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...METADATA, name: 'redis-config', labels: clusterLabels('redis', 'config') },
    });
    expect(data).toMatchObject({
      'redis.conf': renderRedisConf(spec),
      nodes:
        '1 redis-1 10.0.0.1 1\n2 redis-2 - 2\n3 redis-3 fd00::3 3\n4 redis-4 - 1\n5 redis-5 - 2\n6 redis-6 - 3\n9 redis-9 10.0.0.9 3\n',
      formed: 'true',
    });
    expect(Object.keys(data as object).sort()).toEqual([
      'common.sh',
      'formed',
      'guard.sh',
      'links.sh',
      'nodes',
      'probe.sh',
      'redis.conf',
      'rejoin.sh',
      'spec-hash',
      'start.sh',
      'stop.sh',
      'validity.sh',
    ]);
    expect(configMap(spec, { addresses, formed: false })['data']).toMatchObject({ formed: 'false' });
  });

  test('PodDisruptionBudget of a shard', () => {
    expect(budget(spec, '2')).toEqual({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: {
        ...METADATA,
        name: 'redis-shard-2',
        labels: { ...clusterLabels('redis', 'budget'), 'kubectl-redis.io/shard': '2' },
      },
      spec: {
        maxUnavailable: 1,
        selector: { matchLabels: { 'kubectl-redis.io/cluster': 'redis', 'kubectl-redis.io/shard': '2' } },
      },
    });
  });

  test('NetworkPolicy of the bus', () => {
    const pods = { podSelector: { matchLabels: { 'kubectl-redis.io/cluster': 'redis' } } };
    expect(busPolicy(spec)).toEqual({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { ...METADATA, name: 'redis-bus', labels: clusterLabels('redis', 'bus') },
      spec: {
        ...pods,
        policyTypes: ['Ingress'],
        ingress: [
          { ports: [{ protocol: 'TCP', port: 6379 }] },
          { from: [pods], ports: [{ protocol: 'TCP', port: 16379 }] },
        ],
      },
    });
  });

  test('Secret', () => {
    expect(authSecret(spec, 'a "b\\ü')).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { ...METADATA, name: 'redis-auth', labels: clusterLabels('redis', 'auth') },
      type: 'Opaque',
      data: { password: Buffer.from('a "b\\ü').toString('base64') },
    });
  });

  test.each(['', 'a\nb', ' a', 'a ', 'a\tb', 'x'.repeat(513)])('no Secret of the password %j', (password) => {
    expect(() => authSecret(spec, password)).toThrow(/the password/);
  });
});

describe('allObjects', () => {
  test('are in apply order', () => {
    const names = (objects: readonly Manifest[]) => objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    const services = [1, 2, 3, 4, 5, 6].map((n) => `Service/redis-${n}`);
    const budgets = [1, 2, 3].map((n) => `PodDisruptionBudget/redis-shard-${n}`);
    const sets = [1, 2, 3, 4, 5, 6].map((n) => `StatefulSet/redis-${n}`);
    const rest = ['ConfigMap/redis-config', ...budgets, ...sets];
    expect(names(allObjects(spec))).toEqual(['Service/redis', ...services, ...rest]);
    expect(names(allObjects({ ...spec, auth: true }, { password: 'x' }))).toEqual([
      'Service/redis',
      ...services,
      'Secret/redis-auth',
      ...rest,
    ]);
    const withPolicy = ['ConfigMap/redis-config', ...budgets, 'NetworkPolicy/redis-bus', ...sets];
    expect(names(allObjects({ ...spec, networkPolicy: true }))).toEqual(['Service/redis', ...services, ...withPolicy]);
  });

  test('announce the addresses that are known', () => {
    const known = new Map([[2, '10.0.0.2']]);
    const announced = allObjects(spec, { addresses: known })
      .filter(({ kind }) => kind === 'StatefulSet')
      .map((set) => JSON.stringify(set).includes('KUBECTL_REDIS_ANNOUNCE_IP'));
    expect(announced).toEqual([false, true, false, false, false, false]);
  });

  test('refuse a name that does not fit', () => {
    expect(() => allObjects({ ...spec, cluster: { namespace: 'a', name: 'Redis' } })).toThrow(
      /can't be a cluster's name/,
    );
  });
});

const NAME = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
const LABEL_KEY = /^([a-z0-9.-]{1,253}\/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/;

/** Every object below `value` that is under the key `selector`, `matchLabels` resolved. */
function selectorsIn(value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => {
    if (key !== 'selector' && key !== 'labelSelector' && key !== 'podSelector') return selectorsIn(child);
    const selector = child as { readonly matchLabels?: Record<string, unknown> };
    return [selector.matchLabels ?? (child as Record<string, unknown>)];
  });
}

function labelsOf(value: unknown): Record<string, string>[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) =>
    key === 'labels' ? [child as Record<string, string>] : labelsOf(child),
  );
}

function objectsOf(spec: ClusterSpec): readonly KubeObject[] {
  return allObjects(spec, { password: 'secret' });
}

describe('whatever the spec', () => {
  test('names and labels are valid, and names are unique', () => {
    fc.assert(
      fc.property(anySpec, (spec) => {
        const objects = objectsOf(spec);
        expect(objects.filter(({ metadata }) => !NAME.test(metadata.name))).toEqual([]);
        const pairs = objects.flatMap(labelsOf).flatMap(Object.entries<string>);
        expect(pairs.filter(([key, value]) => !LABEL_KEY.test(key) || !LABEL_VALUE.test(value))).toEqual([]);
        const ids = objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
        expect(new Set(ids).size).toBe(ids.length);
        expect(ids).toHaveLength(
          2 * ordinalsOf(spec).length + shardsOf(spec).length + 2 + Number(spec.auth) + Number(spec.networkPolicy),
        );
      }),
      { numRuns: 50 },
    );
  });

  test('every selector names the cluster, and selects pods of ours', () => {
    fc.assert(
      fc.property(anySpec, (spec) => {
        const objects = objectsOf(spec);
        const pods = objects.flatMap(({ kind, spec: body }) =>
          kind === 'StatefulSet' ? labelsOf((body as { template: unknown }).template) : [],
        );
        for (const selector of objects.flatMap(selectorsIn)) {
          expect(selector['kubectl-redis.io/cluster']).toBe(spec.cluster.name);
          const selected = pods.filter((labels) =>
            Object.entries(selector).every(([key, value]) => labels[key] === value),
          );
          expect(selected.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('objects are plain JSON', () => {
    fc.assert(
      fc.property(anySpec, (spec) => {
        const objects = objectsOf(spec);
        expect(JSON.parse(JSON.stringify(objects))).toEqual(objects);
      }),
      { numRuns: 20 },
    );
  });
});
