/**
 * The lease of an operation at a real API server: what it lets through, and whom it tells that somebody else was
 * faster.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { systemClock } from '../../pkg/engine/clock.ts';
import { acquireLease, type Acquired } from '../../pkg/engine/lease/acquire.ts';
import type { KubePort } from '../../pkg/engine/ports.ts';
import { AppError } from '../../pkg/errors.ts';
import { describeCore, openClusterEnv, until, type ClusterEnv } from '../support/cluster-env.ts';

const LEASE = ['coordination.k8s.io/v1', 'Lease', 'shop-operation'] as const;

describeCore('the lease of an operation', () => {
  let env: ClusterEnv;
  beforeAll(async () => {
    env = await openClusterEnv();
  }, 60_000);
  afterAll(() => env.close());

  const acquire = (holder: string, kube: KubePort = env.kube, told: string[] = []): Promise<Acquired> =>
    acquireLease({
      kube,
      clock: systemClock,
      cluster: { namespace: env.namespace, name: 'shop' },
      verb: 'scale',
      identity: { holder, process: null },
      tell: (sentence) => told.push(sentence),
      signal: new AbortController().signal,
    });
  const there = (): ReturnType<KubePort['get']> => env.kube.get(...LEASE);

  test('is renewed, refused to others, and gone when it was given back', async () => {
    const { lease } = await acquire('ann');
    const before = await there();
    await expect(acquire('bob')).rejects.toMatchObject({ code: 'operation-in-progress' });
    lease.tell('half of it');
    const after = await until(
      there,
      (found) => found?.metadata.annotations?.['kubectl-redis.io/progress'] === 'half of it',
      10_000,
    );
    expect(after?.metadata.uid).toBe(before?.metadata.uid);
    expect(after?.metadata.resourceVersion).not.toBe(before?.metadata.resourceVersion);
    await lease.release();
    expect(await there()).toBeNull();
  });

  test('two that want it at the same moment: one gets it, ten times', async () => {
    for (let round = 0; round < 10; round++) {
      const results = await Promise.allSettled([acquire('ann'), acquire('bob')]);
      const [winner, ...more] = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      expect([winner === undefined, more.length]).toEqual([false, 0]);
      await winner?.lease.release();
    }
  });

  test('annotated by somebody else it is still the holder’s; deleted by hand it is lost', async () => {
    const { lease } = await acquire('ann');
    const label = async (): Promise<void> => {
      const found = await there();
      if (found === null) throw new Error('no lease');
      await env.kube.replace({
        ...found,
        metadata: { ...found.metadata, labels: { ...found.metadata.labels, team: 'a' } },
      });
    };
    // The holder writes it, too: whoever is second tries again.
    await until(
      () =>
        label().then(
          () => true,
          (error: unknown) => !(error instanceof AppError && error.code === 'conflict'),
        ),
      Boolean,
      10_000,
    );
    const version = (await there())?.metadata.resourceVersion;
    await until(there, (found) => found?.metadata.resourceVersion !== version, 10_000);
    expect([lease.isOpen(), (await there())?.metadata.labels?.['team']]).toEqual([true, 'a']);
    await env.kube.remove(...LEASE);
    await until(async () => lease.lost.aborted, Boolean, 10_000);
    await lease.release();
    expect(await there()).toBeNull();
  }, 60_000);

  test('K15: of a holder that is cut off it is taken over, and that one leaves its successor’s alone', async () => {
    let cut = false;
    const far: KubePort = {
      ...env.kube,
      replace: (...args) =>
        cut ? Promise.reject(new AppError('cut off', { code: 'server-unreachable' })) : env.kube.replace(...args),
    };
    const { lease } = await acquire('ann', far);
    cut = true;
    await until(async () => lease.lost.aborted, Boolean, 15_000);
    const told: string[] = [];
    const second = await until(
      () => acquire('bob', env.kube, told).catch(() => null),
      (found) => found !== null,
      60_000,
    );
    expect(told.at(-1)).toContain('by ann looks abandoned');
    await lease.release();
    expect((await there())?.['spec']).toMatchObject({ holderIdentity: 'bob' });
    expect(`kubectl-redis:${second?.predecessor}`).toBe(lease.connectionName);
    await second?.lease.release();
    expect(await there()).toBeNull();
  }, 120_000);

  test('K15: removed only as it was when it was read', async () => {
    const { lease } = await acquire('ann');
    const read = await there();
    await until(there, (found) => found?.metadata.resourceVersion !== read?.metadata.resourceVersion, 10_000);
    const { uid = '', resourceVersion = '' } = read?.metadata ?? {};
    expect(await env.kube.remove(...LEASE, { uid, resourceVersion })).toBe(false);
    expect(await there()).not.toBeNull();
    await lease.release();
  });
});
