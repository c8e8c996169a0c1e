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
import { readSpec } from '../../../pkg/pod/annotations.ts';
import { stateMap } from '../../../pkg/pod/state-map.ts';
import { anySpec } from '../../support/any-spec.ts';
import { specOf } from '../../support/spec.ts';

const spec = specOf({ masters: 3, replicas: 1 });
const METADATA = { namespace: 'default', annotations: { 'argocd.argoproj.io/sync-options': 'Prune=false' } };

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
          { name: 'tcp-bus-again', protocol: 'TCP', port: 16380, targetPort: 16379 },
        ],
        publishNotReadyAddresses: true,
        ipFamilyPolicy: 'SingleStack',
        internalTrafficPolicy: 'Cluster',
        sessionAffinity: 'None',
      },
    });
  });

  test('ConfigMap', () => {
    const { data, ...rest } = configMap(spec);
    expect(rest).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...METADATA, name: 'redis-config', labels: clusterLabels('redis', 'config') },
    });
    expect(data).toMatchObject({ 'redis.conf': renderRedisConf(spec) });
    const files = [
      'common',
      'guard',
      'heir',
      'history',
      'links',
      'peers',
      'probe',
      'rejoin',
      'start',
      'stop',
      'validity',
      'volume',
    ];
    const names = [...files.map((name) => `${name}.sh`), 'redis.conf', 'spec-hash'];
    expect(Object.keys(data as object).sort()).toEqual(names.sort());
  });

  test('ConfigMap for pods that know no NAME-state', () => {
    const nodes = [
      { ordinal: 1, node: 'redis-1', address: '10.0.0.1', shard: '1' },
      { ordinal: 2, node: 'redis-2', address: null, shard: '2' },
    ];
    expect(configMap(spec, { formed: true, nodes })['data']).toMatchObject({
      nodes: '1 redis-1 10.0.0.1 1\n2 redis-2 - 2\n',
      formed: 'true',
    });
    expect(Object.keys(configMap(spec, { formed: null, nodes })['data'] as object)).not.toContain('formed');
  });

  test('NAME-state carries our labels but the one by which other tools take objects for theirs, and is not pruned', () => {
    expect(stateMap(spec.cluster, { formed: 'false' })).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        ...METADATA,
        name: 'redis-state',
        labels: {
          app: 'redis',
          'kubectl-redis.io/cluster': 'redis',
          'app.kubernetes.io/name': 'redis',
          'app.kubernetes.io/component': 'state',
          'app.kubernetes.io/managed-by': 'kubectl-redis',
          'app.kubernetes.io/part-of': 'redis',
        },
      },
      data: { formed: 'false' },
    });
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

  test('K2: hold nothing that must be remembered, whatever is recorded', () => {
    const restarted = { '1': '2026-01-02T03:04:05.000Z' };
    const scaling = { leaving: [6], spread: true };
    const nodes = { '1': '1', '2': '2', '3': '3', '4': '1', '5': '2', '6': '3' };
    const objects = allObjects({ ...spec, restarted, scaling, nodes });
    const configs = objects.filter(({ kind }) => kind === 'ConfigMap');
    expect(configs.flatMap((object) => Object.keys(object['data'] as object))).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(formed|nodes|budgets|spec)$/)]),
    );
    const text = JSON.stringify(objects.filter(({ kind }) => kind !== 'ConfigMap'));
    expect(text).not.toMatch(/KUBECTL_REDIS_ANNOUNCE_IP|announce-ip|restarted-at|2026-01-02/);
    expect(readSpec(objects[0]?.metadata.annotations ?? {})).toEqual({
      ...spec,
      nodes,
      restarted: null,
      scaling: null,
    });
    expect(
      objects.filter(({ kind }) => kind === 'StatefulSet').map((set) => readSpec(set.metadata.annotations ?? {})),
    ).toEqual(Array.from({ length: 6 }, () => null));
  });

  test('are kept by Argo CD where they are not in Git', () => {
    const options = allObjects({ ...spec, auth: true, networkPolicy: true }, { password: 'x' }).map(
      ({ metadata }) => metadata.annotations?.['argocd.argoproj.io/sync-options'],
    );
    expect(new Set(options)).toEqual(new Set(['Prune=false']));
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
