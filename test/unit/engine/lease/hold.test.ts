/** What the holder of a lease believes, and for how long (FINDINGS K15). */
import { describe, expect, test } from '@jest/globals';
import { AppError, reasonOf } from '../../../../pkg/errors.ts';
import type { HeldLease } from '../../../../pkg/engine/lease/hold.ts';
import { settled } from '../../../support/fake-clock.ts';
import { inTime } from '../../../../pkg/engine/lease/in-time.ts';
import { BOB, during, held, scene, takeOver, type Scene } from './scene.ts';

/** Whether somebody who wants to send something is let through, and how many writes the server got for that. */
async function passed(
  { ann, clock }: Scene,
  lease: HeldLease,
): Promise<{ readonly way: string; readonly writes: number }> {
  const before = ann.writes;
  const ended = (way: string) => ({ way, writes: ann.writes - before });
  const passing = lease.pass().then(
    () => ended('through'),
    (error: { code?: string }) => ended(error.code ?? 'another error'),
  );
  return during(clock, passing);
}

describe('who holds a lease', () => {
  test('renews it every two seconds, for as long as it has it', async () => {
    const given = scene();
    const lease = await held(given);
    const before = given.ann.writes;
    await given.clock.pass(120_000);
    expect([lease.isOpen(), given.ann.writes - before]).toEqual([true, 60]);
    await during(given.clock, lease.release());
    const after = given.ann.writes;
    await given.clock.pass(60_000);
    expect([lease.isOpen(), given.ann.writes - after, given.clock.asleep]).toEqual([false, 0, 0]);
  });

  test.each(['hung', 'refused', 'deaf'] as const)(
    'K15: believes in it for ten seconds when its server is %s, and is told by then, whatever it is doing',
    async (network) => {
      const given = scene();
      const lease = await held(given);
      given.ann.network = network;
      // The last renewal that succeeded began up to two seconds before.
      await given.clock.pass(7_500);
      expect([lease.isOpen(), lease.lost.aborted]).toEqual([true, false]);
      await given.clock.pass(2_500);
      expect([lease.isOpen(), lease.lost.aborted]).toEqual([false, true]);
      const { code, message, cause } = lease.lost.reason as AppError;
      expect([code, message]).toEqual([
        'lease-lost',
        'The lease redis-operation was lost: another operation may be running',
      ]);
      // And why: that somebody may not renew it, or does not reach the server.
      const reasons = {
        hung: /did not answer within 3 s/,
        refused: /connection refused/,
        deaf: /did not answer within 3 s/,
      };
      expect(reasonOf(cause)).toBe('it could not be renewed for 10 s');
      expect(reasonOf((cause as Error).cause)).toMatch(reasons[network]);
      await expect(lease.pass()).rejects.toMatchObject({ code: 'lease-lost' });
    },
  );

  test('K15: counts from before a request was sent: a renewal that took two seconds is good for eight more', async () => {
    const given = scene();
    const { ann, clock } = given;
    const lease = await held(given);
    const real = ann.kube.replace.bind(ann.kube);
    const sent: number[] = [];
    Object.assign(ann.kube, {
      replace: async (...args: Parameters<typeof real>) => {
        if (sent.length > 0) throw new AppError('away', { code: 'unreachable' });
        sent.push(clock.monotonic());
        const stored = await real(...args);
        await clock.sleep(2_000);
        return stored;
      },
    });
    await clock.pass(9_500);
    const [begun = 0] = sent;
    await clock.pass(begun + 9_900 - clock.monotonic());
    expect(lease.isOpen()).toBe(true);
    await clock.pass(100);
    expect([lease.isOpen(), lease.lost.aborted]).toEqual([false, true]);
  });

  test('K15: is not moved by a clock that is set, forth or back', async () => {
    const given = scene();
    const lease = await held(given);
    for (const leap of [3_600_000, -7_200_000, 60_000, -1]) {
      given.ann.clock.ahead += leap;
      expect((await passed(given, lease)).way).toBe('through');
      await given.clock.pass(20_000);
      expect([lease.isOpen(), lease.lost.aborted]).toEqual([true, false]);
    }
  });

  test('K15: a clock that leaps forth makes it ask the server, in case that the machine stood still', async () => {
    const given = scene();
    const lease = await held(given);
    given.ann.clock.ahead += 3_600_000;
    expect(lease.isOpen()).toBe(false);
    await takeOver(given);
    expect((await passed(given, lease)).way).toBe('lease-lost');
  });

  test('an answer that was lost is no loss: the server says whose it is', async () => {
    const given = scene();
    const lease = await held(given);
    given.ann.network = 'deaf';
    await given.clock.pass(6_000);
    given.ann.network = 'there';
    await given.clock.pass(30_000);
    expect([lease.isOpen(), lease.lost.aborted]).toEqual([true, false]);
  });

  test('nor is an annotation that somebody put on it', async () => {
    const given = scene();
    const lease = await held(given);
    const there = given.lease();
    if (there === undefined) throw new Error('no lease');
    await given.put({ ...there, metadata: { ...there.metadata, labels: { team: 'a' } } });
    await given.clock.pass(30_000);
    expect([lease.isOpen(), given.lease()?.metadata.labels]).toEqual([true, { team: 'a' }]);
  });

  test.each(['taken', 'deleted'])('is told within three seconds when it is %s', async (how) => {
    const given = scene();
    const lease = await held(given);
    if (how === 'taken') await takeOver(given);
    else given.drop();
    await given.clock.pass(3_000);
    expect([lease.isOpen(), lease.lost.aborted]).toEqual([false, true]);
    const why = how === 'taken' ? 'bob@desk (pid 9) is running scale now' : 'somebody deleted it';
    expect(reasonOf((lease.lost.reason as AppError).cause)).toBe(why);
    const before = given.ann.writes;
    await given.clock.pass(60_000);
    expect(given.ann.writes).toBe(before);
  });

  test('tells how far it is with its renewals', async () => {
    const given = scene();
    const lease = await held(given);
    lease.tell('move slots: 12 of 100 slots');
    await given.clock.pass(3_000);
    const told = given.lease()?.metadata.annotations?.['kubectl-redis.io/progress'];
    expect(told).toBe('move slots: 12 of 100 slots');
  });
});

describe('K15: a process that could not run', () => {
  test.each([11, 20, 3_600])(
    'for %d s asks before it sends anything, and goes on when nobody took it',
    async (seconds) => {
      const given = scene();
      const lease = await held(given);
      given.clock.block(seconds * 1_000);
      expect(lease.isOpen()).toBe(false);
      expect(await passed(given, lease)).toEqual({ way: 'through', writes: 1 });
      await given.clock.pass(30_000);
      expect([lease.isOpen(), lease.lost.aborted]).toEqual([true, false]);
    },
  );

  test('stops when somebody did', async () => {
    const given = scene();
    const lease = await held(given);
    given.clock.block(20_000);
    await takeOver(given);
    expect(await passed(given, lease)).toEqual({ way: 'lease-lost', writes: 1 });
    expect(given.lease()).toMatchObject({ spec: { holderIdentity: BOB.holder } });
  });

  test.each([
    [
      'a later run has it',
      true,
      /^this process stood still for (19|20) s or more, and bob@desk \(pid 9\) is running scale now$/,
    ],
    [
      'a later run had it and gave it back, or somebody deleted it: nobody can know',
      false,
      /^this process stood still for (19|20) s or more, and it was not renewed for 2\d s: a later run took it over and has ended, or somebody deleted it$/,
    ],
  ])('and says so: %s', async (_, there, why) => {
    const given = scene();
    const lease = await held(given);
    given.clock.block(20_000);
    if (there) await takeOver(given);
    else given.drop();
    expect((await passed(given, lease)).way).toBe('lease-lost');
    expect(reasonOf((lease.lost.reason as AppError).cause)).toMatch(why);
  });

  test('and whose server is away afterwards says both', async () => {
    const given = scene();
    const lease = await held(given);
    given.clock.block(20_000);
    given.ann.network = 'refused';
    await passed(given, lease);
    expect(reasonOf((lease.lost.reason as AppError).cause)).toMatch(
      /^this process stood still for \d+ s or more, and then it could not be renewed for 10 s/,
    );
  });

  test('in the middle of a request does not say that the server did not answer', async () => {
    const { clock } = scene();
    const asked = inTime(clock, 3_000, new AbortController().signal, () => new Promise(() => undefined));
    const failed = expect(asked).rejects.toThrow(
      'No answer of the API server was read: this process stood still for 17 s or more',
    );
    clock.block(20_000);
    await clock.pass(0);
    await failed;
  });

  test('a machine that slept, by the clock of the wall alone', async () => {
    const { clock } = scene();
    const asked = inTime(clock, 3_000, new AbortController().signal, () => new Promise(() => undefined));
    const failed = expect(asked).rejects.toThrow(/No answer .* was read: the clock of this machine went 60 s ahead/);
    clock.ahead += 60_000;
    await clock.pass(3_000);
    await failed;
  });

  test('is not taken for one whose server is away by what its timers see first', async () => {
    const given = scene();
    const lease = await held(given);
    given.clock.block(20_000);
    // Its timers wake before anybody wants to send anything.
    await given.clock.pass(0);
    expect(lease.lost.aborted).toBe(false);
    await given.clock.pass(2_000);
    expect(lease.isOpen()).toBe(true);
  });

  test('whose answer came while it slept asks once more: that renewal is old', async () => {
    const given = scene();
    const { ann, clock } = given;
    const lease = await held(given);
    const real = ann.kube.replace.bind(ann.kube);
    let calls = 0;
    Object.assign(ann.kube, {
      replace: (...args: Parameters<typeof real>) => {
        calls += 1;
        const answer = real(...args);
        // Asked, and stopped at once.
        if (calls === 1) clock.block(20_000);
        return answer;
      },
    });
    await clock.pass(2_000);
    await settled();
    expect(lease.lost.aborted).toBe(false);
    expect((await passed(given, lease)).way).toBe('through');
    expect([calls >= 2, lease.isOpen()]).toEqual([true, true]);
  });

  test('and whose server is away when it wakes waits for it, ten seconds and no longer, and sends nothing', async () => {
    const given = scene();
    const lease = await held(given);
    given.clock.block(20_000);
    given.ann.network = 'refused';
    const waiting = passed(given, lease);
    const before = given.clock.monotonic();
    expect((await waiting).way).toBe('lease-lost');
    const waited = given.clock.monotonic() - before;
    expect([waited >= 9_000, waited <= 13_000]).toEqual([true, true]);
  });

  test('whose server comes back in that time goes on', async () => {
    const given = scene();
    const lease = await held(given);
    given.clock.block(20_000);
    given.ann.network = 'refused';
    const waiting = lease.pass();
    await given.clock.pass(6_000);
    given.ann.network = 'there';
    await given.clock.pass(1_000);
    await expect(waiting).resolves.toBeUndefined();
    expect(lease.isOpen()).toBe(true);
  });
});
