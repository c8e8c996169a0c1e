import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { toYaml } from '../../../cmd/document/yaml.ts';
import type { KubeObject } from '../../../pkg/engine/ports.ts';
import { examine } from '../../../pkg/pod/inject/examine.ts';
import { injectObject } from '../../../pkg/pod/inject/offline.ts';
import { isObject, type Json } from '../../../pkg/pod/inject/pod-json.ts';
import { webhookManifests } from '../../../webhook/manifests.ts';
import { runCommand } from '../../support/fake-terminal.ts';
import { IMAGE, OPTIONS } from '../../support/installed-webhook.ts';

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

test('below Kubernetes 1.28 it asks by the label only: without conditions the other webhook would see every pod', () => {
  const { webhooks } = found(
    webhookManifests({ ...OPTIONS, matchConditions: false }),
    'MutatingWebhookConfiguration',
  ) as unknown as { webhooks: Json[] };
  expect(webhooks.map(({ name }) => name)).toEqual(['label.pods.kubectl-redis.io']);
  expect(webhooks[0]).not.toHaveProperty('matchConditions');
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

test.each([
  [['webhook', 'install'], /needs --image.*\n.*docker build/],
  [['webhook', 'remove'], /not one of install, status, uninstall/],
  [['webhook', 'status', '-o', 'yaml'], /goes with install --dry-run/],
])('%j is wrong usage', async (argv, message) => {
  const { exitCode, stderr } = await runCommand(argv);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(message);
});
