/** What a target that evicts has left, what keys and slots need there, and how many of them fit. */
import { describe, expect, test } from '@jest/globals';
import { countFitting, needOf, raiseFor, roomIn, type Load, type Room } from '../../../../pkg/redis/move/need.ts';

const MIB = 2 ** 20;

function info(fields: Readonly<Record<string, string | number>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}:${value}`)
    .join('\r\n');
}

const CACHE = { used_memory: 60 * MIB, maxmemory: 100 * MIB, maxmemory_policy: 'allkeys-lru' };

describe('the room of a target', () => {
  test.each([
    ['no limit', { maxmemory: 0 }, null],
    ['a policy that evicts nothing', { maxmemory_policy: 'noeviction' }, null],
    ['a twentieth is spared', {}, 35 * MIB],
    ['buffers that do not count', { mem_not_counted_for_evict: 10 * MIB }, 45 * MIB],
    ['a small cache spares more of itself', { used_memory: MIB, maxmemory: 2 * MIB }, 0.75 * MIB],
    ['over its limit', { used_memory: 101 * MIB, maxmemory_policy: 'volatile-ttl' }, -6 * MIB],
    ['one that does not say what it uses is full', { used_memory: '?' }, -5 * MIB],
  ])('%s', (_, change, left) => {
    expect(roomIn(info({ ...CACHE, ...change }))?.leftBytes ?? null).toBe(left);
  });

  test.each([
    ['of one that has no replica', {}, 0],
    ['that is full', { repl_backlog_active: 1, repl_backlog_size: MIB, repl_backlog_histlen: MIB }, 0],
    ['that will grow', { repl_backlog_active: 1, repl_backlog_size: MIB, repl_backlog_histlen: 1000 }, MIB - 1000],
  ])('a backlog %s', (_, change, bytes) => {
    expect(roomIn(info({ ...CACHE, ...change }))?.backlogBytes).toBe(bytes);
  });

  test('of one that refuses what has no room, where that matters', () => {
    const refusing = info({ ...CACHE, maxmemory_policy: 'noeviction' });
    expect([roomIn(refusing)?.leftBytes, roomIn(refusing, true)?.leftBytes]).toEqual([undefined, 35 * MIB]);
    expect(roomIn(info({ ...CACHE, maxmemory: 0 }), true)).toBeNull();
  });

  test.each([1, 5 * MIB, 300 * MIB])('a limit that is raised for %d bytes more leaves them', (lacking) => {
    const leftOf = (maxmemory: number): number => roomIn(info({ ...CACHE, maxmemory }))?.leftBytes ?? 0;
    expect(leftOf(100 * MIB + raiseFor(lacking)) - leftOf(100 * MIB)).toBeGreaterThanOrEqual(lacking);
  });

  test('its keys', () => {
    expect(roomIn(info({ ...CACHE, db0: 'keys=12,expires=3' }))?.keys).toBe(12);
  });

  test('a slot is told to every node', () => {
    expect(roomIn(info({ ...CACHE, cluster_known_nodes: 1 }))?.slotBytes).toBeGreaterThan(5000);
    expect(roomIn(info({ ...CACHE, cluster_known_nodes: 200 }))?.slotBytes).toBeGreaterThan(200 * 5000);
  });
});

const ROOM: Room = {
  maxBytes: 100,
  leftBytes: 10_000,
  policy: 'allkeys-lru',
  keys: 5,
  backlogBytes: 0,
  slotBytes: 100,
};
const one = (change: Partial<Load>): Load => ({ keys: 0, bytes: 0, largest: 0, slots: 0, ...change });

describe('what is needed', () => {
  test.each([
    ['nothing', one({}), ROOM, 0],
    ['slots without keys', one({ slots: 3 }), ROOM, 300],
    ['a key, and while it comes what is sent of it', one({ keys: 1, bytes: 1000, largest: 1000 }), ROOM, 3628],
    ['a backlog', one({ keys: 1, bytes: 1000, largest: 1000 }), { ...ROOM, backlogBytes: 400 }, 4028],
    ['a table that grows', one({ keys: 4 }), ROOM, 4 * 128 + 16 * 16],
  ])('%s', (_, load, room, bytes) => {
    expect(needOf(load, room)).toBe(bytes);
  });

  test('what fits, from the first on', () => {
    const loads = [1000, 1000, 9000, 10].map((bytes) => one({ keys: 1, bytes, largest: bytes }));
    expect(countFitting(loads, ROOM)).toBe(2);
    expect(countFitting(loads, { ...ROOM, leftBytes: 1e6 })).toBe(4);
    expect(countFitting(loads, { ...ROOM, leftBytes: -1 })).toBe(0);
    expect(countFitting(loads, ROOM, one({ slots: 60 }))).toBe(1);
  });
});
