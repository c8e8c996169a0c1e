/** The mover on real servers, where something is in its way. Those that move slots by themselves are made to MIGRATE too. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import type { MoveProgress, RedisCommand } from '../../../pkg/engine/ports.ts';
import { poll } from '../../support/redis-server.ts';
import { keysIn, totalKeys } from '../../support/move-cluster.ts';
import { findStrays } from '../../support/strays.ts';
import { RANGE, at, cluster, codeOf, load, run, start } from './scene.ts';
import { CASES } from './servers.ts';

describe.each(CASES)('$name by $way', ({ server, limits, way }) => {
  /** Enough that it can be disturbed: 80 MB, which take the fastest server some hundred milliseconds. */
  const MANY = 8000;
  async function loadMany(): Promise<void> {
    const value = 'x'.repeat(10_000);
    await load(MANY, (key) => ['SET', key, value]);
  }

  /** Runs a move and calls `disturb` when it is under way. */
  async function runDisturbed(disturb: () => void, signal?: AbortSignal): Promise<string> {
    let disturbed = false;
    const once = (): void => {
      if (!disturbed) disturb();
      disturbed = true;
    };
    // A server that moves slots by itself tells of keys when all have gone.
    const timer = way === 'atomic' ? setTimeout(once, 60) : undefined;
    const onProgress = ({ keys }: MoveProgress): void => {
      if (keys > 500 && way !== 'atomic') once();
    };
    try {
      return await codeOf(run(limits, { onProgress, ...(signal === undefined ? {} : { signal }) }));
    } finally {
      clearTimeout(timer);
      expect(disturbed).toBe(true);
    }
  }

  test('values, types and times to live arrive; a second run has nothing to do', async () => {
    await start(server);
    const binary = Buffer.from([0, 255, 13, 10, 36, 42]).toString('latin1');
    await load(2000);
    const [tag] = keysIn([RANGE], 1).map((key) => key.slice(key.indexOf('{')));
    await at(
      0,
      ['SET', `text:${tag}`, binary, 'EX', 1000],
      ['RPUSH', `list:${tag}`, 'a', 'b'],
      ['HSET', `hash:${tag}`, 'f', 'v'],
      ['XADD', `stream:${tag}`, '1-1', 'f', 'v'],
      ['SET', `\r\n ä${tag}`, 'odd name'],
      ['SET', `short:${tag}`, 'x', 'PX', 40],
    );
    const done = await run(limits);
    expect(done.slots).toBe(200);
    const [text, ttl, list, hash, stream, odd] = await at(
      1,
      ['GET', `text:${tag}`],
      ['TTL', `text:${tag}`],
      ['LRANGE', `list:${tag}`, 0, -1],
      ['HGET', `hash:${tag}`, 'f'],
      ['XLEN', `stream:${tag}`],
      ['GET', `\r\n ä${tag}`],
    );
    expect([text, list, hash, stream, odd]).toEqual([binary, ['a', 'b'], 'v', 1, 'odd name']);
    expect(Number(ttl)).toBeGreaterThan(900);
    await poll('the short-lived key is gone everywhere', 5000, async () =>
      (await totalKeys(cluster.port, cluster.redis.servers)) === 2005 ? true : null,
    );
    expect(await findStrays(cluster)).toEqual([]);
    expect(await run(limits)).toEqual({ slots: 0, keys: 0, bytes: 0, arriving: 0 });
  });

  test('keys that expire meanwhile', async () => {
    await start(server);
    await load(20_000, (key) => ['SET', key, 'v', 'PX', 1 + (key.length % 2) * 100_000 + 300]);
    expect((await run(limits)).slots).toBe(200);
    expect(await findStrays(cluster)).toEqual([]);
  });

  test('with a password', async () => {
    await start(server, { password: 'se cret"' });
    await load(1000);
    await run(limits);
    expect(await findStrays(cluster)).toEqual([]);
    expect(await totalKeys(cluster.port, [cluster.server(1)])).toBe(1000);
  });

  test('a target without memory: nothing is lost, and it goes on when there is more', async () => {
    await start(server);
    await load(8000, (key) => ['SET', key, 'x'.repeat(2000)]);
    const [used] = await at(1, ['INFO', 'memory']);
    const bytes = Number(/used_memory:(\d+)/.exec(String(used))?.[1]);
    await at(1, ['CONFIG', 'SET', 'maxmemory', bytes + 4_000_000]);
    // It would throw keys away to make room, so nothing may come.
    await at(1, ['CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru']);
    expect(await codeOf(run(limits))).toBe('target-out-of-memory');
    expect(await totalKeys(cluster.port, [cluster.server(0)])).toBe(8000);
    await at(1, ['CONFIG', 'SET', 'maxmemory-policy', 'noeviction']);
    const code = await codeOf(run(limits));
    expect(['target-out-of-memory', 'migration-failed']).toContain(code);
    expect(await totalKeys(cluster.port, cluster.redis.servers)).toBeGreaterThanOrEqual(8000);
    await at(1, ['CONFIG', 'SET', 'maxmemory', 0]);
    await run(limits);
    expect(await totalKeys(cluster.port, [cluster.server(1)])).toBe(8000);
    expect(await findStrays(cluster)).toEqual([]);
  }, 120_000);

  test('stopped in the middle, and gone on with', async () => {
    await start(server);
    await loadMany();
    const stop = new AbortController();
    expect(await runDisturbed(() => stop.abort(), stop.signal)).toBe('interrupted');
    expect(await totalKeys(cluster.port, cluster.redis.servers)).toBeGreaterThanOrEqual(MANY);
    await run(limits);
    expect(await findStrays(cluster)).toEqual([]);
    expect(await totalKeys(cluster.port, [cluster.server(1)])).toBe(MANY);
  });

  test('the target dies and comes back: the same move goes on', async () => {
    const config = [
      ['appendonly', 'yes'],
      ['appendfsync', 'always'],
    ] as const;
    await start(server, { config });
    await loadMany();
    const killed: Promise<void>[] = [];
    const code = await runDisturbed(() => {
      killed.push(cluster.server(1).stop());
    });
    await Promise.all(killed);
    expect(['target-silent', 'migration-failed', 'error', 'refused', 'timeout', 'migrate-failed']).toContain(code);
    await cluster.server(1).start();
    await poll('it has loaded', 20_000, async () => (typeof (await at(1, ['DBSIZE']))[0] === 'number' ? true : null));
    await run(limits);
    expect(await findStrays(cluster)).toEqual([]);
    expect(await totalKeys(cluster.port, [cluster.server(1)])).toBe(MANY);
  }, 60_000);

  test('a target that does not say who it is, as while it loads, is not taken for another node', async () => {
    await start(server);
    await loadMany();
    await at(1, ['ACL', 'SETUSER', 'default', '-cluster|myid']);
    await expect(run(limits)).rejects.toMatchObject({ code: 'permission' });
    await at(1, ['ACL', 'SETUSER', 'default', '+@all']);
    await run(limits);
    expect(await totalKeys(cluster.port, [cluster.server(1)])).toBe(MANY);
  }, 60_000);

  test('the source fails over: refused with the reason, and the new primary is gone on with', async () => {
    await start(server, { masters: 1, empty: 2, replicas: 1 });
    await loadMany();
    await at(0, ['WAIT', 1, 5000]);
    const failover: Promise<unknown>[] = [];
    const code = await runDisturbed(() => {
      failover.push(cluster.port.run(cluster.server(3).pod, [['CLUSTER', 'FAILOVER']], 5000));
    });
    await Promise.all(failover);
    const reasons = [
      'role-changed',
      'slots-elsewhere',
      'step-failed',
      'migrate-failed',
      'migration-failed',
      'slot-closed',
    ];
    // A server that moves slots by itself may have been quicker than the failover.
    expect(way === 'atomic' ? [...reasons, 'done'] : reasons).toContain(code);
    await poll('the replica is primary for all', 20_000, async () => {
      const replies = await Promise.all(
        [0, 1, 2, 3].map((i) => cluster.port.ask(cluster.server(i).pod, { deadlineMs: 2000 })),
      );
      const roles = replies.map((reply) =>
        reply.kind === 'answered'
          ? reply.answer.view.find((line) => line.nodeId === cluster.end(3).nodeId)?.role
          : null,
      );
      return roles.every((role) => role === 'primary') ? true : null;
    });
    await run(limits, { source: 3 });
    expect(await findStrays(cluster)).toEqual([]);
    expect(await totalKeys(cluster.port, [cluster.server(1)])).toBe(MANY);
  }, 60_000);

  test('the source was frozen while its replica was elected: what that was told since is kept', async () => {
    await start(server, { masters: 3, empty: 0, replicas: 1, nodeTimeoutMs: 1000 });
    const [source, target] = [cluster.end(0), cluster.end(1)];
    // Halfway: open on both sides, and all keys have gone.
    for (let slot = RANGE.start; slot <= RANGE.end; slot++) {
      await at(1, ['CLUSTER', 'SETSLOT', slot, 'IMPORTING', source.nodeId]);
      await at(0, ['CLUSTER', 'SETSLOT', slot, 'MIGRATING', target.nodeId]);
    }
    cluster.server(0).kill('SIGSTOP');
    let written = 0;
    const said: Promise<string>[] = [];
    try {
      await poll('its replica leads', 20_000, async () => {
        const [nodes] = await at(3, ['CLUSTER', 'NODES']);
        return /myself,master/.test(String(nodes)) ? true : null;
      });
      const keys = keysIn([RANGE], 200);
      // One that was handed the marks, as Valkey does it, sends clients on to the target.
      const first = await poll('it serves the slots', 20_000, async () => {
        const [reply] = await cluster.port.run(cluster.server(3).pod, [['SET', keys[0] ?? '', 'v']], 2000);
        return reply === 'OK' || (reply as Error).message.startsWith('ASK ') ? reply : null;
      });
      if (first === 'OK') await at(3, ...keys.map((key): RedisCommand => ['SET', key, 'written since']));
      written = first === 'OK' ? keys.length : 0;
      // What it sends lies in the queue of the frozen one, and is read as early as what the others say.
      said.push(codeOf(run(limits)));
      await new Promise((resolve) => setTimeout(resolve, 200));
    } finally {
      cluster.server(0).kill('SIGCONT');
    }
    expect(['role-changed', 'slots-elsewhere', 'source-doubted', 'target-not-ready']).toContain(await said[0]);
    expect(await at(3, ['DBSIZE'])).toEqual([written]);
  }, 60_000);

  const byMigrate = way === 'atomic' ? test.skip : test;
  byMigrate('a slot that its new owner forgets right away is claimed again', async () => {
    await start(server);
    await load(100);
    const target = cluster.server(1);
    const line = await connectTo(target.port, target.address);
    let forgotten = 0;
    try {
      await run(limits, {
        // Of a slot without keys, because a server gives no others away. It is written before the mover asks how things stand.
        onProgress: ({ slots }: MoveProgress) => {
          if (slots === 200 && forgotten++ === 0)
            line.write(`CLUSTER SETSLOT ${RANGE.end} NODE ${cluster.end(0).nodeId}\r\n`);
        },
      });
    } finally {
      line.destroy();
    }
    expect(forgotten).toBeGreaterThan(0);
    expect(await run(limits)).toEqual({ slots: 0, keys: 0, bytes: 0, arriving: 0 });
    expect(await totalKeys(cluster.port, cluster.redis.servers)).toBe(100);
    expect(await findStrays(cluster)).toEqual([]);
  });

  test('slots of a third node are refused', async () => {
    await start(server, { masters: 2 });
    const move = { ...cluster.move(0, 2, [{ start: 9000, end: 9001 }]) };
    const moving = cluster.port.mover.move(move, limits, () => undefined, new AbortController().signal);
    expect(await codeOf(moving)).toBe('slots-elsewhere');
  });

  // MIGRATE changes the owner chunk by chunk.
  if (way === 'atomic') {
    test('what has arrived is told before the owner changes', async () => {
      await start(server);
      const value = 'x'.repeat(20_000);
      await load(10_000, (key) => ['SET', key, value]);
      const told: MoveProgress[] = [];
      const done = await run(limits, { onProgress: (progress) => told.push(progress) });
      const midway = told.filter(({ arriving }) => arriving > 0);
      expect(midway.length).toBeGreaterThan(0);
      for (const { slots, arriving, keys, bytes } of midway) {
        expect([slots, arriving < 200, keys < 10_000]).toEqual([0, true, true]);
        expect(keys / 10_000).toBeCloseTo(bytes / done.bytes, 1);
      }
      expect(told.at(-1)).toEqual(done);
      expect(done).toMatchObject({ slots: 200, keys: 10_000, arriving: 0 });
    });
  }
});

async function connectTo(port: number, address: string): Promise<Socket> {
  const socket = connect(port, address);
  await once(socket, 'connect');
  return socket;
}
