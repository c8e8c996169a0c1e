import { describe, expect, test } from '@jest/globals';
import { specHash } from '../../../pkg/cluster/model/spec.ts';
import { nodeLabels } from '../../../pkg/pod/labels.ts';
import type { Manifest } from '../../../pkg/pod/manifest.ts';
import { placement } from '../../../pkg/pod/placement.ts';
import { statefulSet } from '../../../pkg/pod/stateful-set.ts';
import { specOf } from '../../support/spec.ts';

interface Template {
  readonly metadata: { readonly annotations: Record<string, string> };
  readonly spec: Record<string, unknown> & { readonly containers: readonly [Record<string, unknown>] };
}

function templateOf(set: Manifest): Template {
  return (set['spec'] as { readonly template: Template }).template;
}

const probe = (mode: string) => ({ exec: { command: ['sh', '/etc/redis-cluster/probe.sh', mode] }, timeoutSeconds: 5 });

test('StatefulSet of a node, whole', () => {
  const spec = specOf({
    memory: '1Gi',
    cpu: '100m',
    auth: true,
    storageClass: 'fast',
    imagePullPolicy: 'IfNotPresent',
  });
  expect(statefulSet(spec, 4, { announceIp: '10.0.0.4', shard: '1' })).toEqual({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {
      name: 'redis-4',
      namespace: 'default',
      labels: nodeLabels('redis', 4, '1'),
      annotations: { 'argocd.argoproj.io/sync-options': 'Prune=false' },
    },
    spec: {
      replicas: 1,
      serviceName: 'redis-4',
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'OnDelete' },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      selector: { matchLabels: { 'kubectl-redis.io/cluster': 'redis', name: 'redis-4' } },
      template: {
        metadata: {
          labels: nodeLabels('redis', 4, '1'),
          annotations: {
            'kubectl-redis.io/injected': 'create',
            'kubectl-redis.io/container': 'redis',
            'kubectl-redis.io/spec-hash': specHash(spec),
            'kubectl-redis.io/announce-ip': '10.0.0.4',
          },
        },
        spec: {
          terminationGracePeriodSeconds: 60,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 999,
            runAsGroup: 999,
            fsGroup: 999,
            fsGroupChangePolicy: 'OnRootMismatch',
            seccompProfile: { type: 'RuntimeDefault' },
          },
          ...placement('redis', '1', 'hard'),
          containers: [
            {
              name: 'redis',
              image: 'redis:8',
              imagePullPolicy: 'IfNotPresent',
              command: ['sh', '/etc/redis-cluster/start.sh'],
              env: [
                { name: 'KUBECTL_REDIS_CLUSTER', value: 'redis' },
                { name: 'KUBECTL_REDIS_NAMESPACE', value: 'default' },
                { name: 'KUBECTL_REDIS_CONFIG_DIR', value: '/etc/redis-cluster' },
                { name: 'KUBECTL_REDIS_STATE_DIR', value: '/etc/redis-cluster/state' },
                { name: 'KUBECTL_REDIS_NODE', value: '4' },
                { name: 'KUBECTL_REDIS_ANNOUNCE_IP', value: '10.0.0.4' },
                { name: 'KUBECTL_REDIS_AUTH', value: 'yes' },
                { name: 'KUBECTL_REDIS_SECOND_BUS_PORT', value: '16380' },
                {
                  name: 'KUBECTL_REDIS_POD_NAMESPACE',
                  valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } },
                },
              ],
              ports: [
                { name: 'tcp-redis', containerPort: 6379, protocol: 'TCP' },
                { name: 'tcp-bus', containerPort: 16379, protocol: 'TCP' },
              ],
              resources: { requests: { cpu: '100m', memory: '1Gi' }, limits: { memory: '1Gi' } },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                runAsNonRoot: true,
                capabilities: { drop: ['ALL'] },
              },
              startupProbe: { ...probe('startup'), periodSeconds: 1, failureThreshold: 60 },
              readinessProbe: { ...probe('readiness'), periodSeconds: 5, failureThreshold: 2 },
              livenessProbe: { ...probe('liveness'), periodSeconds: 10, failureThreshold: 6 },
              lifecycle: { preStop: { exec: { command: ['sh', '/etc/redis-cluster/stop.sh'] } } },
              volumeMounts: [
                { name: 'data', mountPath: '/var/lib/redis' },
                { name: 'cluster-config', mountPath: '/etc/redis-cluster', readOnly: true },
                { name: 'tmp', mountPath: '/tmp' },
                { name: 'auth', mountPath: '/etc/redis-auth', readOnly: true },
              ],
            },
          ],
          volumes: [
            {
              name: 'cluster-config',
              projected: {
                defaultMode: 0o555,
                sources: [
                  { configMap: { name: 'redis-config' } },
                  {
                    configMap: {
                      name: 'redis-state',
                      optional: true,
                      items: [
                        { key: 'formed', path: 'formed' },
                        { key: 'nodes', path: 'nodes' },
                        { key: 'formed', path: 'state/formed' },
                        { key: 'nodes', path: 'state/nodes' },
                        { key: 'cleared', path: 'state/cleared' },
                        { key: 'namespace', path: 'state/namespace' },
                      ],
                    },
                  },
                ],
              },
            },
            { name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
            { name: 'auth', secret: { secretName: 'redis-auth', defaultMode: 0o440 } },
          ],
        },
      },
      volumeClaimTemplates: [
        {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name: 'data', labels: nodeLabels('redis', 4) },
          spec: {
            accessModes: ['ReadWriteOnce'],
            storageClassName: 'fast',
            resources: { requests: { storage: '1Gi' } },
          },
        },
      ],
    },
  });
});

describe('what was not asked for is not there', () => {
  const set = statefulSet(specOf(), 1, { announceIp: null, shard: '1', antiAffinity: 'off' });
  const { metadata, spec } = templateOf(set);
  const [container] = spec.containers;

  test('no address', () => {
    expect(metadata.annotations).not.toHaveProperty(['kubectl-redis.io/announce-ip']);
    expect(JSON.stringify(container['env'])).not.toContain('ANNOUNCE_IP');
  });

  test('no password, resources, pull policy, class, placement', () => {
    expect(JSON.stringify(set)).not.toContain('auth');
    expect(container).not.toHaveProperty('resources');
    expect(container).not.toHaveProperty('imagePullPolicy');
    expect(JSON.stringify(set)).not.toContain('storageClassName');
    expect(spec).not.toHaveProperty('affinity');
    expect(spec).not.toHaveProperty('topologySpreadConstraints');
  });
});

test.each([
  [{ memory: '1Gi' }, { requests: { memory: '1Gi' }, limits: { memory: '1Gi' } }],
  [{ cpu: '2' }, { requests: { cpu: '2' } }],
])('resources of %j', (change, resources) => {
  const [container] = templateOf(statefulSet(specOf(change), 1, { announceIp: null, shard: '1' })).spec.containers;
  expect(container['resources']).toEqual(resources);
});

test('more than 100 nodes are probed half as often', () => {
  const spec = specOf({ masters: 51, replicas: 1 });
  const [container] = templateOf(statefulSet(spec, 1, { announceIp: null, shard: '1' })).spec.containers;
  expect(container['readinessProbe']).toMatchObject({ periodSeconds: 10 });
});

describe('placement', () => {
  const host = 'kubernetes.io/hostname';
  const shard = {
    topologyKey: host,
    labelSelector: { matchLabels: { 'kubectl-redis.io/cluster': 'redis', 'kubectl-redis.io/shard': '2' } },
  };
  const cluster = { topologyKey: host, labelSelector: { matchLabels: { 'kubectl-redis.io/cluster': 'redis' } } };
  const zones = [
    {
      maxSkew: 1,
      topologyKey: 'topology.kubernetes.io/zone',
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: shard.labelSelector,
    },
  ];

  test('hard', () => {
    expect(placement('redis', '2', 'hard')).toEqual({
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [shard],
          preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 50, podAffinityTerm: cluster }],
        },
      },
      topologySpreadConstraints: zones,
    });
  });

  test('soft', () => {
    expect(placement('redis', '2', 'soft')).toEqual({
      affinity: {
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 100, podAffinityTerm: shard },
            { weight: 50, podAffinityTerm: cluster },
          ],
        },
      },
      topologySpreadConstraints: zones,
    });
  });

  test('off', () => {
    expect(placement('redis', '2', 'off')).toEqual({});
  });
});
