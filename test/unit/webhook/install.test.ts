import { describe, expect, test } from '@jest/globals';
import { install } from '../../../cmd/webhook/install.ts';
import { readStatus, statusLines } from '../../../cmd/webhook/status.ts';
import { uninstall } from '../../../cmd/webhook/uninstall.ts';
import type { KubeObject, KubePort, PodTrouble } from '../../../pkg/engine/ports.ts';
import { AppError } from '../../../pkg/errors.ts';
import type { Json } from '../../../pkg/pod/inject/pod-json.ts';
import { webhookManifests } from '../../../webhook/manifests.ts';
import { SECRET_NAME } from '../../../webhook/settings.ts';
import { cluster, IMAGE, makeReady, NAMESPACE, OPTIONS } from '../../support/installed-webhook.ts';

describe('install, status, uninstall', () => {
  const NOW = Date.parse('2026-01-01T00:00:00Z');

  test('waits until it answers', async () => {
    const world = cluster();
    let now = 0;
    let waits = 0;
    const sleep = async (ms: number): Promise<void> => {
      now += ms;
      waits += 1;
      if (waits % 3 === 0) await makeReady(world, NOW);
    };
    const deps = {
      kube: world.kube,
      elsewhere: world.kube,
      clock: { now: () => now, monotonic: () => now, sleep },
      signal: new AbortController().signal,
      say: () => undefined,
    };
    await install(OPTIONS, { ...deps, timeoutMs: 10_000 });
    expect(waits).toBe(3);
    // Its pods are ready, and the API server's proxy has not heard of them yet.
    const tries: string[] = [];
    const elsewhere: Pick<KubePort, 'apply'> = {
      apply: (object, options) => {
        tries.push(object.kind);
        const refused = 'failed calling webhook "label.pods.kubectl-redis.io": connection refused';
        return tries.length < 3
          ? Promise.reject(new AppError('x', { code: 'server-error', cause: refused }))
          : world.kube.apply(object, options);
      },
    };
    await install(OPTIONS, { ...deps, elsewhere, timeoutMs: 10_000 });
    expect(tries).toEqual(['Pod', 'Pod', 'Pod']);
    const again = cluster();
    await expect(install(OPTIONS, { ...deps, kube: again.kube, timeoutMs: 100 })).rejects.toThrow(
      /0 of 2 pods are of this version/,
    );
  });

  test('status tells what is and what is wrong', async () => {
    const world = cluster();
    const read = () => readStatus(world.kube, world.kube, 'kubectl-redis-system', NOW);
    expect(await read()).toBeNull();
    for (const object of webhookManifests(OPTIONS)) await world.kube.apply(object);
    const begun = await read();
    expect(begun?.problems).toEqual([expect.stringContaining('0 of 2 pods are of this version')]);
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

  const uninstalled = async (world: ReturnType<typeof cluster>, dryRun = false): Promise<[number, string[]]> => {
    const said: string[] = [];
    const say = (line: string): void => void said.push(line);
    return [await uninstall(NAMESPACE, { kube: world.kube, dryRun, say }), said];
  };
  const installed = async (): Promise<ReturnType<typeof cluster>> => {
    const world = cluster();
    for (const object of webhookManifests({ ...OPTIONS, certManager: true })) await world.kube.apply(object);
    await makeReady(world, NOW);
    return world;
  };

  test('uninstall leaves nothing, and removes the configuration first', async () => {
    const world = await installed();
    const count = world.store.objects.size;
    expect((await uninstalled(world, true))[0]).toBe(count);
    expect(world.store.objects.size).toBe(count);
    const [gone, said] = await uninstalled(world);
    expect([gone, [...world.store.objects.keys()]]).toEqual([count, []]);
    expect(said[0]).toBe('MutatingWebhookConfiguration kubectl-redis-webhook deleted');
    expect(said.slice(-2)).toEqual([`Secret ${SECRET_NAME} deleted`, `Namespace ${NAMESPACE} deleted`]);
  });

  test('uninstall takes nothing of somebody else, and no namespace that holds such a thing', async () => {
    const world = await installed();
    const role = world.store.objects.get('Role/kubectl-redis-webhook') as KubeObject;
    await world.store.apply({ ...role, metadata: { ...role.metadata, labels: {} } });
    // A cluster of `create` has one of the two labels.
    const labels = { 'app.kubernetes.io/name': 'redis', 'app.kubernetes.io/managed-by': 'kubectl-redis' };
    await world.store.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shop-config', labels } });
    const [, said] = await uninstalled(world);
    expect(said).toContain(`Namespace ${NAMESPACE} stays: ConfigMap shop-config is in it`);
    expect([...world.store.objects.keys()].sort()).toEqual([
      'ConfigMap/shop-config',
      `Namespace/${NAMESPACE}`,
      'Role/kubectl-redis-webhook',
    ]);
  });
});

describe('install', () => {
  const NOW = Date.parse('2026-01-01T00:00:00Z');
  const installInto = async (world: ReturnType<typeof cluster>, options: object = {}): Promise<string[]> => {
    const said: string[] = [];
    const say = (line: string): void => void said.push(line);
    const clock = { now: () => 0, monotonic: () => 0, sleep: () => makeReady(world, NOW) };
    const signal = new AbortController().signal;
    await install(
      { ...OPTIONS, ...options },
      { kube: world.kube, elsewhere: world.kube, clock, signal, say, timeoutMs: 1_000 },
    );
    return said;
  };

  test.each([
    [true, 6_000, 'image'],
    [false, 60_000, 'image'],
  ])('says what keeps a pod from being ready: beyond help %s, after %d ms', async (fatal, elapsed, code) => {
    const world = cluster();
    const trouble: PodTrouble = { pod: 'p', code, sentence: 'has no image', evidence: [], fatal };
    const kube = { ...world.kube, whyNotReady: async () => trouble };
    let now = 0;
    const clock = { now: () => now, monotonic: () => now, sleep: async (ms: number) => void (now += ms) };
    const deps = {
      kube,
      elsewhere: kube,
      clock,
      signal: new AbortController().signal,
      say: () => undefined,
      timeoutMs: 60_000,
    };
    await expect(install(OPTIONS, deps)).rejects.toMatchObject({
      code,
      message: 'the webhook does not answer yet: 0 of 2 pods are of this version: pod p has no image',
    });
    expect(Math.abs(now - elapsed)).toBeLessThanOrEqual(500);
    expect((await readStatus(kube, kube, NAMESPACE, NOW))?.problems[0]).toBe(
      `0 of 2 pods are of this version: pod p has no image; see kubectl describe deploy,pods -n ${NAMESPACE}`,
    );
  });

  test('leaves a namespace as it is that was there before', async () => {
    const world = cluster();
    await world.store.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
    expect(await installInto(world)).not.toContain(`Namespace ${NAMESPACE}`);
    expect(world.store.objects.get(`Namespace/${NAMESPACE}`)?.metadata.labels).toBeUndefined();
  });

  test('is refused while it is installed in another namespace', async () => {
    const world = cluster();
    for (const object of webhookManifests({ ...OPTIONS, namespace: 'ops' })) await world.kube.apply(object);
    await expect(installInto(world)).rejects.toMatchObject({ code: 'installed-elsewhere', exitCode: 3 });
  });

  test.each<[string, (object: KubeObject) => KubeObject]>([
    [
      'drops conditions without a word',
      (object) => ({
        ...object,
        webhooks: (object['webhooks'] as Json[]).map((each) => ({ ...each, matchConditions: undefined })),
      }),
    ],
    [
      'refuses conditions',
      () => {
        throw new AppError('x', { code: 'server-error', cause: '.matchConditions: field not declared in schema' });
      },
    ],
  ])('asks by label only where the API server %s', async (_, answer) => {
    const world = cluster();
    const apply: KubePort['apply'] = async (object, options) =>
      options?.dryRun === true ? answer(object) : world.kube.apply(object);
    const said = await installInto({ ...world, kube: { ...world.kube, apply } });
    expect(said[0]).toContain('older than 1.28');
    const seen = world.store.objects.get('MutatingWebhookConfiguration/kubectl-redis-webhook');
    expect(seen?.['webhooks']).toHaveLength(1);
  });

  test('says so where there is no cert-manager', async () => {
    const world = cluster();
    const apply: KubePort['apply'] = async (object, options) => {
      if (!object.apiVersion.startsWith('cert-manager.io/')) return world.kube.apply(object, options);
      throw new AppError('there is no issuers.cert-manager.io', { code: 'not-found', cause: '404 page not found' });
    };
    const attempt = installInto({ ...world, kube: { ...world.kube, apply } }, { certManager: true });
    await expect(attempt).rejects.toMatchObject({ code: 'no-cert-manager' });
  });
});
