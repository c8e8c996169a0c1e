/** More pods than there may be connections: they are asked in turn, and an idle connection never keeps the next pod waiting. */
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Dialer } from '../../pkg/engine/ports.ts';
import { createRedisPort } from '../../pkg/redis/connect.ts';
import { startRedisServers, type RedisServers } from '../support/redis-server.ts';

describe('a pool with a limit', () => {
  let redis: RedisServers;
  beforeAll(async () => {
    redis = await startRedisServers({ count: 7 });
  });
  afterAll(() => redis.stop());

  /** As the tunnels' dialer: only so many streams at once, the next ones wait. */
  function limited(places: number): Dialer & { most: () => number } {
    const waiting: (() => void)[] = [];
    let open = 0;
    let most = 0;
    const dial = async (...args: Parameters<Dialer>): Promise<Duplex> => {
      if (open >= places) await new Promise<void>((resolve) => waiting.push(resolve));
      open += 1;
      most = Math.max(most, open);
      const stream = await redis.dial(...args);
      stream.once('close', () => {
        open -= 1;
        waiting.shift()?.();
      });
      return stream;
    };
    return Object.assign(dial, { most: () => most });
  }

  test('seven pods over three connections, asked one after the other, twice', async () => {
    const dial = limited(3);
    const port = createRedisPort({ dial, credentials: () => Promise.resolve(null), maxOpen: 3 });
    for (let round = 0; round < 2; round++) {
      for (const { pod } of redis.servers) expect((await port.ask(pod, { deadlineMs: 2000 })).kind).toBe('answered');
    }
    expect(dial.most()).toBe(3);
    port.close();
  });

  test('seven pods over three connections, asked all at once', async () => {
    const dial = limited(3);
    const port = createRedisPort({ dial, credentials: () => Promise.resolve(null), maxOpen: 3 });
    const replies = await Promise.all(redis.servers.map(({ pod }) => port.ask(pod, { deadlineMs: 5000 })));
    expect(replies.map((reply) => reply.kind)).toEqual(redis.servers.map(() => 'answered'));
    expect(dial.most()).toBe(3);
    port.close();
  });
});
