/** Slots that something left open, and a limit on bytes: what only MIGRATE has to do with. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { slotOfKey } from '../../../cmd/slot-lookup.ts';
import type { MoveProgress, RedisCommand } from '../../../pkg/engine/ports.ts';
import type { KeyConflict } from '../../../pkg/redis/move/conflicts.ts';
import { ALL_OUT, keysIn, totalKeys } from '../../support/move-cluster.ts';
import { findStrays } from '../../support/strays.ts';
import { RANGE, at, cluster, codeOf, load, run, start } from './scene.ts';
import { BINARIES, BY_MIGRATE } from './servers.ts';

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

  // The source was started again with older data, or a MIGRATE that was given up arrived late: who knows which one is newer?
  test('a key on both sides of a properly open slot: no copy is replaced unsaved', async () => {
    const [key, equal] = [await split(7), await split(8)];
    await at(1, ['ASKING'], ['SET', key, 'written at the target']);
    expect(await codeOf(run(ALL_OUT))).toBe('key-conflict');
    const [[ours], [, theirs]] = await Promise.all([at(0, ['GET', key]), at(1, ['ASKING'], ['GET', key])]);
    expect([String(ours).startsWith('value of'), theirs]).toEqual([true, 'written at the target']);
    await at(1, ['ASKING'], ['DEL', key]);
    await run(ALL_OUT);
    expect(await at(1, ['GET', key], ['EXISTS', equal])).toEqual([ours, 1]);
    expect(await totalKeys(cluster.port, cluster.redis.servers)).toBe(400);
    expect(await findStrays(cluster)).toEqual([]);
  });

  test('where copies can be saved, the source counts and the move goes on, however many keys are on both sides', async () => {
    await cluster.stop();
    const saved: KeyConflict[] = [];
    await start(server, { saveConflict: (conflict) => Promise.resolve(void saved.push(conflict)) });
    await load(12_000);
    const [source, target] = [cluster.end(0), cluster.end(1)];
    const both = keysIn([RANGE], 12_000).filter((one) => slotOfKey(one) >= 150);
    for (let slot = 150; slot <= RANGE.end; slot++) {
      await at(1, ['CLUSTER', 'SETSLOT', slot, 'IMPORTING', source.nodeId]);
      await at(0, ['CLUSTER', 'SETSLOT', slot, 'MIGRATING', target.nodeId]);
    }
    await at(1, ...both.flatMap((key): RedisCommand[] => [['ASKING'], ['SET', key, `of the target ${key}`]]));
    await run(ALL_OUT);
    expect(new Set(saved.map(({ key }) => key.toString()))).toEqual(new Set(both));
    expect(saved).toHaveLength(both.length);
    expect(await at(1, ...both.map((key): RedisCommand => ['GETRANGE', key, 0, 7]))).toEqual(
      both.map(() => 'value of'),
    );
    expect(await totalKeys(cluster.port, [cluster.server(1)])).toBe(12_000);
    expect(await findStrays(cluster)).toEqual([]);
  });

  test.each([['a slot that is under way'], ['a slot whose turn has not come']])(
    'somebody else begins to move %s to a third node: it is left to them',
    async (which) => {
      await cluster.stop();
      await start(server, { empty: 2 });
      await load(8000, (key) => ['SET', key, 'x'.repeat(10_000)]);
      const [source, third] = [cluster.end(0), cluster.end(2)];
      const slot = which.includes('under way') ? RANGE.start : RANGE.end;
      const marking: Promise<unknown>[] = [];
      const begin = async (): Promise<void> => {
        await at(2, ['CLUSTER', 'SETSLOT', slot, 'IMPORTING', source.nodeId]);
        await at(0, ['CLUSTER', 'SETSLOT', slot, 'MIGRATING', third.nodeId]);
      };
      const onProgress = ({ keys: moved }: MoveProgress): void => {
        if (moved > 0 && marking.length === 0) marking.push(begin());
      };
      expect(await codeOf(run(BY_MIGRATE, { onProgress }))).toBe('moved-by-others');
      await Promise.all(marking);
      const [nodes] = await at(0, ['CLUSTER', 'NODES']);
      expect(String(nodes)).toContain(`[${slot}->-${third.nodeId}]`);
      expect(await totalKeys(cluster.port, cluster.redis.servers)).toBeGreaterThanOrEqual(8000);
      await at(0, ['CLUSTER', 'SETSLOT', slot, 'STABLE']);
      await at(2, ['CLUSTER', 'SETSLOT', slot, 'STABLE']);
      await run(BY_MIGRATE);
      expect(await totalKeys(cluster.port, [cluster.server(1)])).toBe(8000);
      expect(await findStrays(cluster)).toEqual([]);
    },
  );

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
