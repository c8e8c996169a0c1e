/**
 * Two people at two laptops (FINDINGS K15): host names repeat, clocks are wrong, an API server goes away, a lid is
 * closed. At most one of them acts on the cluster at a time. Real servers, real processes; the wires to the servers
 * tell what each of them sends, and when.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Desk, Person } from '../../support/laptops/desk.ts';
import { startDesk } from '../../support/laptops/desk.ts';
import { untilMoving, type Laptop } from '../../support/laptops/laptop.ts';
import { awaitSettled, totalKeys } from '../../support/move-cluster.ts';
import { poll } from '../../support/redis-server.ts';
import { findStrays } from '../../support/strays.ts';

const KEYS = 9_000;
/** Two moves at a time: a third of the keys takes most of a minute. */
const SLOWLY = { maxPauseMs: 10, maxBandwidth: 30_000 };
const QUICKLY = { maxPauseMs: 100, maxBandwidth: null };
/** Takes everything away from the first node. */
const AWAY = ['redis-1-0=0'];

describe('two laptops', () => {
  let desk: Desk;
  let ann: Person;
  let bob: Person;
  beforeAll(async () => {
    desk = await startDesk(KEYS);
    [ann, bob] = [await desk.person(), await desk.person()];
  }, 120_000);
  afterAll(() => desk.stop());

  /** Everything as it was: somebody at the machine of who was last ends what they began. */
  const expectWhole = async (whose: Person): Promise<void> => {
    const last = bob.rebalance({ limits: QUICKLY, files: whose.files });
    expect(await last.ended).toMatchObject({ code: 'done' });
    await awaitSettled(desk.cluster);
    expect(await findStrays(desk.cluster)).toEqual([]);
    expect(await totalKeys(desk.cluster.port, desk.cluster.redis.servers)).toBe(KEYS);
    expect(desk.lease()).toBeNull();
  };

  const expectOneAfterTheOther = (first: Laptop, second: Laptop): void => {
    expect(first.acts.length).toBeGreaterThan(0);
    expect(second.acts.length).toBeGreaterThan(0);
    const late = first.acts.filter(({ at }) => at >= second.span().first);
    expect(late.map(({ words, pod }) => `${pod} ${words.join(' ')}`)).toEqual([]);
  };

  const after = (time: number): Promise<true> =>
    poll('the time', 60_000, async () => (performance.now() > time ? true : null), 100);

  const killed = async (laptop: Laptop): Promise<void> => {
    laptop.kill('SIGKILL');
    await laptop.ended;
  };

  test('one whose API server goes away in the middle of a move stops before the other one begins', async () => {
    const first = ann.rebalance({ weights: AWAY, limits: SLOWLY });
    await untilMoving(first);
    ann.api.hold();
    const heldAt = performance.now();
    // By its own clock the lease lapsed long ago: it watches it from now on.
    const second = bob.rebalance({ limits: QUICKLY, aheadMs: 60_000 });
    expect(await second.ended).toMatchObject({ code: 'done' });
    expectOneAfterTheOther(first, second);
    expect(await first.ended).toMatchObject({ code: 'lease-lost' });
    ann.api.release();
    expect(second.troubles[0]).toMatch(/^rebalance by .* looks abandoned, .*: watching its lease for 15 s/);
    // Ten seconds from before its last renewal, and fifteen from when the other one saw that.
    expect(first.span().last - heldAt).toBeLessThan(11_500);
    expect(second.span().first - heldAt).toBeGreaterThan(15_000);
    await expectWhole(bob);
  }, 120_000);

  test('one whose only way to everything hangs: what it had sent by then comes through to nobody', async () => {
    const first = ann.rebalance({ weights: AWAY, limits: SLOWLY });
    await untilMoving(first);
    for (const wire of [ann.api, ...ann.nodes]) wire.hold();
    const second = bob.rebalance({ weights: ['redis-2-0=0'], limits: SLOWLY, aheadMs: 60_000 });
    await untilMoving(second);
    const before = first.acts.length;
    for (const wire of [...ann.nodes, ann.api]) wire.release();
    expect(await first.ended).toMatchObject({ code: 'lease-lost' });
    await killed(second);
    expect(first.acts.length).toBe(before);
    expectOneAfterTheOther(first, second);
    // There was something under way.
    expect(ann.nodes.reduce((sum, wire) => sum + wire.dropped(), 0)).toBeGreaterThan(0);
    await expectWhole(bob);
  }, 120_000);

  test('one that is stopped in the middle of a move for twenty seconds does nothing any more when it wakes', async () => {
    const first = ann.rebalance({ weights: AWAY, limits: SLOWLY });
    await untilMoving(first);
    first.kill('SIGSTOP');
    const stoppedAt = performance.now();
    const second = bob.rebalance({ weights: ['redis-2-0=0'], limits: SLOWLY, aheadMs: 60_000 });
    await untilMoving(second);
    await after(stoppedAt + 20_000);
    const before = first.acts.length;
    first.kill('SIGCONT');
    expect(await first.ended).toMatchObject({ code: 'lease-lost' });
    await killed(second);
    expect(first.acts.length).toBe(before);
    expectOneAfterTheOther(first, second);
    await expectWhole(bob);
  }, 120_000);

  test('one that is stopped for twenty seconds and whose lease nobody took goes on', async () => {
    const first = ann.rebalance({ weights: AWAY, limits: SLOWLY });
    await untilMoving(first);
    first.kill('SIGSTOP');
    await after(performance.now() + 20_000);
    const before = first.acts.length;
    first.kill('SIGCONT');
    // And for longer than any belief of before.
    const wokeAt = performance.now();
    await poll('it acts on', 30_000, async () => (first.span().last > wokeAt + 12_000 ? true : null));
    expect(first.acts.length).toBeGreaterThan(before);
    await killed(first);
    await expectWhole(ann);
  }, 120_000);

  test.each([
    ['the holder is 60 s ahead', 60_000, 0],
    ['the holder is 60 s behind', -60_000, 0],
    ['the other one is 60 s ahead', 0, 60_000],
    ['the other one is 60 s behind', 0, -60_000],
  ])(
    '%s: the other one is refused for as long as the first one works',
    async (_, holder, other) => {
      const first = ann.rebalance({ weights: AWAY, limits: SLOWLY, aheadMs: holder });
      await untilMoving(first);
      for (let attempt = 0; attempt < 3; attempt++) {
        const second = bob.rebalance({ limits: QUICKLY, aheadMs: other });
        const { code, message } = await second.ended;
        expect({ code, acts: second.acts.length }).toEqual({ code: 'operation-in-progress', acts: 0 });
        expect(message).toContain('is running rebalance on redis');
      }
      const refusedAt = performance.now();
      await poll('the first one works on', 20_000, async () => (first.span().last > refusedAt ? true : null));
      await killed(first);
      await expectWhole(ann);
    },
    120_000,
  );

  test('a dead process of another machine with the same host name is not known to be dead; one of this machine is', async () => {
    const first = ann.rebalance({ weights: AWAY, limits: SLOWLY });
    await untilMoving(first);
    await killed(first);
    const elsewhere = bob.rebalance({ limits: QUICKLY });
    expect(await elsewhere.ended).toMatchObject({ code: 'operation-in-progress' });
    expect(elsewhere.acts).toEqual([]);
    // The same person at the same machine need not wait.
    const before = performance.now();
    const here = bob.rebalance({ limits: QUICKLY, files: ann.files });
    expect(await here.ended).toMatchObject({ code: 'done' });
    // It may wait until all have heard of the epoch that the dead one made; not for the lease.
    expect(here.troubles.filter((trouble) => /lease|rebalance by/.test(trouble))).toEqual([]);
    expect(performance.now() - before).toBeLessThan(15_000);
    expectOneAfterTheOther(first, here);
    await expectWhole(ann);
  }, 120_000);
});
