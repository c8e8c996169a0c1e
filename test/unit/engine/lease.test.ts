import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { acquireLease, ownIdentity, type Identity } from '../../../pkg/engine/lease.ts';
import type { Clock, KubePort } from '../../../pkg/engine/ports.ts';
import { underLease } from '../../../pkg/engine/operation.ts';
import { poll } from '../../support/redis-server.ts';
import { createObjectStore } from '../../support/fake-kube.ts';

const CLUSTER = { namespace: 'default', name: 'redis' };
const ANN: Identity = { holder: 'ann@laptop (pid 7)', process: 'laptop/pid:[1] 7' };
const BOB: Identity = { holder: 'bob@desk (pid 9)', process: 'desk/pid:[2] 9' };

function setUp(): {
  kube: KubePort;
  clock: Clock & { at: number };
  objects: ReturnType<typeof createObjectStore>['objects'];
} {
  const store = createObjectStore();
  const clock = { at: Date.parse('2026-11-23T10:00:00Z'), now: () => clock.at, sleep: async () => undefined };
  return { kube: store as unknown as KubePort, clock, objects: store.objects };
}

describe('lease', () => {
  test('a second operation is refused with the name of the holder and when it lapses', async () => {
    const { kube, clock } = setUp();
    const lease = await acquireLease(kube, clock, CLUSTER, 'create', ANN);
    clock.at += 4000;
    await expect(acquireLease(kube, clock, CLUSTER, 'scale', BOB)).rejects.toMatchObject({
      code: 'operation-in-progress',
      exitCode: 3,
      message: 'ann@laptop (pid 7) is running create on redis',
      hint: 'Wait until it is done; if that process is gone, its lease lapses in 11 s',
    });
    await lease.release();
  });

  test('released, it is gone and the next one gets it', async () => {
    const { kube, clock, objects } = setUp();
    await (await acquireLease(kube, clock, CLUSTER, 'create', ANN)).release();
    expect([...objects.keys()]).toEqual([]);
    const next = await acquireLease(kube, clock, CLUSTER, 'create', BOB);
    expect(() => next.assertHeld()).not.toThrow();
    await next.release();
  });

  test('a lapsed lease is taken over, its loser stops and does not release the winner', async () => {
    const { kube, clock, objects } = setUp();
    const loser = await acquireLease(kube, clock, CLUSTER, 'create', ANN);
    clock.at += 16_000;
    const winner = await acquireLease(kube, clock, CLUSTER, 'fix', BOB);
    expect(() => loser.assertHeld()).toThrow('The lease redis-operation was lost');
    await loser.release();
    expect(objects.get('Lease/redis-operation')).toMatchObject({ spec: { holderIdentity: BOB.holder } });
    expect(() => winner.assertHeld()).not.toThrow();
    await winner.release();
  });

  test('of two that want a lapsed lease, one gets it', async () => {
    const { kube, clock } = setUp();
    await acquireLease(kube, clock, CLUSTER, 'create', ANN);
    clock.at += 20_000;
    const results = await Promise.allSettled([
      acquireLease(kube, clock, CLUSTER, 'a', BOB),
      acquireLease(kube, clock, CLUSTER, 'b', { holder: 'eve@x (pid 1)', process: 'x/1 1' }),
    ]);
    expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(results.find((result) => result.status === 'rejected')).toMatchObject({
      reason: { code: 'operation-in-progress' },
    });
  });

  test('the lease of a process of this machine that has died is taken at once', async () => {
    const { kube, clock } = setUp();
    const dead = spawnSync('true').pid;
    const place = ownIdentity().process.replace(/ \d+$/, '');
    await acquireLease(kube, clock, CLUSTER, 'create', { holder: 'me, before', process: `${place} ${dead}` });
    const lease = await acquireLease(kube, clock, CLUSTER, 'create', ownIdentity());
    expect(() => lease.assertHeld()).not.toThrow();
    await lease.release();
  });

  test('the lease of a living process of this machine is not', async () => {
    const { kube, clock } = setUp();
    const place = ownIdentity().process.replace(/ \d+$/, '');
    const lease = await acquireLease(kube, clock, CLUSTER, 'create', {
      holder: 'parent',
      process: `${place} ${process.ppid}`,
    });
    await expect(acquireLease(kube, clock, CLUSTER, 'create', ownIdentity())).rejects.toMatchObject({
      code: 'operation-in-progress',
    });
    await lease.release();
  });

  test('what the holder tells of its progress is there for everybody; the loser hears of its loss by itself', async () => {
    const { kube, clock, objects } = setUp();
    const loser = await acquireLease(kube, clock, CLUSTER, 'scale', ANN);
    loser.tell('move slots: 12 of 100 slots');
    await poll('the progress', 10_000, async () =>
      objects.get('Lease/redis-operation')?.metadata.annotations?.['kubectl-redis.io/progress'] ===
      'move slots: 12 of 100 slots'
        ? true
        : null,
    );
    clock.at += 16_000;
    const winner = await acquireLease(kube, clock, CLUSTER, 'fix', BOB);
    expect(objects.get('Lease/redis-operation')?.metadata.annotations).not.toHaveProperty('kubectl-redis.io/progress');
    expect(loser.lost.aborted).toBe(false);
    await poll('the loss', 10_000, async () => (loser.lost.aborted ? true : null));
    expect(loser.lost.reason).toMatchObject({ code: 'lease-lost' });
    await Promise.all([loser.release(), winner.release()]);
  }, 30_000);

  test('under a lease: work that runs when it is lost is told to stop, and the loss is the error', async () => {
    const { kube, clock } = setUp();
    const working = underLease(
      { kube, clock },
      CLUSTER,
      'scale',
      { report: () => undefined, signal: new AbortController().signal },
      ({ signal }) =>
        new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped')))),
    );
    // Whoever reads the error comes later.
    working.catch(() => undefined);
    await poll('it is taken', 10_000, async () =>
      (await kube.get('', 'Lease', 'redis-operation')) === null ? null : true,
    );
    clock.at += 16_000;
    const winner = await acquireLease(kube, clock, CLUSTER, 'fix', BOB);
    await expect(working).rejects.toMatchObject({ code: 'lease-lost' });
    await winner.release();
  }, 30_000);
});
