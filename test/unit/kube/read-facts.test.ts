import { afterEach, describe, expect, test } from '@jest/globals';
import { configDigest } from '../../../pkg/cluster/model/config-digest.ts';
import type { KubeFacts } from '../../../pkg/cluster/model/observation.ts';
import type { FactsPart } from '../../../pkg/engine/ports.ts';
import type { RawPod } from '../../../pkg/kube/api-json.ts';
import { findClusters } from '../../../pkg/kube/list-clusters.ts';
import { readFacts } from '../../../pkg/kube/read-facts.ts';
import { sendJson, sendStatus, startHttpStub } from '../../support/http-stub.ts';
import type { HttpStub } from '../../support/http-stub.ts';
import { rawPod } from '../../support/kube-json.ts';

let stub: HttpStub | null = null;
afterEach(async () => {
  await stub?.close();
  stub = null;
});

const cluster = { namespace: 'db', name: 'redis' };
const label = { 'kubectl-redis.io/cluster': 'redis' };
const ns = '/namespaces/db';
const pods = `/api/v1${ns}/pods`;
const PATHS = {
  services: `/api/v1${ns}/services`,
  claims: `/api/v1${ns}/persistentvolumeclaims`,
  config: `/api/v1${ns}/configmaps/redis-config`,
  state: `/api/v1${ns}/configmaps/redis-state`,
  nodes: '/api/v1/nodes',
  sets: `/apis/apps/v1${ns}/statefulsets`,
  lease: `/apis/coordination.k8s.io/v1${ns}/leases/redis-operation`,
};

/** Answers: by path, or by `path?labelSelector` for pods. 404 for single objects and empty lists for the rest. */
async function factsFrom(
  answers: Readonly<Record<string, object | 'forbidden'>>,
  leaveOut: readonly FactsPart[] = [],
): Promise<{ facts: KubeFacts; asked: string[] }> {
  const asked: string[] = [];
  stub = await startHttpStub(({ path, query }, response) => {
    const key = query['labelSelector'] === undefined ? path : `${path}?${query['labelSelector']}`;
    asked.push(key);
    const answer = answers[key];
    if (answer === 'forbidden') {
      sendStatus(
        response,
        403,
        'Forbidden',
        `User "eve" cannot list resource "${path.split('/').at(-1) ?? ''}" in API group ""`,
      );
    } else if (answer !== undefined) sendJson(response, 200, answer);
    else if (/configmaps|leases|statefulsets\//.test(path)) sendStatus(response, 404, 'NotFound', 'not found');
    else sendJson(response, 200, { items: [] });
  });
  const facts = await readFacts(stub.client(), cluster, undefined, { leaveOut });
  return { facts, asked: asked.sort() };
}

describe('the pods are told once', () => {
  async function told(answers: Readonly<Record<string, object>>): Promise<{ pods: string[]; askedBefore: string[] }[]> {
    const asked: string[] = [];
    const calls: { pods: string[]; askedBefore: string[] }[] = [];
    stub = await startHttpStub(({ path, query }, response) => {
      const selector = query['labelSelector'];
      asked.push(path);
      sendJson(response, 200, answers[selector === undefined ? path : `${path}?${selector}`] ?? { items: [] });
    });
    await readFacts(stub.client(), cluster, undefined, {
      onPods: (found) => calls.push({ pods: found.map(({ name }) => name), askedBefore: [...asked] }),
    });
    return calls;
  }

  test('before anything else is asked, when they carry our label', async () => {
    const calls = await told({ [`${pods}?kubectl-redis.io/cluster=redis`]: ours });
    expect(calls).toEqual([{ pods: ['redis-1-0'], askedBefore: [pods] }]);
  });

  test('when they were found by other ties', async () => {
    const calls = await told({ [`${pods}?app=redis`]: { items: [foreignPod] } });
    expect(calls.map((call) => call.pods)).toEqual([['redis-0']]);
  });

  test('also when there are none', async () => {
    expect((await told({})).map((call) => call.pods)).toEqual([[]]);
  });
});

const ours = { items: [rawPod()] };
const foreignPod: RawPod = rawPod({ metadata: { name: 'redis-0', labels: { app: 'x' } } });
const web: RawPod = rawPod({ metadata: { name: 'web' }, spec: { containers: [{ name: 'web', image: 'nginx' }] } });

describe('a cluster with our label', () => {
  test('is eight requests; only its own objects are kept', async () => {
    const { facts, asked } = await factsFrom({
      [`${pods}?kubectl-redis.io/cluster=redis`]: ours,
      [PATHS.services]: {
        items: ['redis', 'redis-1', 'redis-x', 'redis-01', 'other', 'redis2'].map((name) => ({ metadata: { name } })),
      },
      [PATHS.sets]: {
        items: [
          { metadata: { name: 'redis-1' } },
          { metadata: { name: 'a', labels: label } },
          { metadata: { name: 'b' } },
          { metadata: { name: 'redis-8', labels: { app: 'billing' } } },
        ],
      },
      [PATHS.claims]: {
        items: [
          { metadata: { name: 'data-redis-1-0' }, spec: { storageClassName: 'fast' }, status: { phase: 'Bound' } },
          { metadata: { name: 'data-redis-2-0', labels: label }, status: { phase: 'Pending' } },
          { metadata: { name: 'somebody' } },
          // Restored without its label.
          { metadata: { name: 'data-redis-7-0' }, status: { phase: 'Bound' } },
          { metadata: { name: 'data-redis-x-0' } },
          // Of StatefulSet redis-8, which is somebody's, and of another cluster.
          { metadata: { name: 'data-redis-8-0' } },
          { metadata: { name: 'data-redis-9-0', labels: { 'kubectl-redis.io/cluster': 'redis-9' } } },
        ],
      },
      [PATHS.config]: { data: { formed: 'yes' } },
      [PATHS.state]: { metadata: { name: 'redis-state', labels: label }, data: { formed: 'true' } },
      [PATHS.lease]: { spec: { holderIdentity: 'ada', acquireTime: 'a', renewTime: 'b', leaseDurationSeconds: 30 } },
      [PATHS.nodes]: { items: [{ metadata: { name: 'node2' } }] },
    });
    expect(asked).toEqual([`${pods}?kubectl-redis.io/cluster=redis`, ...Object.values(PATHS)].sort());
    expect(facts.pods.map((pod) => pod.name)).toEqual(['redis-1-0']);
    expect(facts.services.map((each) => each.name)).toEqual(['redis', 'redis-1']);
    expect(facts.statefulSets.map((each) => each.name)).toEqual(['redis-1', 'a', 'redis-8']);
    expect(facts.claims).toEqual([
      { name: 'data-redis-1-0', phase: 'Bound', storageClass: 'fast', createdAt: '' },
      { name: 'data-redis-2-0', phase: 'Pending', storageClass: null, createdAt: '' },
      { name: 'data-redis-7-0', phase: 'Bound', storageClass: null, createdAt: '' },
    ]);
    expect(facts).toMatchObject({
      config: { formed: 'yes' },
      configFacts: { digest: configDigest({}), writer: null },
      state: { formed: 'true' },
      operation: { holder: 'ada', verb: '', acquiredAt: 'a', renewedAt: 'b', durationSeconds: 30, progress: null },
      hosts: [{ name: 'node2', zone: null, ready: false, schedulable: true }],
      gaps: [],
    });
  });

  test('a NAME-state of somebody else says nothing of the cluster', async () => {
    const { facts } = await factsFrom({
      [`${pods}?kubectl-redis.io/cluster=redis`]: ours,
      [PATHS.state]: { metadata: { name: 'redis-state', labels: { app: 'redis' } }, data: { formed: 'true' } },
    });
    expect(facts.state).toBeNull();
  });

  test('what a view does not need is not asked for and is no gap', async () => {
    const { facts, asked } = await factsFrom({ [`${pods}?kubectl-redis.io/cluster=redis`]: ours }, [
      'statefulSets',
      'hosts',
      'claims',
      'config',
      'operation',
    ]);
    expect(asked).toEqual([`${pods}?kubectl-redis.io/cluster=redis`, PATHS.services]);
    expect(facts).toMatchObject({ statefulSets: [], hosts: [], claims: [], config: null, operation: null, gaps: [] });
  });

  test('missing rights are gaps', async () => {
    const { facts } = await factsFrom({
      [`${pods}?kubectl-redis.io/cluster=redis`]: ours,
      [PATHS.nodes]: 'forbidden',
      [PATHS.lease]: 'forbidden',
    });
    expect([...facts.gaps].sort((a, b) => a.what.localeCompare(b.what))).toEqual([
      { what: 'leases', why: 'User "eve" cannot list resource "redis-operation" in API group ""' },
      { what: 'nodes', why: 'User "eve" cannot list resource "nodes" in API group ""' },
    ]);
    expect(facts).toMatchObject({ hosts: [], operation: null });
  });

  test('without the right to list pods there is nothing to see', async () => {
    await expect(factsFrom({ [`${pods}?kubectl-redis.io/cluster=redis`]: 'forbidden' })).rejects.toMatchObject({
      code: 'forbidden',
    });
  });

  test('a finished Job is no node', async () => {
    const done = rawPod({ metadata: { name: 'job' }, status: { phase: 'Succeeded' } });
    const { facts } = await factsFrom({ [`${pods}?kubectl-redis.io/cluster=redis`]: { items: [...ours.items, done] } });
    expect(facts.pods.map((pod) => pod.name)).toEqual(['redis-1-0']);
  });
});

describe('a cluster without our label', () => {
  const set = { metadata: { name: 'redis' }, spec: { selector: { matchLabels: { app: 'x' } } } };
  const service = { metadata: { name: 'redis' }, spec: { selector: { tier: 'cache' } } };
  const found = { items: [foreignPod, web] };
  test.each<[string, Record<string, object>, string[]]>([
    [
      'its StatefulSet',
      { [PATHS.sets]: { items: [set] }, [`${pods}?app=x`]: found, [`${pods}?app=redis`]: ours },
      ['redis-0'],
    ],
    ['its release', { [`${pods}?app.kubernetes.io/instance=redis`]: found, [`${pods}?app=redis`]: ours }, ['redis-0']],
    ['its Service', { [PATHS.services]: { items: [service] }, [`${pods}?tier=cache`]: found }, ['redis-0']],
    ['its app label', { [`${pods}?app=redis`]: found }, ['redis-0']],
    [
      'a tie that leads to no Redis is passed over',
      { [PATHS.sets]: { items: [set] }, [`${pods}?app=x`]: { items: [web] }, [`${pods}?app=redis`]: ours },
      ['redis-1-0'],
    ],
    ['nothing', {}, []],
  ])('is found by %s', async (_, answers, names) => {
    const { facts } = await factsFrom(answers);
    expect(facts.pods.map((pod) => pod.name)).toEqual(names);
  });

  test('its StatefulSet is looked up where sets were left out', async () => {
    const { facts } = await factsFrom({ [`${PATHS.sets}/redis`]: set, [`${pods}?app=x`]: found }, ['statefulSets']);
    expect(facts.pods.map((pod) => pod.name)).toEqual(['redis-0']);
    expect(facts.statefulSets).toEqual([]);
  });

  test('a Service without selector selects nothing, not everything', async () => {
    const { asked } = await factsFrom({ [PATHS.services]: { items: [{ metadata: { name: 'redis' }, spec: {} }] } });
    expect(asked.filter((each) => each.startsWith(pods))).toEqual([
      `${pods}?app.kubernetes.io/instance=redis`,
      `${pods}?app=redis`,
      `${pods}?kubectl-redis.io/cluster=redis`,
    ]);
  });
});

describe('findClusters', () => {
  const redis = { containers: [{ name: 'redis', image: 'redis:7', args: ['--cluster-enabled', 'yes'] }] };
  const workload = (name: string, app: string, replicas: number, labels: object = {}): object => ({
    metadata: { namespace: 'db', name },
    spec: { replicas, template: { metadata: { labels: { app, ...labels } }, spec: redis } },
    status: { replicas },
  });
  test.each(['webhook', 'inject', 'create'])('pods that %s completed, with Services of ours', (by) => {
    const labels = { 'kubectl-redis.io/cluster': 'cache' };
    const pod = { metadata: { namespace: 'db', labels, annotations: { 'kubectl-redis.io/injected': by } } };
    expect(findClusters([pod, pod], [{ metadata: { namespace: 'db', labels } }], [])).toEqual([
      { namespace: 'db', name: 'cache', origin: by === 'create' ? 'ours' : 'labelled', pods: 2 },
    ]);
  });

  test('ours, labelled and foreign ones, by namespace and name', () => {
    const found = findClusters(
      [
        { metadata: { namespace: 'db', labels: label } },
        { metadata: { namespace: 'db', labels: label } },
        { metadata: { namespace: 'a', labels: { 'kubectl-redis.io/cluster': 'brought' } } },
      ],
      [
        { metadata: { namespace: 'db', labels: label } },
        { metadata: { namespace: 'db', labels: label } },
        { metadata: { namespace: 'db', labels: { 'kubectl-redis.io/cluster': 'empty' } } },
      ],
      [
        workload('redis-1', 'redis', 1, label),
        workload('hand-made', 'hand', 6),
        workload('talk-1', 'talk', 1),
        workload('talk-2', 'talk', 1),
        workload('alone', 'solo', 1),
        {
          metadata: { namespace: 'db', name: 'plain' },
          spec: { template: { spec: { containers: [{ image: 'redis:7' }] } } },
        },
      ],
    );
    expect(found).toEqual([
      { namespace: 'a', name: 'brought', origin: 'labelled', pods: 1 },
      { namespace: 'db', name: 'alone', origin: 'foreign', pods: 1 },
      { namespace: 'db', name: 'empty', origin: 'ours', pods: 0 },
      { namespace: 'db', name: 'hand-made', origin: 'foreign', pods: 6 },
      { namespace: 'db', name: 'redis', origin: 'ours', pods: 2 },
      { namespace: 'db', name: 'talk', origin: 'foreign', pods: 2 },
    ]);
  });
});

test('a claim that is being deleted is known by the pods that mount it', async () => {
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data-redis-1-0' } }];
  const made = rawPod();
  const pod = { ...made, spec: { ...made.spec, volumes } } as RawPod;
  const claim = (metadata: object): object => ({ items: [{ metadata: { name: 'data-redis-1-0', ...metadata } }] });
  const answers = (metadata: object): Parameters<typeof factsFrom>[0] => ({
    [`${pods}?kubectl-redis.io/cluster=redis`]: { items: [pod] },
    [PATHS.claims]: claim(metadata),
  });
  const of = async (metadata: object): Promise<unknown> =>
    (await factsFrom(answers(metadata))).facts.pods[0]?.goingClaim;
  expect(await of({ deletionTimestamp: '2026-11-30T14:00:00Z' })).toBe('data-redis-1-0');
  await stub?.close();
  expect(await of({})).toBeUndefined();
});
