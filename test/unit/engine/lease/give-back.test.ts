/** What becomes of a lease when its operation is over (FINDINGS K15). */
import { describe, expect, test } from '@jest/globals';
import { BOB, during, held, scene, takeOver } from './scene.ts';

describe('giving it back', () => {
  test('leaves one alone that somebody else took, of whatever name', async () => {
    const given = scene();
    const lease = await held(given);
    const there = given.lease();
    if (there === undefined) throw new Error('no lease');
    // The same user, host and number: another process all the same.
    const annotations = { ...there.metadata.annotations, 'kubectl-redis.io/holder-id': 'another' };
    await given.put({ ...there, metadata: { ...there.metadata, annotations } });
    await during(given.clock, lease.release());
    expect(given.lease()?.metadata.annotations).toMatchObject({ 'kubectl-redis.io/holder-id': 'another' });
  });

  test('K15: leaves one alone that is taken between its look and its removal', async () => {
    const given = scene();
    const lease = await held(given);
    const real = given.ann.kube.get.bind(given.ann.kube);
    Object.assign(given.ann.kube, {
      get: async (...args: Parameters<typeof real>) => {
        const seen = await real(...args);
        await takeOver(given);
        return seen;
      },
    });
    await during(
      given.clock,
      lease.release().then(() => undefined),
    );
    expect(given.lease()).toMatchObject({ spec: { holderIdentity: BOB.holder } });
  });

  test('waits for a renewal that is under way', async () => {
    const given = scene();
    const lease = await held(given);
    await given.clock.pass(2_000 - (given.clock.monotonic() % 2_000));
    await during(given.clock, lease.release());
    expect(given.lease()).toBeUndefined();
  });

  test.each(['hung', 'refused', 'deaf'] as const)(
    'takes no longer than ten seconds with a server that is %s',
    async (network) => {
      const given = scene();
      const lease = await held(given);
      given.ann.network = network;
      const before = given.clock.monotonic();
      await during(given.clock, lease.release());
      expect(given.clock.monotonic() - before).toBeLessThanOrEqual(10_000);
      await expect(lease.pass()).rejects.toThrow('over');
    },
  );

  test('after it was lost to time alone, so that the next one need not wait', async () => {
    const given = scene();
    const lease = await held(given);
    given.ann.network = 'refused';
    await given.clock.pass(12_000);
    expect(lease.lost.aborted).toBe(true);
    given.ann.network = 'there';
    await during(given.clock, lease.release());
    expect(given.lease()).toBeUndefined();
  });
});
