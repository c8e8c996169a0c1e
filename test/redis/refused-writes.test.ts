/** K20: what real servers say when they refuse writes is what `check` finds, and only then. */
import { rm } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { whyWritesRefused } from '../../pkg/cluster/check/refused-writes.ts';
import type { RedisCommand, RedisPort } from '../../pkg/engine/ports.ts';
import { must } from '../support/form-cluster.ts';
import { answered, openPort, startServer } from '../support/redis-ask.ts';
import { poll, type Directive, type RedisServer } from '../support/redis-server.ts';

const SLOTS = Array.from({ length: 16384 }, (_, slot) => slot);

interface Alone {
  readonly server: RedisServer;
  readonly redis: RedisPort;
  /** The first word of the reply to a SET: OK, MISCONF … */
  readonly set: () => Promise<string>;
  /** The first word of what writes are refused with, as is told from what the node answers; null = they are not. */
  readonly told: () => Promise<string | null>;
}

/** A cluster of one, which takes writes. */
async function startAlone(config: readonly Directive[] = []): Promise<Alone> {
  const server = await startServer({ config });
  const redis = openPort();
  await must(redis, server, [['CLUSTER', 'ADDSLOTS', ...SLOTS]]);
  const set = async (): Promise<string> => {
    const [reply] = await redis.run(server.pod, [['SET', 'k', 'x'.repeat(100)]], 5_000);
    return (reply instanceof Error ? reply.message : String(reply)).split(' ')[0] ?? '';
  };
  const told = async (): Promise<string | null> => {
    const answer = answered(await redis.ask(server.pod, { deadlineMs: 5_000, withConfig: true }));
    return whyWritesRefused(answer)?.error ?? null;
  };
  await poll('writes', 10_000, async () => ((await set()) === 'OK' ? true : null));
  return { server, redis, set, told };
}

describe('K20: a primary that refuses writes', () => {
  test('for lack of memory, until there is some', async () => {
    const { server, redis, set, told } = await startAlone();
    expect([await set(), await told()]).toEqual(['OK', null]);
    await must(redis, server, [['CONFIG', 'SET', 'maxmemory', 1000]]);
    expect([await set(), await told()]).toEqual(['OOM', 'OOM']);
    await must(redis, server, [['CONFIG', 'SET', 'maxmemory-policy', 'volatile-lru']]);
    expect([await set(), await told()]).toEqual(['OOM', 'OOM']);
    await must(redis, server, [['CONFIG', 'SET', 'maxmemory', 0]]);
    expect([await set(), await told()]).toEqual(['OK', null]);
  }, 60_000);

  test('for lack of replicas, until they are not asked for', async () => {
    const { server, redis, set, told } = await startAlone();
    await must(redis, server, [['CONFIG', 'SET', 'min-replicas-to-write', 1]]);
    await poll('a refusal', 10_000, async () => ((await set()) === 'NOREPLICAS' ? true : null));
    expect(await told()).toBe('NOREPLICAS');
    await must(redis, server, [['CONFIG', 'SET', 'min-replicas-to-write', 0]]);
    expect([await set(), await told()]).toEqual(['OK', null]);
  }, 60_000);

  test('because its last snapshot failed, but only where snapshots are asked for and are to stop it', async () => {
    const { server, redis, set, told } = await startAlone([['save', '3600', '1']]);
    await rm(server.dir, { recursive: true });
    const configure = (...words: RedisCommand[]): Promise<unknown> => must(redis, server, words);
    await configure(['BGSAVE']);
    await poll('a refusal', 10_000, async () => ((await set()) === 'MISCONF' ? true : null));
    expect(await told()).toBe('MISCONF');
    await configure(['CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no']);
    expect([await set(), await told()]).toEqual(['OK', null]);
    await configure(['CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'yes'], ['CONFIG', 'SET', 'save', '']);
    expect([await set(), await told()]).toEqual(['OK', null]);
  }, 60_000);
});
