/** The ways to install the webhook and to be rid of it: our verb, `kubectl apply -k`, and certificates of cert-manager. */
import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, afterAll, expect, test } from '@jest/globals';
import { makeAuthority, makeLeaf } from '../../../webhook/certificate/authority.ts';
import { DEFAULT_NAMESPACE } from '../../../webhook/manifests.ts';
import { SECRET_NAME, serverNames, WEBHOOK_NAME } from '../../../webhook/settings.ts';
import { cli, kubectl, type Ended } from '../../support/cli.ts';
import { openClusterEnv, until, type ClusterEnv } from '../../support/cluster-env.ts';
import { describeWebhook, WEBHOOK_IMAGE, waitingNode } from '../../support/webhook.ts';

const MANIFESTS = fileURLToPath(new URL('../../../manifests/', import.meta.url));
const DAY_MS = 24 * 60 * 60_000;
const OURS = `app.kubernetes.io/name=${WEBHOOK_NAME}`;
/** Everything of ours that has no namespace. */
const CLUSTER_WIDE = 'clusterroles,clusterrolebindings,mutatingwebhookconfigurations,namespaces';

describeWebhook('installing the webhook', () => {
  let env: ClusterEnv;
  let namespace = '';
  beforeAll(async () => {
    env = await openClusterEnv();
  }, 60_000);
  afterAll(() => env.close());
  afterEach(async () => {
    await cli(['webhook', 'uninstall'], { namespace });
    await kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--timeout=120s'], { namespace });
  }, 150_000);

  const webhook = (...args: string[]): Promise<Ended> => cli(['webhook', ...args], { namespace });
  const admit = async (): Promise<void> => {
    // Its pods are ready, and kube-proxy may hear of it a moment later than who installed it.
    const made = await until(
      () =>
        kubectl(['apply', '--dry-run=server', '-o', 'yaml', '-f', '-'], {
          namespace: env.namespace,
          input: waitingNode('asks', 'asked'),
        }),
      ({ code }) => code === 0,
      20_000,
    );
    expect(made.stdout).toContain('kubectl-redis.io/injected: webhook');
  };

  test('into a namespace that is not there; nowhere else meanwhile; and gone without a trace', async () => {
    namespace = `e2e-hook-${randomBytes(4).toString('hex')}`;
    const installed = await webhook('install', '--image', WEBHOOK_IMAGE);
    expect([installed.code, installed.stdout]).toEqual([0, expect.stringContaining(`in namespace ${namespace}`)]);
    await admit();

    const elsewhere = await cli(['webhook', 'install', '--image', WEBHOOK_IMAGE], env);
    expect([elsewhere.code, elsewhere.stderr]).toEqual([
      3,
      `error: the webhook is installed in namespace ${namespace} already\n` +
        `  try: -n ${namespace} changes that one; kubectl redis webhook uninstall -n ${namespace} removes it\n`,
    ]);
    const notHere = await cli(['webhook', 'uninstall'], env);
    expect([notHere.code, notHere.stderr]).toEqual([
      1,
      expect.stringContaining(`the webhook is in namespace ${namespace}`),
    ]);

    const gone = await webhook('uninstall');
    expect([gone.code, gone.stderr]).toEqual([0, expect.stringContaining(`Namespace ${namespace} deleted`)]);
    await until(
      () => kubectl(['get', CLUSTER_WIDE, '-l', OURS, '-o', 'name'], { namespace }),
      ({ stdout }) => stdout === '',
      60_000,
    );
    expect(await webhook('status')).toMatchObject({ code: 1, stderr: expect.stringContaining('is not installed') });
  }, 240_000);

  test('by kubectl apply -k, also again', async () => {
    namespace = DEFAULT_NAMESPACE;
    const dir = await mkdtemp(join(tmpdir(), 'kustomize-'));
    try {
      await cp(MANIFESTS, join(dir, 'manifests'), { recursive: true });
      const [newName, newTag] = WEBHOOK_IMAGE.split(':');
      const images = [{ name: `docker.io/library/${WEBHOOK_NAME}`, newName, newTag }];
      await writeFile(join(dir, 'kustomization.yaml'), JSON.stringify({ resources: ['manifests'], images }));
      for (const word of ['created', 'unchanged']) {
        const applied = await kubectl(['apply', '-k', dir], { namespace });
        expect([applied.code, applied.stderr, applied.stdout]).toEqual([0, '', expect.stringContaining(word)]);
        await kubectl(['rollout', 'status', `deployment/${WEBHOOK_NAME}`, '--timeout=120s'], { namespace });
        await until(
          () => webhook('status'),
          ({ code }) => code === 0,
          30_000,
        );
        await admit();
      }
    } finally {
      await rm(dir, { recursive: true });
    }
  }, 240_000);

  test('with certificates of cert-manager: its objects are made, what it makes is shown, and renewed', async () => {
    namespace = `e2e-hook-${randomBytes(4).toString('hex')}`;
    const install = (timeout: string): Promise<Ended> =>
      webhook('install', '--image', WEBHOOK_IMAGE, '--cert-manager', '--timeout', timeout);
    const without = await install('5s');
    expect([without.code, without.stderr]).toEqual([1, expect.stringContaining('cert-manager is not installed')]);

    const manager = await pretendCertManager(namespace);
    try {
      // Its pods wait for a certificate, which nobody makes.
      expect((await install('5s')).code).toBe(1);
      for (const round of [1, 2]) {
        await manager.issue();
        await until(
          () => webhook('status'),
          ({ code, stdout }) => code === 0 && stdout.includes(`${round * 30 - 1} days left`),
          90_000,
        );
        await admit();
      }
      expect((await install('60s')).code).toBe(0);
      await webhook('uninstall');
      const left = await kubectl(['get', 'issuers,certificates', '-o', 'name'], { namespace });
      expect(left.stdout).toBe('');
    } finally {
      await manager.close();
    }
  }, 400_000);
});

/** The kinds of cert-manager, and what it would do with them: a Secret, and caBundle. */
async function pretendCertManager(namespace: string): Promise<{ issue(): Promise<void>; close(): Promise<void> }> {
  const kinds = { issuers: 'Issuer', certificates: 'Certificate' };
  const definitions = Object.entries(kinds).map(([plural, kind]) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.cert-manager.io` },
    spec: {
      group: 'cert-manager.io',
      scope: 'Namespaced',
      names: { plural, kind },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: ANYTHING } }],
    },
  }));
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: definitions });
  const names = definitions.map(({ metadata }) => `crd/${metadata.name}`);
  await kubectl(['apply', '-f', '-'], { namespace, input });
  await kubectl(['wait', '--for=condition=Established', ...names, '--timeout=60s'], { namespace });
  let issued = 0;
  return {
    issue: async () => {
      const days = (issued += 30);
      const authority = await makeAuthority(Date.now(), 2 * days * DAY_MS);
      const leaf = await makeLeaf(
        authority,
        serverNames({ serviceName: WEBHOOK_NAME, namespace }),
        Date.now(),
        days * DAY_MS,
      );
      const stringData = { 'tls.crt': leaf.cert, 'tls.key': leaf.key, 'ca.crt': authority.cert };
      const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: SECRET_NAME, namespace }, stringData };
      await kubectl(['apply', '-f', '-'], { namespace, input: JSON.stringify(secret) });
      const caBundle = Buffer.from(authority.cert).toString('base64');
      const patch = [0, 1].map((at) => ({ op: 'add', path: `/webhooks/${at}/clientConfig/caBundle`, value: caBundle }));
      const target = ['mutatingwebhookconfiguration', WEBHOOK_NAME];
      await kubectl(['patch', ...target, '--type=json', '-p', JSON.stringify(patch)], { namespace });
    },
    close: async () => {
      await kubectl(['delete', ...names, '--ignore-not-found', '--timeout=60s'], { namespace });
    },
  };
}

const ANYTHING = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
