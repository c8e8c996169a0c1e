/** Who may take a lease, and when (FINDINGS K15). */
import { describe, expect, test } from '@jest/globals';
import { BOB, during, scene } from './scene.ts';

describe('a lease', () => {
  test('that nobody holds is taken at once, and gone when it was given back', async () => {
    const { ann, bob, clock, lease } = scene();
    const first = await during(clock, ann.acquire('create'));
    expect(lease()).toMatchObject({ spec: { holderIdentity: 'ann@laptop (pid 7)', leaseDurationSeconds: 15 } });
    await during(clock, first.lease.release());
    expect(lease()).toBeUndefined();
    const second = await during(clock, bob.acquire('create'));
    expect([second.lease.isOpen(), second.predecessor, bob.said]).toEqual([true, null, []]);
  });

  test('that looks fresh is refused at once, with the name of its holder', async () => {
    const { ann, bob, clock } = scene();
    await during(clock, ann.acquire('create'));
    await clock.pass(4_000);
    await expect(during(clock, bob.acquire('scale'))).rejects.toMatchObject({
      code: 'operation-in-progress',
      exitCode: 3,
      message: 'ann@laptop (pid 7) is running create on redis',
      hint: expect.stringContaining('Wait until it is done'),
    });
    expect(bob.said).toEqual([]);
  });

  test('that lapsed is taken only after it was seen unchanged for its whole duration', async () => {
    const { ann, bob, clock, lease } = scene();
    const old = await during(clock, ann.acquire('create'));
    ann.network = 'hung';
    await clock.pass(60_000);
    const before = clock.monotonic();
    const taken = await during(clock, bob.acquire('fix'));
    expect(clock.monotonic() - before).toBeGreaterThanOrEqual(15_000);
    expect(bob.said).toEqual([
      'create by ann@laptop (pid 7) looks abandoned, was last heard of at 2026-11-23T10:00:00Z: watching its lease for 15 s before it is taken over',
    ]);
    expect(taken.predecessor).toMatch(/^[0-9a-f-]{36}$/);
    expect(`kubectl-redis:${taken.predecessor}`).toBe(old.lease.connectionName);
    expect(lease()).toMatchObject({ spec: { holderIdentity: BOB.holder } });
  });

  test.each([
    ['60 s ahead', 60_000],
    ['60 s behind', -60_000],
    ['an hour ahead', 3_600_000],
    ['16 s behind', -16_000],
  ])('K15: of a holder whose clock is %s is not taken while it is renewed', async (_, ahead) => {
    const { ann, bob, clock, lease } = scene();
    ann.clock.ahead = ahead;
    const held = await during(clock, ann.acquire('scale'));
    await clock.pass(3_000);
    const before = clock.monotonic();
    await expect(during(clock, bob.acquire('fix'))).rejects.toMatchObject({
      code: 'operation-in-progress',
      message: 'ann@laptop (pid 7) is running scale on redis',
    });
    // As soon as it changes, not at the end of the watch.
    expect(clock.monotonic() - before).toBeLessThanOrEqual(4_000);
    expect(lease()).toMatchObject({ spec: { holderIdentity: 'ann@laptop (pid 7)' } });
    await clock.pass(30_000);
    expect(held.lease.isOpen()).toBe(true);
  });

  test.each([
    ['60 s ahead', 60_000],
    ['60 s behind', -60_000],
  ])('K15: who wants it and has a clock that is %s does not take it while it is renewed', async (_, ahead) => {
    const { ann, bob, clock } = scene();
    bob.clock.ahead = ahead;
    const held = await during(clock, ann.acquire('scale'));
    await clock.pass(7_000);
    await expect(during(clock, bob.acquire('fix'))).rejects.toMatchObject({ code: 'operation-in-progress' });
    await clock.pass(30_000);
    expect(held.lease.isOpen()).toBe(true);
  });

  test('is watched for the duration that it says itself', async () => {
    const { ann, bob, clock, lease, put } = scene();
    await during(clock, ann.acquire('create'));
    ann.network = 'hung';
    await clock.pass(20_000);
    const there = lease();
    if (there === undefined) throw new Error('no lease');
    await put({ ...there, spec: { ...(there['spec'] as object), leaseDurationSeconds: 40 } });
    await clock.pass(60_000);
    const before = clock.monotonic();
    await during(clock, bob.acquire('fix'));
    expect(clock.monotonic() - before).toBeGreaterThanOrEqual(40_000);
  });

  test('that only somebody else annotated meanwhile is taken all the same', async () => {
    const { ann, bob, clock, lease, put } = scene();
    await during(clock, ann.acquire('create'));
    ann.network = 'hung';
    await clock.pass(60_000);
    const taking = bob.acquire('fix');
    await clock.pass(14_000);
    const there = lease();
    if (there === undefined) throw new Error('no lease');
    await put({ ...there, metadata: { ...there.metadata, annotations: { ...there.metadata.annotations, note: 'x' } } });
    expect((await during(clock, taking)).lease.isOpen()).toBe(true);
  });

  test('that is given back while it is watched is taken at once', async () => {
    const { ann, bob, clock, drop } = scene();
    await during(clock, ann.acquire('create'));
    ann.network = 'hung';
    await clock.pass(60_000);
    const before = clock.monotonic();
    const taking = bob.acquire('fix');
    await clock.pass(3_000);
    drop();
    expect((await during(clock, taking)).predecessor).toBeNull();
    expect(clock.monotonic() - before).toBeLessThan(6_000);
  });

  test('that nobody holds any more (holderIdentity is empty) is taken at once', async () => {
    const { bob, clock, put } = scene();
    const meta = { name: 'redis-operation', namespace: 'default' };
    const spec = { holderIdentity: '', renewTime: new Date(clock.now()).toISOString() };
    await put({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: meta, spec });
    const { lease, predecessor } = await during(clock, bob.acquire('fix'));
    expect([lease.isOpen(), predecessor]).toEqual([true, null]);
    expect(bob.said).toEqual([]);
  });

  test.each([{}, { holderIdentity: 'x', renewTime: 'yesterday' }, { holderIdentity: 'x', leaseDurationSeconds: -1 }])(
    'that says no time of renewal is watched for 15 s: %j',
    async (spec) => {
      const { bob, clock, put } = scene();
      const meta = { name: 'redis-operation', namespace: 'default' };
      await put({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: meta, spec });
      const before = clock.monotonic();
      expect((await during(clock, bob.acquire('fix'))).lease.isOpen()).toBe(true);
      const waited = clock.monotonic() - before;
      expect(waited >= 15_000).toBe('holderIdentity' in spec);
    },
  );

  test('whose answer was lost is held all the same', async () => {
    const { ann, clock } = scene();
    const real = ann.kube.create.bind(ann.kube);
    Object.assign(ann.kube, {
      create: async (...args: Parameters<typeof real>) => {
        await real(...args);
        return new Promise((_, reject) =>
          args[1]?.signal?.addEventListener('abort', () => reject(new Error('given up'))),
        );
      },
    });
    const { lease: held } = await during(clock, ann.acquire('create'));
    await during(clock, held.pass());
    expect(held.isOpen()).toBe(true);
  });

  test('that two watch is taken by one of them', async () => {
    const { ann, bob, clock } = scene();
    const gone = await during(clock, ann.acquire('create'));
    ann.network = 'hung';
    await clock.pass(60_000);
    ann.network = 'there';
    const results = await during(clock, Promise.allSettled([ann.acquire('a'), bob.acquire('b')]));
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'operation-in-progress' },
    });
    expect(gone.lease.isOpen()).toBe(false);
  });

  test('whose holder comes back while it is watched stays with it', async () => {
    const { ann, bob, clock } = scene();
    bob.clock.ahead = 100_000;
    const held = await during(clock, ann.acquire('create'));
    ann.network = 'hung';
    await clock.pass(3_000);
    const taking = bob.acquire('fix');
    taking.catch(() => undefined);
    await clock.pass(1_000);
    expect(bob.said).toHaveLength(1);
    ann.network = 'there';
    await expect(during(clock, taking)).rejects.toMatchObject({ code: 'operation-in-progress' });
    expect(held.lease.isOpen()).toBe(true);
  });
});

test('a Ctrl-C ends the watch', async () => {
  const { ann, bob, clock } = scene();
  await during(clock, ann.acquire('create'));
  ann.network = 'hung';
  await clock.pass(60_000);
  const { acquireLease } = await import('../../../../pkg/engine/lease/acquire.ts');
  const abort = new AbortController();
  const taking = acquireLease({
    kube: bob.kube,
    clock,
    cluster: { namespace: 'default', name: 'redis' },
    verb: 'fix',
    identity: BOB,
    tell: () => undefined,
    signal: abort.signal,
  });
  taking.catch(() => undefined);
  await clock.pass(3_000);
  abort.abort();
  await expect(during(clock, taking)).rejects.toThrow('abort');
});
