import { describe, expect, test } from '@jest/globals';
import type { KubeObject } from '../../../pkg/engine/ports.ts';
import { AppError } from '../../../pkg/errors.ts';
import { isTrusted, makeLeaf, namesOf, validityOf } from '../../../webhook/certificate/authority.ts';
import { keepCertificates, type KeeperDeps, type Shown } from '../../../webhook/certificate/keeper.ts';
import { bundleOf, renew, renewalPolicy, type CertificateState } from '../../../webhook/certificate/renewal.ts';
import { createObjectStore, type ObjectStore } from '../../support/fake-kube.ts';

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;
const NAMES = ['webhook.system.svc', 'webhook.system.svc.cluster.local'];
const START = Date.parse('2026-01-01T00:00:00Z');

interface World {
  now: number;
  readonly store: ObjectStore;
  readonly deps: KeeperDeps;
}

async function worldOf(own = true): Promise<World> {
  const store = createObjectStore();
  const webhooks = [
    { name: 'a', clientConfig: { service: {} } },
    { name: 'b', clientConfig: {} },
  ];
  await store.create({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: 'hook' },
    webhooks,
  });
  const world: World = {
    now: START,
    store,
    deps: {
      kube: store,
      clock: { now: () => world.now },
      policy: renewalPolicy(NAMES),
      secretName: 'tls',
      configurationName: 'hook',
      own,
    },
  };
  return world;
}

function bundlesOf({ store }: World): string[] {
  const webhooks = store.objects.get('MutatingWebhookConfiguration/hook')?.['webhooks'] as {
    clientConfig: { caBundle?: string };
  }[];
  return webhooks.map(({ clientConfig }) => Buffer.from(clientConfig.caBundle ?? '', 'base64').toString());
}

function certificatesIn(bundle: string): string[] {
  return bundle.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
}

/** Whether a client that trusts the bundle would be served. */
function serves(shown: Shown, bundle: string, now: number): boolean {
  return certificatesIn(bundle).some((authority) => isTrusted(shown.leaf.cert, authority, now));
}

test('through renewals of leaf and authority no admission fails, with a replica and an API server that are behind', async () => {
  const world = await worldOf();
  const policy = { ...world.deps.policy, authorityMs: 60 * DAY, leafMs: 9 * DAY };
  const deps = { ...world.deps, policy };
  let late = await keepCertificates(deps);
  let behind = bundlesOf(world)[0] ?? '';
  const authorities = new Set<string>();
  const leaves = new Set<string>();
  let failed = 0;
  for (; world.now < START + 130 * DAY; world.now += 12 * HOUR) {
    const first = await keepCertificates(deps);
    const latest = bundlesOf(world)[0] ?? '';
    // The second replica still shows what it did twelve hours ago, and one API server still trusts what it did then.
    for (const shown of [first, late]) {
      for (const bundle of [behind, latest]) failed += serves(shown, bundle, world.now) ? 0 : 1;
    }
    late = await keepCertificates(deps);
    behind = latest;
    for (const authority of certificatesIn(latest)) authorities.add(authority);
    leaves.add(first.leaf.cert);
  }
  expect(failed).toBe(0);
  expect(authorities.size).toBeGreaterThanOrEqual(3);
  expect(leaves.size).toBeGreaterThanOrEqual(15);
}, 60_000);

describe('renewal', () => {
  const policy = renewalPolicy(NAMES);
  const begun = (): Promise<CertificateState> => renew(null, START, policy);

  test('does nothing while there is nothing to do', async () => {
    const state = await begun();
    expect(await renew(state, START + 59 * DAY, policy)).toBe(state);
    expect(namesOf(state.leaf.cert)).toEqual(NAMES);
  });

  test('a leaf with a third of its life left is replaced, by the same authority', async () => {
    const state = await begun();
    const later = await renew(state, START + 61 * DAY, policy);
    expect(later.authorities).toEqual(state.authorities);
    expect(later.leaf).not.toEqual(state.leaf);
  });

  test('a new authority signs nothing until it was published for a day', async () => {
    const state = await begun();
    const now = START + 2.1 * 365 * DAY;
    const old = { ...state, leaf: (await renew({ ...state }, START, { ...policy, names: ['x'] })).leaf };
    const lasting = { ...old, leaf: (await renew(null, now, policy)).leaf };
    const [authority] = state.authorities;
    if (authority === undefined) throw new Error('an authority');
    const two = await renew({ ...lasting, leaf: await makeLeaf(authority, NAMES, now, policy.leafMs) }, now, policy);
    expect(two.authorities).toHaveLength(2);
    expect(two.publishedAt).toBeNull();
    expect(await renew(two, now + 5 * DAY, policy)).toBe(two);
    const published = { ...two, publishedAt: now };
    expect(await renew(published, now + DAY - 1, policy)).toBe(published);
    const changed = await renew(published, now + DAY, policy);
    expect(isTrusted(changed.leaf.cert, two.authorities[1]?.cert ?? '', now + DAY)).toBe(true);
    expect((await renew(changed, now + DAY + HOUR, policy)).authorities).toHaveLength(2);
    expect((await renew(changed, now + 2 * DAY, policy)).authorities).toEqual([two.authorities[1]]);
  });

  test('after years of sleep it begins anew', async () => {
    const state = await begun();
    const now = START + 4 * 365 * DAY;
    const anew = await renew(state, now, policy);
    expect(bundleOf(anew)).not.toBe(bundleOf(state));
    expect(validityOf(anew.leaf.cert).notAfter).toBeGreaterThan(now);
  });

  test('other names, another leaf', async () => {
    const state = await begun();
    const other = await renew(state, START, { ...policy, names: ['other.svc'] });
    expect(namesOf(other.leaf.cert)).toEqual(['other.svc']);
  });
});

describe('the keeper', () => {
  test('two replicas that begin at once agree', async () => {
    const world = await worldOf();
    const shown = await Promise.all([keepCertificates(world.deps), keepCertificates(world.deps)]);
    expect(shown[0]?.bundle).toBe(shown[1]?.bundle);
    expect(bundlesOf(world)).toEqual([shown[0]?.bundle, shown[0]?.bundle]);
  });

  test('a second round writes nothing', async () => {
    const world = await worldOf();
    await keepCertificates(world.deps);
    const versions = (): unknown[] => [...world.store.objects.values()].map(({ metadata }) => metadata.resourceVersion);
    const before = versions();
    await keepCertificates(world.deps);
    expect(versions()).toEqual(before);
  });

  test('puts back a caBundle and makes up for a damaged Secret', async () => {
    const world = await worldOf();
    const { bundle } = await keepCertificates(world.deps);
    const configuration = world.store.objects.get('MutatingWebhookConfiguration/hook') as KubeObject;
    await world.store.apply({ ...configuration, webhooks: [{ name: 'a', clientConfig: { caBundle: 'eA==' } }] });
    await keepCertificates(world.deps);
    expect(bundlesOf(world)).toEqual([bundle]);
    await world.store.apply({
      ...(world.store.objects.get('Secret/tls') as KubeObject),
      data: { 'state.json': 'eA==' },
    });
    const anew = await keepCertificates(world.deps);
    expect(bundlesOf(world)).toEqual([anew.bundle]);
    expect(anew.bundle).not.toBe(bundle);
  });

  test('without its configuration it fails, and says what to do', async () => {
    const world = await worldOf();
    world.store.objects.delete('MutatingWebhookConfiguration/hook');
    await expect(keepCertificates(world.deps)).rejects.toThrow(/hook is not there/);
  });

  test('certificates of somebody else are shown and not touched', async () => {
    const world = await worldOf(false);
    await expect(keepCertificates(world.deps)).rejects.toThrow(AppError);
    const data = Object.fromEntries(
      Object.entries({ 'tls.crt': 'C', 'tls.key': 'K', 'ca.crt': 'A' }).map(([key, value]) => [
        key,
        Buffer.from(value).toString('base64'),
      ]),
    );
    await world.store.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'tls' }, data });
    expect(await keepCertificates(world.deps)).toEqual({ leaf: { cert: 'C', key: 'K' }, bundle: 'A' });
    expect(bundlesOf(world)).toEqual(['', '']);
  });
});
