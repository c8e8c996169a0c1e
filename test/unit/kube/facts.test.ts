import { describe, expect, test } from '@jest/globals';
import { configDigest } from '../../../pkg/cluster/model/config-digest.ts';
import type { RawContainer, RawPodSpec, RawWorkload } from '../../../pkg/kube/api-json.ts';
import {
  claimFacts,
  configFacts,
  hostFacts,
  operationFacts,
  podFacts,
  serviceFacts,
  statefulSetFacts,
} from '../../../pkg/kube/facts.ts';
import { statefulSet } from '../../../pkg/pod/stateful-set.ts';
import { rawPendingPod, rawPod, rawWaitingPod } from '../../support/kube-json.ts';
import { specOf } from '../../support/spec.ts';

const labels = { app: 'redis', 'kubectl-redis.io/cluster': 'redis' };

describe('podFacts', () => {
  test('a ready pod of a StatefulSet', () => {
    expect(podFacts(rawPod())).toEqual({
      name: 'redis-1-0',
      uid: 'c1d7a9b2-0000-4000-8000-000000000001',
      ip: '10.244.2.7',
      host: 'node2',
      phase: 'Running',
      ready: true,
      terminating: false,
      container: { name: 'redis', image: 'redis:7.2', state: 'running', reason: null, restarts: 0 },
      port: 6379,
      labels,
      annotations: {},
      claims: ['data-redis-1-0'],
      ephemeralData: false,
      createdAt: '2026-01-02T03:04:05Z',
      owner: 'StatefulSet/redis-1',
      readsState: false,
    });
  });

  test('a pod that no host took has no address, no host and no container state', () => {
    const facts = podFacts(rawPendingPod('0/3 nodes are available'));
    expect(facts).toMatchObject({ host: null, phase: 'Pending', ready: false });
    expect(facts.container).toEqual({ name: 'redis', image: 'redis:7.2', state: 'unknown', reason: null, restarts: 0 });
  });

  test('a crash loop keeps the reason and the count', () => {
    const pod = rawWaitingPod('CrashLoopBackOff', 'back-off 10s', { restartCount: 4, exitCode: 1 });
    expect(podFacts(pod).container).toEqual({
      name: 'redis',
      image: 'redis:7.2',
      state: 'waiting',
      reason: 'CrashLoopBackOff',
      restarts: 4,
    });
  });

  test('an ended container keeps how it ended', () => {
    const terminated = { exitCode: 137, reason: 'OOMKilled' };
    const pod = rawPod({ status: { containerStatuses: [{ name: 'redis', restartCount: 1, state: { terminated } }] } });
    expect(podFacts(pod).container).toMatchObject({ state: 'terminated', reason: 'OOMKilled', restarts: 1 });
  });

  test('a pod that is being deleted', () => {
    const pod = rawPod({ metadata: { name: 'redis-1-0', deletionTimestamp: '2026-01-02T03:05:05Z' } });
    expect(podFacts(pod)).toMatchObject({ terminating: true, ready: true });
  });

  test('an object without anything in it', () => {
    expect(podFacts({})).toEqual({
      name: '',
      uid: '',
      ip: '',
      host: null,
      phase: 'Unknown',
      ready: false,
      terminating: false,
      container: { name: '', image: '', state: 'unknown', reason: null, restarts: 0 },
      port: 6379,
      labels: {},
      annotations: {},
      claims: [],
      ephemeralData: true,
      createdAt: '',
      owner: null,
      readsState: false,
    });
  });
});

describe('other facts', () => {
  test.each([
    [{}, undefined],
    [{ persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' } }, undefined],
    [{ persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete' } }, true],
    [{ persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete' } }, true],
  ])('a StatefulSet with %j deletes claims: %j', (spec, deletesClaims) => {
    expect(statefulSetFacts({ spec }).deletesClaims).toBe(deletesClaims);
  });

  test('a Service', () => {
    expect(
      serviceFacts({
        metadata: { name: 'redis-1', labels, annotations: { a: 'b' } },
        spec: {
          clusterIP: '10.96.0.17',
          selector: { name: 'redis-1' },
          ports: [{ name: 'tcp-redis', port: 6379 }, { port: 16379 }],
          publishNotReadyAddresses: true,
        },
      }),
    ).toEqual({
      name: 'redis-1',
      clusterIP: '10.96.0.17',
      selector: { name: 'redis-1' },
      labels,
      annotations: { a: 'b' },
      ports: [
        { name: 'tcp-redis', port: 6379 },
        { name: '', port: 16379 },
      ],
      publishNotReadyAddresses: true,
      writer: null,
    });
  });

  test('a StatefulSet; the API means 1 when it says no replicas', () => {
    const template = { metadata: { labels, annotations: { shard: '1' } }, spec: rawPod().spec ?? {} };
    expect(statefulSetFacts({ metadata: { name: 'redis-1', labels, uid: 'u' }, spec: { template } })).toEqual({
      name: 'redis-1',
      uid: 'u',
      replicas: 1,
      labels,
      annotations: {},
      templateLabels: labels,
      templateAnnotations: { shard: '1' },
      image: 'redis:7.2',
      readsState: false,
      writer: null,
    });
  });

  const ready = { conditions: [{ type: 'Ready', status: 'True' }] };
  const zone = { 'topology.kubernetes.io/zone': 'zone-1' };
  test.each([
    [
      'ready',
      { metadata: { name: 'a', labels: zone }, status: ready },
      { zone: 'zone-1', ready: true, schedulable: true },
    ],
    [
      'cordoned',
      { metadata: { name: 'a' }, spec: { unschedulable: true }, status: ready },
      { zone: null, ready: true, schedulable: false },
    ],
    [
      'a control plane',
      { metadata: { name: 'a' }, spec: { taints: [{ key: 'x', effect: 'NoSchedule' }] }, status: ready },
      { zone: null, ready: true, schedulable: false },
    ],
    [
      'a taint that only discourages',
      { metadata: { name: 'a' }, spec: { taints: [{ key: 'x', effect: 'PreferNoSchedule' }] }, status: ready },
      { zone: null, ready: true, schedulable: true },
    ],
    [
      'lost',
      { metadata: { name: 'a' }, status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } },
      { zone: null, ready: false, schedulable: true },
    ],
  ])('a host that is %s', (_, raw, facts) => {
    expect(hostFacts(raw)).toEqual({ name: 'a', ...facts });
  });

  test('claims', () => {
    expect(
      claimFacts({
        metadata: { name: 'data-x', creationTimestamp: '2026-01-02T03:04:05Z' },
        spec: { storageClassName: 'fast' },
        status: { phase: 'Bound' },
      }),
    ).toEqual({ name: 'data-x', phase: 'Bound', storageClass: 'fast', createdAt: '2026-01-02T03:04:05Z' });
    expect(claimFacts({ metadata: { name: 'data-y' } })).toEqual({
      name: 'data-y',
      phase: 'Pending',
      storageClass: null,
      createdAt: '',
    });
  });

  test('an operation that runs, one whose holder let go, none', () => {
    const lease = {
      metadata: { annotations: { 'kubectl-redis.io/verb': 'create' } },
      spec: {
        holderIdentity: 'ada@laptop',
        acquireTime: '2026-01-02T03:04:05.000000Z',
        renewTime: '2026-01-02T03:04:15.000000Z',
        leaseDurationSeconds: 30,
      },
    };
    expect(operationFacts(lease)).toEqual({
      holder: 'ada@laptop',
      verb: 'create',
      acquiredAt: '2026-01-02T03:04:05.000000Z',
      renewedAt: '2026-01-02T03:04:15.000000Z',
      durationSeconds: 30,
      progress: null,
    });
    expect(operationFacts({ ...lease, spec: { ...lease.spec, holderIdentity: null } })).toBeNull();
    expect(operationFacts(null)).toBeNull();
  });
});

describe('whether the scripts of a template read the record', () => {
  const template = (change: (spec: RawPodSpec) => RawPodSpec): boolean => {
    const set = statefulSet(specOf(), 1, { announceIp: null, shard: '1' }) as unknown as RawWorkload;
    const spec = set.spec?.template?.spec ?? {};
    const changed = { ...set.spec?.template, spec: change(spec) };
    return statefulSetFacts({ ...set, spec: { ...set.spec, template: changed } }).readsState === true;
  };
  const inContainer = (change: (container: RawContainer) => RawContainer) => (spec: RawPodSpec) => {
    return { ...spec, containers: (spec.containers ?? []).map(change) };
  };

  test.each([
    ['as it is rendered', (spec: RawPodSpec) => spec, true],
    ['without the volume', (spec: RawPodSpec) => ({ ...spec, volumes: [] }), false],
    ['without the variable', inContainer((one) => ({ ...one, env: [] })), false],
    ['without the mount', inContainer((one) => ({ ...one, volumeMounts: [] })), false],
    [
      'with what an old manifest that is applied over it adds',
      (spec: RawPodSpec) => ({
        ...inContainer((one) => ({
          ...one,
          command: ['sh', '/etc/redis/start.sh'],
          volumeMounts: [...(one.volumeMounts ?? []), { name: 'config', mountPath: '/etc/redis' }],
        }))(spec),
        volumes: [...(spec.volumes ?? []), { name: 'config' }],
      }),
      true,
    ],
  ])('%s: %s', (_, change, reads) => {
    expect(template(change)).toBe(reads);
  });
});

describe('who wrote an object last', () => {
  test.each([
    [[], null],
    [[{ manager: 'kubectl-redis', time: '2026-01-02T00:00:00Z' }], null],
    [[{ manager: 'kube-controller-manager', time: '2026-01-02T00:00:00Z', subresource: 'status' }], null],
    [
      [
        { manager: 'kubectl-client-side-apply', time: '2026-01-01T00:00:00Z' },
        { manager: 'argocd-controller', time: '2026-01-02T00:00:00Z' },
        { manager: 'kubectl-redis', time: '2026-01-03T00:00:00Z' },
        { manager: 'hpa', time: '2026-01-04T00:00:00Z', subresource: 'scale' },
      ],
      { manager: 'argocd-controller', at: '2026-01-02T00:00:00Z' },
    ],
    [[{ manager: 'x' }], { manager: 'x', at: '' }],
  ])('%j: %j', (managedFields, writer) => {
    expect(serviceFacts({ metadata: { name: 'redis', managedFields } }).writer).toEqual(writer);
  });

  test('of ConfigMap NAME-config, with a digest of what pods read of it', () => {
    const managedFields = [{ manager: 'argocd-controller', time: 'now' }];
    const data = { 'redis.conf': 'port 6379\n', 'start.sh': 'true' };
    const facts = configFacts({ metadata: { managedFields }, data });
    expect(facts).toEqual({ digest: configDigest(data), writer: { manager: 'argocd-controller', at: 'now' } });
    expect(configDigest({ ...data, formed: 'false', 'spec-hash': 'x' })).toBe(facts.digest);
    expect(configDigest({ ...data, 'start.sh': 'false' })).not.toBe(facts.digest);
  });
});
