import { describe, expect, test } from '@jest/globals';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { KubeFacts, Observation } from '../../../../pkg/cluster/model/observation.ts';
import { broughtTable, withRecord } from '../../../../pkg/cluster/plan/brought.ts';
import { planCreate } from '../../../../pkg/cluster/plan/create.ts';
import { recordBrought } from '../../../../pkg/engine/steps/record-brought.ts';
import { AppError } from '../../../../pkg/errors.ts';
import { stateMap } from '../../../../pkg/pod/state-map.ts';
import { createObjectStore } from '../../../support/fake-kube.ts';
import { freshObservation, healthyObservation } from '../../../support/observation.ts';
import { specOf } from '../../../support/spec.ts';

/** Six pods of one StatefulSet, redis-0 … redis-5, numbered by label as the webhook does. `state`: what NAME-state holds. */
function injected(observation: Observation, state: Record<string, string> | null): Observation {
  const names = ['redis', ...observation.kube.pods.map((_, n) => `redis-${n}`)];
  const services = names.map((name, n) => ({
    name,
    clusterIP: `10.1.0.${n - 1}`,
    selector: { name },
    labels: {},
    annotations: {},
    ports: [
      { name: 'tcp-redis', port: 6379 },
      { name: 'tcp-bus', port: 16379 },
    ],
    publishNotReadyAddresses: true,
  }));
  const pods = observation.kube.pods.map((pod, n) => ({
    ...pod,
    owner: 'StatefulSet/redis',
    labels: { name: `redis-${n}`, 'kubectl-redis.io/cluster': 'redis' },
    annotations: { 'kubectl-redis.io/injected': 'inject' },
    readsState: true,
  }));
  const config = state === null ? null : {};
  return { ...observation, kube: { ...observation.kube, pods, services, statefulSets: [], config, state } };
}

/** The same pods, completed by the webhook; those of a formed cluster may carry their shard. */
function byWebhook(observation: Observation, withShard = false): Observation {
  const shards = shardsOf(table(observation));
  const pods = observation.kube.pods.map((pod, n) => ({
    ...pod,
    annotations: { 'kubectl-redis.io/injected': 'webhook' },
    labels: { ...pod.labels, ...(withShard ? { 'kubectl-redis.io/shard': shards[n] ?? '' } : {}) },
  }));
  return { ...observation, kube: { ...observation.kube, pods } };
}

const fresh = (state: Record<string, string> | null) => injected(freshObservation({ kind: 'foreign' }), state);
const formed = (state: Record<string, string> | null) => injected(healthyObservation({ kind: 'foreign' }), state);
/** Pods of an older version's `inject -f`, and what it recorded. */
const old = ({ kube, ...rest }: Observation, config: Record<string, string>): Observation => {
  const pods = kube.pods.map((pod) => ({ ...pod, readsState: false }));
  return { ...rest, kube: { ...kube, pods, config, state: null } };
};
const titlesOf = (observation: Observation): string[] => {
  const plan = planCreate({
    state: interpret(observation),
    kube: observation.kube,
    spec: specOf(),
    policy: { fastForming: false },
  });
  return plan.kind === 'batches' ? plan.batches.map(({ title }) => title) : [plan.kind];
};
const table = ({ kube, ...rest }: Observation): string => broughtTable(interpret({ ...rest, kube }), kube);
const shardsOf = (text: string): string[] =>
  text
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[3] ?? '');

describe('the plan of create for injected pods', () => {
  test('marks the cluster as formed before anything else', () => {
    expect(titlesOf(fresh({ formed: 'false', nodes: table(fresh({})) }))[0]).toBe('mark as formed');
    expect(titlesOf(formed({ formed: 'false', nodes: table(formed({})) }))).toEqual(['mark as formed']);
  });

  test('records the nodes at its end, and then there is nothing to do', () => {
    const observation = formed({ formed: 'true', nodes: table(formed({})).replaceAll(/ .$/gm, ' -') });
    expect(titlesOf(observation)).toEqual(['record the nodes']);
    expect(titlesOf(formed({ formed: 'true', nodes: table(observation) }))).toEqual(['nothing']);
  });

  test('records again what clients and drains lack', () => {
    const whole = formed({ formed: 'true' });
    const config = { formed: 'true', nodes: table(whole) };
    const withoutService = formed(config);
    const services = withoutService.kube.services.slice(1);
    expect(titlesOf({ ...withoutService, kube: { ...withoutService.kube, services } })).toEqual(['record the nodes']);
    expect(titlesOf(byWebhook(formed(config)))).toEqual(['record the nodes']);
    const budgets = '1:2 2:2 3:2';
    expect(titlesOf(byWebhook(formed({ ...config, budgets })))).toEqual(['record the nodes']);
    expect(titlesOf(byWebhook(formed({ ...config, budgets }), true))).toEqual(['nothing']);
  });

  test('makes what pods wait for that were injected offline', () => {
    expect(titlesOf(fresh(null))).toEqual(['make the configuration']);
    expect(titlesOf(fresh({ nodes: '0 redis-0 - -\n' }))).toEqual(['make the configuration']);
  });

  test('has nothing to record for pods that were not injected', () => {
    const unmarked = (observation: Observation): Observation => {
      const pods = observation.kube.pods.map((pod) => ({ ...pod, annotations: {} }));
      return { ...observation, kube: { ...observation.kube, pods } };
    };
    expect(titlesOf(unmarked(formed(null)))).toEqual(['nothing']);
    expect(titlesOf(unmarked(fresh(null)))[0]).toBe('assign slots');
  });

  test('takes over what an older version recorded, and keeps it right for pods that know no other place', () => {
    const whole = table(formed({ formed: 'true' }));
    const copy = { formed: 'true', nodes: whole };
    const before = old(formed({}), copy);
    expect(titlesOf(before)).toEqual(['record the nodes']);
    const state = { formed: 'true', nodes: whole };
    expect(titlesOf({ ...before, kube: { ...before.kube, state } })).toEqual(['nothing']);
    const overwritten = { ...copy, formed: 'false' };
    expect(titlesOf({ ...before, kube: { ...before.kube, state, config: overwritten } })).toEqual(['record the nodes']);
  });

  test('a refusal stays one', () => {
    const refused = { kind: 'refused', code: 'x', sentence: 'x', hint: 'x' } as const;
    const { kube, ...rest } = formed({ formed: 'false' });
    expect(withRecord(refused, interpret({ ...rest, kube }), kube)).toBe(refused);
  });
});

describe('the table', () => {
  test('has every node with address and shard', () => {
    const text = table(formed({ formed: 'true' }));
    expect(text.split('\n')[0]).toMatch(/^0 redis-0 10\.1\.0\.0 [123]$/);
    expect(shardsOf(text).toSorted()).toEqual(['1', '1', '2', '2', '3', '3']);
  });

  test('keeps the names that shards have, and nodes whose pods are away', () => {
    const before = formed({ formed: 'true', nodes: table(formed({ formed: 'true' })).replaceAll(/ 1$/gm, ' b') });
    expect(shardsOf(table(before)).filter((shard) => shard === 'b')).toHaveLength(2);
    const [, ...pods] = before.kube.pods;
    expect(table({ ...before, kube: { ...before.kube, pods } })).toContain('0 redis-0 10.1.0.0 ');
  });

  test('before the cluster is formed it has no node whose pod went', () => {
    expect(table(fresh({ formed: 'false', nodes: '9 redis-9 10.9.9.9 -\n' }))).not.toContain('redis-9');
  });

  test('numbers pods without a label by their StatefulSet, and leaves out what has no number', () => {
    const observation = fresh({ formed: 'false' });
    const pods = observation.kube.pods.map((pod, n) => ({
      ...pod,
      name: n === 0 ? 'stray' : `redis-${n}`,
      labels: {},
      owner: n === 0 ? null : 'StatefulSet/redis',
    }));
    const kube: KubeFacts = { ...observation.kube, pods };
    expect(table({ ...observation, kube }).match(/^\d+/gm)).toEqual(['1', '2', '3', '4', '5']);
  });
});

describe('what protects pods of the webhook', () => {
  const cluster = { namespace: 'default', name: 'redis' };
  const observation = byWebhook(formed({ formed: 'true' }));
  const stored = async (): Promise<ReturnType<typeof createObjectStore>> => {
    const store = createObjectStore();
    await store.create(stateMap(cluster, { formed: 'true', nodes: table(observation) }));
    await store.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'redis-config' } });
    return store;
  };

  test('is made: a Service, labels, a budget a shard that lets one of two go', async () => {
    const store = await stored();
    await recordBrought(store, cluster, observation, false);
    const kinds = [...store.objects.keys()].map((key) => key.split('/')[0]);
    expect(kinds.filter((kind) => kind === 'Pod')).toHaveLength(6);
    const [first] = observation.kube.pods;
    const [shard] = shardsOf(table(observation));
    const labelled = store.objects.get(`Pod/${first?.name}`)?.metadata.labels;
    expect(labelled).toEqual({ 'kubectl-redis.io/shard': shard });
    expect(store.objects.get('Service/redis')?.['spec']).toMatchObject({
      selector: { 'kubectl-redis.io/cluster': 'redis' },
      publishNotReadyAddresses: false,
    });
    expect(store.objects.get('PodDisruptionBudget/redis-shard-2')?.['spec']).toEqual({
      minAvailable: 1,
      selector: { matchLabels: { 'kubectl-redis.io/cluster': 'redis', 'kubectl-redis.io/shard': '2' } },
    });
    const data = store.objects.get('ConfigMap/redis-state')?.['data'] as Record<string, string>;
    expect(data['budgets']).toBe('1:2 2:2 3:2');
    expect(titlesOf(byWebhook(formed(data), true))).toEqual(['nothing']);
  });

  test('leaves a Service and budgets of people as they are', async () => {
    const store = await stored();
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'redis' }, spec: { clusterIP: 'None' } };
    await store.create(service);
    const selector = { matchExpressions: [{ key: 'name', operator: 'In', values: ['redis-1'] }] };
    const own = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'own' }, spec: { selector } };
    await store.create(own);
    await recordBrought(store, cluster, observation, false);
    expect(store.objects.get('Service/redis')?.['spec']).toEqual({ clusterIP: 'None' });
    const budgets = [...store.objects.keys()].filter((key) => key.startsWith('PodDisruptionBudget'));
    expect(budgets).toEqual(['PodDisruptionBudget/own']);
  });
});

describe('writing the record', () => {
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'redis-config' } };
  const cluster = { namespace: 'default', name: 'redis' };
  const dataIn = ({ objects }: ReturnType<typeof createObjectStore>, name: string): Record<string, string> =>
    (objects.get(`ConfigMap/${name}`)?.['data'] ?? {}) as Record<string, string>;

  test('tries again when the webhook wrote meanwhile, and keeps what it wrote', async () => {
    const store = createObjectStore();
    await store.create({ ...configMap, data: {} });
    await store.create(stateMap(cluster, { formed: 'false', more: 'x' }));
    let disturbed = false;
    const replace: typeof store.replace = async (object) => {
      if (disturbed) return store.replace(object);
      disturbed = true;
      await store.apply(stateMap(cluster, { formed: 'false', more: 'y' }));
      return store.replace(object);
    };
    await recordBrought({ ...store, replace }, cluster, fresh(null), true);
    const data = dataIn(store, 'redis-state');
    expect(data).toMatchObject({ formed: 'true', more: 'y' });
    expect(data['nodes']).toContain('0 redis-0 10.1.0.0 -\n');
  });

  test('never takes the mark back, and makes nothing for pods that were not injected', async () => {
    const store = createObjectStore();
    const unmarked = formed(null);
    const pods = unmarked.kube.pods.map((pod) => ({ ...pod, annotations: {} }));
    await recordBrought(store, cluster, { ...unmarked, kube: { ...unmarked.kube, pods } }, true);
    expect(store.objects.size).toBe(0);
    await store.create({ ...configMap, data: {} });
    await store.create(stateMap(cluster, { formed: 'true' }));
    await recordBrought(store, cluster, fresh(null), false);
    expect(dataIn(store, 'redis-state')).toMatchObject({ formed: 'true' });
  });

  test('writes over nothing that is somebody else has', async () => {
    const store = createObjectStore();
    await store.create({ ...configMap, metadata: { name: 'redis-state' }, data: { theirs: 'x' } });
    await expect(recordBrought(store, cluster, fresh(null), true)).rejects.toMatchObject({ code: 'name-taken' });
    expect(dataIn(store, 'redis-state')).toEqual({ theirs: 'x' });
  });

  test('pods of an older version find a copy where they look for it', async () => {
    const store = createObjectStore();
    await store.create({ ...configMap, data: { formed: 'false', nodes: '0 redis-0 - -\n', 'redis.conf': 'x' } });
    await recordBrought(store, cluster, old(fresh({}), { formed: 'false' }), true);
    const data = dataIn(store, 'redis-config');
    expect(data).toMatchObject({ formed: 'true', 'redis.conf': 'x' });
    expect(data['nodes']).toBe(dataIn(store, 'redis-state')['nodes']);
  });

  test('makes ConfigMaps and Services that are not there', async () => {
    const store = createObjectStore();
    const create: typeof store.create = (object) =>
      store.create({ ...object, spec: { ...(object['spec'] as object), clusterIP: '10.9.0.5' } });
    const observation = fresh(null);
    const services = observation.kube.services.slice(0, 6);
    const pods = observation.kube.pods.map((pod) => ({ ...pod, labels: {} }));
    const kube = { ...observation.kube, services, pods: pods.map((pod, n) => ({ ...pod, name: `redis-${n}` })) };
    await recordBrought({ ...store, create }, cluster, { ...observation, kube }, false);
    expect([...store.objects.keys()]).toEqual(['Service/redis-5', 'ConfigMap/redis-state', 'ConfigMap/redis-config']);
    expect(store.objects.get('Service/redis-5')?.['spec']).toMatchObject({
      selector: { 'kubectl-redis.io/cluster': 'redis', 'statefulset.kubernetes.io/pod-name': 'redis-5' },
      publishNotReadyAddresses: true,
    });
    expect(dataIn(store, 'redis-state')['formed']).toBe('false');
    expect(dataIn(store, 'redis-state')['nodes']).toContain('5 redis-5 10.9.0.5 -\n');
    expect(dataIn(store, 'redis-config')['start.sh']).toContain('guard');
  });

  test('K2: does not say that a cluster was never formed while a pod that may know is silent', async () => {
    const store = createObjectStore();
    const observation = fresh(null);
    const [first, ...others] = observation.replies;
    const silent = { kind: 'unreachable', why: 'timeout', detail: '2 s' } as const;
    const replies = [{ pod: first?.pod ?? '', reply: silent }, ...others];
    await recordBrought(store, cluster, { ...observation, replies }, false);
    expect(dataIn(store, 'redis-state')).not.toHaveProperty('formed');
  });

  test('gives up on what is no conflict', async () => {
    const store = createObjectStore();
    await store.create(stateMap(cluster, {}));
    const replace = () => Promise.reject(new AppError('no', { code: 'forbidden' }));
    await expect(recordBrought({ ...store, replace }, cluster, fresh(null), true)).rejects.toThrow('no');
  });
});
