/** How many keys at once, what a reply to MIGRATE means, one at a time. */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { partArrived } from '../../../../pkg/redis/move/arriving.ts';
import { batchAfterSilence, firstBatch, nextBatch } from '../../../../pkg/redis/move/batch-size.ts';
import { nextChunk, slotsAtOnce } from '../../../../pkg/redis/move/chunk-size.ts';
import { pauseMs } from '../../../../pkg/redis/move/context.ts';
import { ioMs } from '../../../../pkg/redis/move/migrate-command.ts';
import { readMigrateReply } from '../../../../pkg/redis/move/migrate-reply.ts';
import { Roles } from '../../../../pkg/redis/move/roles.ts';
import { Turns } from '../../../../pkg/redis/move/turns.ts';

describe('the size of a batch', () => {
  test('grows to what may be, and not beyond', () => {
    let size = firstBatch(20);
    const sizes = Array.from({ length: 6 }, () => (size = nextBatch(size, size.keys, 1, 20)).keys);
    expect(sizes).toEqual([200, 400, 800, 1000, 1000, 1000]);
  });

  test('is halved after a pause that was too long, and stays where the pause is right', () => {
    const size = { keys: 400, largest: 1000, slots: 3 };
    expect(nextBatch(size, 400, 25, 20).keys).toBe(200);
    expect(nextBatch(size, 400, 15, 20).keys).toBe(400);
    expect(nextBatch(size, 20, 25, 20).keys).toBe(10);
    expect(nextBatch(size, 20, 1, 20).keys).toBe(400);
  });

  test('is never without keys and never too many', () => {
    const pauses = fc.array(fc.double({ min: 0, max: 5000, noNaN: true }), { maxLength: 60 });
    fc.assert(
      fc.property(pauses, fc.integer({ min: 1, max: 1000 }), (measured, maxPauseMs) => {
        let size = firstBatch(maxPauseMs);
        for (const pausedMs of measured) {
          size = nextBatch(size, size.keys, pausedMs, maxPauseMs);
          expect(size.keys).toBeGreaterThanOrEqual(10);
          expect(size.keys).toBeLessThanOrEqual(size.largest);
        }
      }),
    );
  });
});

test.each([
  [1000, 1000, 500, 0],
  [1000, 1250, 500, 0.5],
  [1000, 9000, 500, 0.99],
  [1000, 10, 500, 0],
  [1000, 1250, 0, 0],
  [null, 1250, 500, 0],
  [1000, null, 500, 0],
])('a data set that was %p and is %p bytes, of %p that come: %p has arrived', (before, now, expected, part) => {
  expect(partArrived(before, now, expected)).toBe(part);
});

test('those that go in one pipeline share the wait for a target that is silent', () => {
  const { slots } = firstBatch(20);
  expect([slots * ioMs(0, slots), ioMs(20e6, slots)]).toEqual([1500, 2000]);
  const after = batchAfterSilence(20);
  expect([after.slots, nextBatch(after, 10, 1, 20).slots]).toEqual([1, slots]);
});

test('the wait for a big key is longer', () => {
  expect([ioMs(0), ioMs(1e6), ioMs(200e6), ioMs(1e15)]).toEqual([1500, 1500, 20_000, 600_000]);
});

test.each([
  ['OK', 'moved'],
  ['NOKEY', 'moved'],
  [new Error('ERR Target instance replied with error: BUSYKEY Target key name already exists.'), 'exists'],
  [new Error('IOERR error or timeout reading from target instance'), 'unknown'],
  [new Error('ERR Target instance replied with error: MOVED 7 10.0.0.1:6379'), 'closed'],
  [new Error('ERR Target instance replied with error: CLUSTERDOWN The cluster is down'), 'not-ready'],
  [
    new Error("ERR Target instance replied with error: OOM command not allowed when used memory > 'maxmemory'."),
    'full',
  ],
  [new Error('ERR Target instance replied with error: NOAUTH Authentication required.'), 'fatal'],
  [new Error('ERR Target instance replied with error: ERR DUMP payload version or checksum are wrong'), 'fatal'],
  [new Error('MOVED 7 10.0.0.1:6379'), 'fatal'],
])('%s means %s', (reply, outcome) => {
  expect(readMigrateReply(reply)).toBe(outcome);
});

test('one at a time for each key, in turn, also behind a failure', async () => {
  const turns = new Turns();
  const log: string[] = [];
  const work = (name: string) => async (): Promise<void> => {
    log.push(`${name} begins`);
    await Promise.resolve();
    log.push(`${name} ends`);
    if (name === 'a1') throw new Error(name);
  };
  const all = [turns.take('a', work('a1')), turns.take('a', work('a2')), turns.take('b', work('b1'))];
  expect((await Promise.allSettled(all)).map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  expect(log.filter((line) => line.startsWith('a'))).toEqual(['a1 begins', 'a1 ends', 'a2 begins', 'a2 ends']);
  expect(log.indexOf('b1 begins')).toBeLessThan(log.indexOf('a2 begins'));
});

test('moves to one target share one pause, for as long as they are under way', async () => {
  const roles = new Roles();
  const limits = { maxPauseMs: 30, maxBandwidth: null };
  const shares: number[] = [];
  const move = (source: string, target: string): Promise<void> =>
    roles.hold(source, target, async () => {
      await Promise.resolve();
      shares.push(pauseMs({ limits, movesToTarget: () => roles.movesTo(target) }));
    });
  await Promise.all([move('a', 'x'), move('b', 'x'), move('c', 'x'), move('d', 'y')]);
  await move('a', 'x');
  expect(shares).toEqual([10, 10, 10, 30, 30]);
  expect(pauseMs({ limits, movesToTarget: () => 0 })).toBe(30);
});

describe('the size of a chunk', () => {
  test.each([
    [20, 200],
    [10 / 3, 33],
    [0.5, 16],
    [200, 256],
  ])('with pauses of %d ms at most %d slots change hands at once', (pause, slots) => {
    expect(slotsAtOnce(256, pause)).toBe(slots);
    expect(slotsAtOnce(10, pause)).toBe(10);
  });

  test('grows while chunks are quick, and shrinks when they are slow', () => {
    expect([nextChunk(64, 100), nextChunk(256, 100), nextChunk(256, 2000)]).toEqual([128, 256, 256]);
    expect([nextChunk(256, 5000), nextChunk(64, 5000)]).toEqual([128, 64]);
  });
});
