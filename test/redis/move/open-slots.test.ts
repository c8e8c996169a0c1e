/** Slots that something left open, and a limit on bytes: what only MIGRATE has to do with. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { slotOfKey } from '../../../cmd/slot-lookup.ts';
import { ALL_OUT, keysIn, totalKeys } from '../../support/move-cluster.ts';
import { findStrays } from '../../support/strays.ts';
import { RANGE, at, cluster, codeOf, load, run, start } from './scene.ts';
import { BINARIES } from './servers.ts';

describe.each(BINARIES)('slots that are open already, $name', ({ server }) => {
  let keys: readonly string[] = [];
  beforeEach(async () => {
    await start(server);
    await load(400);
    keys = keysIn([RANGE], 400);
  });

  async function split(slot: number): Promise<string> {
    const [source, target] = [cluster.end(0), cluster.end(1)];
    await at(1, ['CLUSTER', 'SETSLOT', slot, 'IMPORTING', source.nodeId]);
    await at(0, ['CLUSTER', 'SETSLOT', slot, 'MIGRATING', target.nodeId]);
    const [key = ''] = keys.filter((one) => slotOfKey(one) === slot);
    await at(0, ['MIGRATE', target.ip, target.port, '', 0, 1000, 'COPY', 'KEYS', key]);
    return key;
  }

  test('a key on both sides of a properly open slot: the source counts', async () => {
    const key = await split(7);
    await at(0, ['SET', key, 'newer']);
    await run(ALL_OUT);
    expect(await at(1, ['GET', key])).toEqual(['newer']);
    expect(await totalKeys(cluster.port, cluster.redis.servers)).toBe(400);
    expect(await findStrays(cluster)).toEqual([]);
  });

  test('a source that forgot: a differing copy is never overwritten unsaved, an equal one is', async () => {
    const [equal, differing] = [await split(8), await split(9)];
    await at(0, ['CLUSTER', 'SETSLOT', 8, 'STABLE'], ['CLUSTER', 'SETSLOT', 9, 'STABLE'], ['SET', differing, 'newer']);
    expect(await codeOf(run(ALL_OUT))).toBe('key-conflict');
    const [[ours], [, theirs]] = await Promise.all([at(0, ['GET', differing]), at(1, ['ASKING'], ['GET', differing])]);
    expect([ours, String(theirs).startsWith('value of')]).toEqual(['newer', true]);
    await at(1, ['ASKING'], ['DEL', differing]);
    await run(ALL_OUT);
    expect(await at(1, ['GET', differing], ['EXISTS', equal])).toEqual(['newer', 1]);
    expect(await totalKeys(cluster.port, cluster.redis.servers)).toBe(400);
    expect(await findStrays(cluster)).toEqual([]);
  });

  test('the target took the slot and nobody else was told; and the other way round', async () => {
    const [source, target] = [cluster.end(0), cluster.end(1)];
    for (const slot of [20, 21]) {
      await at(1, ['CLUSTER', 'SETSLOT', slot, 'IMPORTING', source.nodeId]);
      await at(0, ['CLUSTER', 'SETSLOT', slot, 'MIGRATING', target.nodeId]);
      const moved = keys.filter((one) => slotOfKey(one) === slot);
      await at(0, ['MIGRATE', target.ip, target.port, '', 0, 1000, 'KEYS', ...moved]);
    }
    await at(1, ['CLUSTER', 'SETSLOT', 20, 'NODE', target.nodeId]);
    await at(0, ['CLUSTER', 'SETSLOT', 21, 'NODE', target.nodeId]);
    await run(ALL_OUT);
    expect(await totalKeys(cluster.port, [cluster.server(1)])).toBe(400);
    expect(await findStrays(cluster)).toEqual([]);
  });

  test('a bandwidth is kept to', async () => {
    await load(4000, (key) => ['SET', key, 'x'.repeat(1000)]);
    const from = performance.now();
    const { bytes } = await run({ maxPauseMs: 10, maxBandwidth: 4_000_000 });
    const seconds = (performance.now() - from) / 1000;
    expect(bytes).toBeGreaterThan(4_000_000);
    expect(bytes / seconds).toBeLessThan(4_000_000 * 1.2);
  });
});
