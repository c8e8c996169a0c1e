import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { install, uninstall } from '../../../cmd/webhook/install.ts';
import { readStatus, statusLines } from '../../../cmd/webhook/status.ts';
import { toYaml } from '../../../cmd/document/yaml.ts';
import type { KubeObject, KubePort } from '../../../pkg/engine/ports.ts';
import { examine } from '../../../pkg/pod/inject/examine.ts';
import { injectObject } from '../../../pkg/pod/inject/offline.ts';
import { isObject, type Json } from '../../../pkg/pod/inject/pod-json.ts';
import { renew, renewalPolicy } from '../../../webhook/certificate/renewal.ts';
import { webhookManifests } from '../../../webhook/manifests.ts';
import { runCommand } from '../../support/fake-terminal.ts';
import { createObjectStore } from '../../support/fake-kube.ts';

const IMAGE = 'docker.io/library/kubectl-redis-webhook:0.1.0';
const OPTIONS = { namespace: 'kubectl-redis-system', image: IMAGE, imagePullPolicy: null, certManager: false } as const;
const ROOT = new URL('../../../manifests/', import.meta.url);
const found = (objects: readonly KubeObject[], kind: string): KubeObject => {
  const object = objects.find((each) => each.kind === kind);
  if (object === undefined) throw new Error(`no ${kind}`);
  return object;
};

test('manifests/webhook is what install applies', async () => {
  const written = webhookManifests(OPTIONS).map((object) => `---\n${toYaml(object)}`);
  expect(await readFile(new URL('webhook/webhook.yaml', ROOT), 'utf8')).toBe(written.join(''));
  const { exitCode, stdout } = await runCommand(['webhook', 'install', '--image', IMAGE, '--dry-run', '-o', 'yaml']);
  expect([exitCode, stdout]).toEqual([0, written.join('')]);
});

describe('the configuration', () => {
  const { webhooks } = found(webhookManifests(OPTIONS), 'MutatingWebhookConfiguration') as unknown as {
    webhooks: Json[];
  };

  test('asks about opted-in pods only, never of its own namespace or the system, and refuses them while nobody answers', () => {
    expect(webhooks).toHaveLength(2);
    for (const webhook of webhooks) {
      expect(webhook).toMatchObject({
        failurePolicy: 'Fail',
        sideEffects: 'NoneOnDryRun',
        timeoutSeconds: 10,
        rules: [{ operations: ['CREATE'], resources: ['pods'] }],
      });
      expect(JSON.stringify(webhook['namespaceSelector'])).toContain('"values":["kube-system","kubectl-redis-system"]');
    }
    expect(webhooks[0]?.['objectSelector']).toEqual({
      matchExpressions: [
        { key: 'kubectl-redis.io/cluster', operator: 'Exists' },
        { key: 'app.kubernetes.io/managed-by', operator: 'NotIn', values: ['kubectl-redis'] },
      ],
    });
  });
});

test('rights are what the code asks for', () => {
  const { rules } = found(webhookManifests(OPTIONS), 'ClusterRole') as unknown as {
    rules: { resources: string[]; verbs: string[] }[];
  };
  expect(rules.map(({ resources, verbs }) => [resources.join(), verbs.join()])).toEqual([
    ['pods', 'list'],
    ['services', 'get,list,create,update'],
    ['configmaps', 'get,create,update'],
    ['mutatingwebhookconfigurations', 'get,update'],
  ]);
});

test('with cert-manager it makes no certificates of its own', () => {
  const objects = webhookManifests({ ...OPTIONS, certManager: true });
  expect(objects.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['Issuer', 'Certificate']));
  expect(JSON.stringify(found(objects, 'Deployment'))).toContain('"CERTIFICATES","value":"external"');
  expect(found(objects, 'MutatingWebhookConfiguration').metadata.annotations).toEqual({
    'cert-manager.io/inject-ca-from': 'kubectl-redis-system/kubectl-redis-webhook',
  });
});

/** What a workload's template becomes, as the webhook sees its pods. */
function podsOf(object: Json): Json[] {
  const template = (object['spec'] as { template?: unknown }).template;
  return isObject(template) ? [template] : [];
}

test.each([
  ['replica-sets.yaml', 6],
  ['stateful-set.yaml', 1],
  ['deployment.yaml', 1],
])('the pods of sample %s are taken', async (file, count) => {
  const text = await readFile(new URL(`samples/${file}`, ROOT), 'utf8');
  const objects = parseAllDocuments(text).map((document) => document.toJS() as Json);
  const pods = objects.flatMap(podsOf).map((pod) => examine(pod).kind);
  expect(pods).toEqual(Array.from({ length: count }, () => 'candidate'));
  const offline = objects.flatMap((object) => injectObject(object, 'shop').findings.map(({ outcome }) => outcome.kind));
  expect(new Set(offline)).toEqual(new Set([file === 'deployment.yaml' ? 'refused' : 'injected']));
});

/** Pods become ready, and the server publishes itself, when they are first looked at. */
function cluster(): { store: ReturnType<typeof createObjectStore>; kube: KubePort } {
  const store = createObjectStore();
  const unused = (): never => {
    throw new Error('not used');
  };
  const apply: KubePort['apply'] = async (object, options) =>
    options?.dryRun === true
      ? { ...object, metadata: { ...object.metadata, annotations: { 'kubectl-redis.io/injected': 'webhook' } } }
      : store.apply(object);
  const line = {
    time: 1,
    msg: 'admission',
    namespace: 'shop',
    node: 'redis-1',
    result: 'denied',
    code: 'name-taken',
    sentence: 'no',
  };
  const kube: KubePort = {
    ...store,
    namespace: 'kubectl-redis-system',
    apply,
    list: async () => [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } }],
    logTail: async () => ['no JSON', JSON.stringify({ msg: 'else' }), JSON.stringify(line)],
    readFacts: unused,
    listClusters: unused,
    evict: unused,
    watchPods: unused,
    whyNotReady: unused,
    whyNoPod: unused,
    close: () => undefined,
  };
  return { store, kube };
}

async function makeReady({ store }: ReturnType<typeof cluster>, now: number): Promise<void> {
  const state = await renew(null, now, renewalPolicy(['x.svc']));
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  const bundle = encode(state.authorities[0]?.cert ?? '');
  const data = { 'tls.crt': encode(state.leaf.cert), 'ca.crt': bundle };
  await store.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'kubectl-redis-webhook-tls' }, data });
  const deployment = store.objects.get('Deployment/kubectl-redis-webhook') as KubeObject;
  await store.apply({ ...deployment, status: { readyReplicas: 2 } });
  const configuration = store.objects.get('MutatingWebhookConfiguration/kubectl-redis-webhook') as KubeObject;
  const webhooks = (configuration['webhooks'] as object[]).map((each) => ({
    ...each,
    clientConfig: { caBundle: bundle },
  }));
  await store.apply({ ...configuration, webhooks });
}

describe('install, status, uninstall', () => {
  const NOW = Date.parse('2026-01-01T00:00:00Z');

  test('waits until it answers', async () => {
    const world = cluster();
    let now = 0;
    let waits = 0;
    const sleep = async (ms: number): Promise<void> => {
      now += ms;
      waits += 1;
      if (waits === 3) await makeReady(world, NOW);
    };
    const deps = {
      kube: world.kube,
      clock: { now: () => now, sleep },
      signal: new AbortController().signal,
      say: () => undefined,
    };
    await install(webhookManifests(OPTIONS), { ...deps, timeoutMs: 10_000 });
    expect(waits).toBe(3);
    const again = cluster();
    await expect(install(webhookManifests(OPTIONS), { ...deps, kube: again.kube, timeoutMs: 100 })).rejects.toThrow(
      /0 of 2 pods are ready/,
    );
  });

  test('status tells what is and what is wrong', async () => {
    const world = cluster();
    const read = () => readStatus(world.kube, world.kube, 'kubectl-redis-system', NOW);
    expect(await read()).toBeNull();
    for (const object of webhookManifests(OPTIONS)) await world.kube.apply(object);
    const begun = await read();
    expect(begun?.problems).toEqual([expect.stringContaining('0 of 2 pods')]);
    await makeReady(world, NOW);
    const status = await read();
    expect(status).toMatchObject({ image: IMAGE, ready: 2, bundleMatches: true, unreachable: null, problems: [] });
    const lines = statusLines(status ?? (begun as never)).join('\n');
    expect(lines).toMatch(/^Webhook: +healthy\n/);
    expect(lines).toContain('90 days left');
    expect(lines).toContain('shop/redis-1  denied (name-taken): no');
    const late = await readStatus(world.kube, world.kube, 'x', NOW + 80 * 24 * 60 * 60_000);
    expect(late?.problems).toEqual([expect.stringContaining('was not renewed')]);
    const silent = { apply: () => Promise.reject(new Error('connection refused')) };
    const unreachable = await readStatus(world.kube, silent, 'x', NOW);
    expect(unreachable?.problems).toEqual([expect.stringContaining('connection refused')]);
  });

  test('uninstall removes the configuration first, and nothing of somebody else', async () => {
    const world = cluster();
    for (const object of webhookManifests(OPTIONS)) await world.kube.apply(object);
    const role = world.store.objects.get('Role/kubectl-redis-webhook') as KubeObject;
    await world.store.apply({ ...role, metadata: { ...role.metadata, labels: {} } });
    const said: string[] = [];
    const say = (line: string): void => void said.push(line);
    expect(await uninstall(webhookManifests(OPTIONS), world.kube, true, say)).toBe(8);
    expect(world.store.objects.size).toBe(10);
    said.length = 0;
    expect(await uninstall(webhookManifests(OPTIONS), world.kube, false, say)).toBe(8);
    expect(said[0]).toBe('MutatingWebhookConfiguration kubectl-redis-webhook deleted');
    expect([...world.store.objects.keys()]).toEqual(['Namespace/kubectl-redis-system', 'Role/kubectl-redis-webhook']);
  });
});

test.each([
  [['webhook', 'install'], /needs --image.*\n.*docker build/],
  [['webhook', 'remove'], /not one of install, status, uninstall/],
  [['webhook', 'status', '-o', 'yaml'], /goes with install --dry-run/],
])('%j is wrong usage', async (argv, message) => {
  const { exitCode, stderr } = await runCommand(argv);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(message);
});
