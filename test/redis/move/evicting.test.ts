/**
 * Targets that evict keys when they are full: caches. Whatever was estimated, no key of theirs and none that comes may be lost by a move,
 * and what fits goes. Sizes differ by thousands, so that the mean of all keys says nothing about those that move.
 */
import { describe, expect, test } from '@jest/globals';
import type { SlotRange } from '../../../pkg/cluster/model/slots.ts';
import type { MoveLimits, RedisCommand } from '../../../pkg/engine/ports.ts';
import { fill, keysIn } from '../../support/move-cluster.ts';
import { findStrays } from '../../support/strays.ts';
import { RANGE, at, cluster, codeOf, run, start } from './scene.ts';
import { CASES } from './servers.ts';

const MIB = 2 ** 20;
const BIG = 'x'.repeat(150_000);
/** Primaries that share the slots alike. */
const [SOURCE, TARGET, OTHER] = [0, 1, 2] as const;

describe.each(CASES)('$name by $way', ({ server, limits }) => {
  async function startCache(): Promise<void> {
    await start(server, { masters: 3, empty: 0 });
  }

  async function load(index: 0 | 1 | 2, ranges: readonly SlotRange[], count: number, value: string): Promise<void> {
    const keys = keysIn(ranges, count);
    const setOf = (key: string): RedisCommand => ['SET', `${value.length}:${key}`, value];
    await fill(cluster.port, [{ server: cluster.server(index), slots: [...ranges] }], keys, setOf);
  }

  /** Slots that the server has open. */
  async function openAt(index: number): Promise<number[]> {
    const [nodes] = await at(index, ['CLUSTER', 'NODES']);
    return [...String(nodes).matchAll(/\[(\d+)-[<>]-/g)].map(([, slot]) => Number(slot)).sort((a, b) => a - b);
  }

  async function tooManyBigKeys(): Promise<number> {
    // So many that a key takes about 300 bytes on average.
    await load(SOURCE, [{ start: 300, end: 5000 }], 30_000, 'small');
    await load(SOURCE, [RANGE], 22, BIG);
    await load(SOURCE, [RANGE], 300, 'small');
    await load(TARGET, [{ start: 6000, end: 6100 }], 8, BIG);
    await load(TARGET, [{ start: 6000, end: 6100 }], 200, 'small');
    return keysOfAll();
  }

  async function keysOfAll(): Promise<number> {
    const sizes = await Promise.all([0, 1, 2].map((index) => at(index, ['DBSIZE'])));
    return sizes.reduce((sum, [size]) => sum + Number(size), 0);
  }

  async function numberAt(index: number, section: string, name: string): Promise<number> {
    const [info] = await at(index, ['INFO', section]);
    return Number(new RegExp(`${name}:(\\d+)`).exec(String(info))?.[1]);
  }

  /** With so many bytes left. */
  async function cacheAt(index: number, left: number): Promise<void> {
    const used = await numberAt(index, 'memory', 'used_memory');
    await at(
      index,
      ['CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru'],
      ['CONFIG', 'SET', 'maxmemory', Math.round(used + left)],
    );
  }

  test('big keys that have no room stay where they are, no slot is left open, and the same move goes on', async () => {
    await startCache();
    const keys = await tooManyBigKeys();
    await cacheAt(TARGET, 2 * MIB);
    expect(await codeOf(run(limits))).toBe('target-out-of-memory');
    expect(await numberAt(TARGET, 'stats', 'evicted_keys')).toBe(0);
    expect(await keysOfAll()).toBe(keys);
    const [nodes] = await at(TARGET, ['CLUSTER', 'NODES']);
    expect(String(nodes)).not.toContain('-<-');
    await at(TARGET, ['CONFIG', 'SET', 'maxmemory', 64 * MIB]);
    await run(limits);
    expect(await numberAt(TARGET, 'stats', 'evicted_keys')).toBe(0);
    expect(await keysOfAll()).toBe(keys);
    expect(await findStrays(cluster)).toEqual([]);
  }, 120_000);

  test('what fits goes, and nothing is evicted', async () => {
    await startCache();
    const keys = await tooManyBigKeys();
    await cacheAt(TARGET, 8 * MIB);
    expect((await run(limits)).slots).toBe(200);
    expect(await numberAt(TARGET, 'stats', 'evicted_keys')).toBe(0);
    expect(await keysOfAll()).toBe(keys);
    expect(await findStrays(cluster)).toEqual([]);
  }, 120_000);

  test('a cache that is full already takes nothing, not even slots without keys: telling all of them needs room', async () => {
    await startCache();
    await load(TARGET, [{ start: 6000, end: 6100 }], 200, 'small');
    await cacheAt(TARGET, 128 * 1024);
    expect(await codeOf(run(limits))).toBe('target-out-of-memory');
    expect(await numberAt(TARGET, 'stats', 'evicted_keys')).toBe(0);
    await at(TARGET, ['CONFIG', 'SET', 'maxmemory', 64 * MIB]);
    expect((await run(limits)).slots).toBe(200);
    expect(await keysOfAll()).toBe(200);
  }, 120_000);

  test('slots without keys go in parts that are small enough to be told of', async () => {
    await startCache();
    await load(TARGET, [{ start: 6000, end: 6100 }], 200, 'small');
    await cacheAt(TARGET, 512 * 1024);
    expect((await run(limits)).slots).toBe(200);
    expect(await numberAt(TARGET, 'stats', 'evicted_keys')).toBe(0);
    expect(await keysOfAll()).toBe(200);
  }, 120_000);

  test('two sources do not fill it together', async () => {
    await startCache();
    const keys = await tooManyBigKeys();
    const theirs = { start: 11_000, end: 11_199 };
    await load(OTHER, [theirs], 22, BIG);
    await load(OTHER, [{ start: 12_000, end: 16_000 }], 30_000, 'small');
    // One of them would fit.
    await cacheAt(TARGET, 6.5 * MIB);
    const signal = new AbortController().signal;
    const move = (source: number, range: SlotRange): Promise<string> =>
      codeOf(cluster.port.mover.move(cluster.move(source, TARGET, [range]), limits, () => undefined, signal));
    const codes = await Promise.all([move(SOURCE, RANGE), move(OTHER, theirs)]);
    expect(codes).toContain('target-out-of-memory');
    expect(await numberAt(TARGET, 'stats', 'evicted_keys')).toBe(0);
    expect(await keysOfAll()).toBe(keys + 30_022);
    // Neither counted on the room that the other had taken.
    expect([...(await openAt(SOURCE)), ...(await openAt(TARGET)), ...(await openAt(OTHER))]).toEqual([]);
  }, 120_000);

  test('filled by clients while a chunk is on its way: open stay only slots with keys on both sides', async () => {
    await startCache();
    await load(SOURCE, [{ start: 300, end: 5000 }], 30_000, 'small');
    await load(SOURCE, [{ start: 0, end: 9 }], 60, BIG);
    await load(SOURCE, [RANGE], 400, 'small');
    const keys = await keysOfAll();
    await cacheAt(TARGET, 16 * MIB);
    // Slow enough that the limit changes in the middle of the first chunk.
    const slowly = { ...limits, maxBandwidth: 3e6 };
    const shrunk: Promise<void>[] = [];
    const shrink = ({ keys: moved }: { readonly keys: number }): void => {
      if (moved > 15 && shrunk.length === 0) shrunk.push(cacheAt(TARGET, 0.8 * MIB));
    };
    expect(await codeOf(run(slowly, { onProgress: shrink }))).toBe('target-out-of-memory');
    await Promise.all(shrunk);
    const open = await openAt(SOURCE);
    expect(await openAt(TARGET)).toEqual(open);
    for (const index of [SOURCE, TARGET]) {
      const counts = await at(index, ...open.map((slot): RedisCommand => ['CLUSTER', 'COUNTKEYSINSLOT', slot]));
      expect(counts).not.toContain(0);
    }
    // Of a chunk of 64: keys of few slots are under way at a time.
    expect(open.length).toBeLessThan(10);
    expect(await numberAt(TARGET, 'stats', 'evicted_keys')).toBe(0);
    expect(await keysOfAll()).toBe(keys);
    expect(await codeOf(run(slowly))).toBe('target-out-of-memory');
    expect(await openAt(SOURCE)).toEqual(open);
    await at(TARGET, ['CONFIG', 'SET', 'maxmemory', 64 * MIB]);
    await run(limits);
    expect(await keysOfAll()).toBe(keys);
    expect(await findStrays(cluster)).toEqual([]);
  }, 120_000);

  test('a slot with many keys is listed in parts that are small', async () => {
    await startCache();
    const slots = [{ start: 7, end: 7 }];
    await load(SOURCE, slots, 12_000, 'small');
    await cacheAt(TARGET, 8 * MIB);
    await at(SOURCE, ['CONFIG', 'SET', 'slowlog-max-len', 100_000], ['CONFIG', 'SET', 'slowlog-log-slower-than', 0]);
    await run(limits);
    const [log] = await at(SOURCE, ['SLOWLOG', 'GET', 100_000]);
    const asked = (log as [number, number, number, string[]][]).flatMap(([, , , [, word, , count]]) =>
      /^getkeysinslot$/i.test(word ?? '') ? [Number(count)] : [],
    );
    expect(asked.length).toBeGreaterThan(0);
    expect(Math.max(...asked)).toBeLessThanOrEqual(5_000);
    expect(await numberAt(TARGET, 'stats', 'evicted_keys')).toBe(0);
    expect(await keysOfAll()).toBe(12_000);
  }, 120_000);

  test('a list that seems small is weighed wholly', async () => {
    await startCache();
    await load(SOURCE, [{ start: 300, end: 5000 }], 30_000, 'small');
    const key = `list:${keysIn([RANGE], 1).map((one) => one.slice(one.indexOf('{')))[0]}`;
    for (let i = 0; i < 20; i++) await at(SOURCE, ['RPUSH', key, 'y'.repeat(9000)]);
    for (let i = 0; i < 40; i++) await at(SOURCE, ['RPUSH', key, BIG]);
    await load(TARGET, [{ start: 6000, end: 6100 }], 200, 'small');
    await cacheAt(TARGET, 5 * MIB);
    expect(await codeOf(run(limits))).toBe('target-out-of-memory');
    expect(await numberAt(TARGET, 'stats', 'evicted_keys')).toBe(0);
    expect(await keysOfAll()).toBe(30_201);
  }, 120_000);

  test('keys that are brought home', async () => {
    await startCache();
    const keys = await tooManyBigKeys();
    const slots = [{ start: 6500, end: 6502 }];
    const marked = [6500, 6501, 6502];
    const { nodeId } = cluster.end(TARGET);
    await at(SOURCE, ...marked.map((slot): RedisCommand => ['CLUSTER', 'SETSLOT', slot, 'IMPORTING', nodeId]));
    for (const key of keysIn(slots, 22)) await at(SOURCE, ['ASKING'], ['SET', key, BIG]);
    await at(SOURCE, ...marked.map((slot): RedisCommand => ['CLUSTER', 'SETSLOT', slot, 'STABLE']));
    await cacheAt(TARGET, 2 * MIB);
    const settle = (asked: MoveLimits): Promise<unknown> =>
      cluster.port.strays.settle(
        { holder: cluster.end(SOURCE), others: [cluster.end(TARGET), cluster.end(OTHER)], slots },
        asked,
        () => undefined,
        new AbortController().signal,
      );
    expect(await codeOf(settle(limits))).toBe('target-out-of-memory');
    expect(await numberAt(TARGET, 'stats', 'evicted_keys')).toBe(0);
    expect(await keysOfAll()).toBe(keys + 22);
    await at(TARGET, ['CONFIG', 'SET', 'maxmemory', 64 * MIB]);
    await settle(limits);
    expect(await findStrays(cluster)).toEqual([]);
    expect(await keysOfAll()).toBe(keys + 22);
  }, 120_000);
});
