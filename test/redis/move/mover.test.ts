/** The mover on real servers, where something is in its way. Those that move slots by themselves are made to MIGRATE too. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { MoveLimits, MoveProgress, RedisCommand } from '../../../pkg/engine/ports.ts';
import { AppError } from '../../../pkg/errors.ts';
import { slotOfKey } from '../../../cmd/slot-lookup.ts';
import { must } from '../../support/form-cluster.ts';
import { poll } from '../../support/redis-server.ts';
import { ALL_OUT, POLITE, fill, keysIn, startMoveCluster, totalKeys } from '../../support/move-cluster.ts';
import type { MoveCluster, MoveClusterOptions } from '../../support/move-cluster.ts';
import { findStrays } from '../../support/strays.ts';
import { BINARIES } from './servers.ts';

const RANGE = { start: 0, end: 199 };
const ALL = { start: 0, end: 16383 };
/** Servers that move slots by themselves can't be slowed down, so a limit makes them MIGRATE. */
const BY_MIGRATE: MoveLimits = { maxPauseMs: 10, maxBandwidth: 1e12 };

const CASES = BINARIES.flatMap((binary) => [
  { ...binary, way: 'MIGRATE', limits: BY_MIGRATE },
  ...(binary.atomic ? [{ ...binary, way: 'atomic', limits: POLITE }] : []),
]);

let cluster: MoveCluster;
afterEach(async () => {
  await cluster.stop();
});

async function start(binary: string, options: Partial<MoveClusterOptions> = {}): Promise<void> {
  cluster = await startMoveCluster({ masters: 1, empty: 1, nodeTimeoutMs: 3000, ...options, binary });
}

function run(
  limits: MoveLimits,
  options: { onProgress?: (progress: MoveProgress) => void; signal?: AbortSignal; source?: number } = {},
): Promise<MoveProgress> {
  const move = cluster.move(options.source ?? 0, 1, [RANGE]);
  const signal = options.signal ?? new AbortController().signal;
  return cluster.port.mover.move(move, limits, options.onProgress ?? (() => undefined), signal);
}

function load(count: number, valueOf?: (key: string) => RedisCommand): Promise<void> {
  return fill(cluster.port, [{ server: cluster.server(0), slots: [ALL] }], keysIn([RANGE], count), valueOf);
}

function at(index: number, ...commands: RedisCommand[]): Promise<readonly unknown[]> {
  return must(cluster.port, cluster.server(index), commands);
}

async function codeOf(moving: Promise<unknown>): Promise<string> {
  const error: unknown = await moving.then(
    () => new AppError('', { code: 'done' }),
    (reason: unknown) => reason,
  );
  if (error instanceof AppError) return error.code;
  throw error;
}

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
    expect(await run(limits)).toEqual({ slots: 0, keys: 0, bytes: 0 });
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

  test('a big key neither fails nor costs its node the role', async () => {
    await start(server, { masters: 3, nodeTimeoutMs: 300, replicas: 3 });
    const [tag] = keysIn([RANGE], 1).map((key) => key.slice(key.indexOf('{')));
    const script = "for i = 1, 300000 do redis.call('HSET', KEYS[1], 'field:' .. i, string.rep('x', 80)) end";
    for (const server of cluster.redis.servers)
      await must(cluster.port, server, [['CONFIG', 'SET', 'cluster-node-timeout', 20_000]]);
    await cluster.port.run(cluster.server(0).pod, [['EVAL', script, 1, `big:${tag}`]], 60_000);
    for (const server of cluster.redis.servers)
      await must(cluster.port, server, [['CONFIG', 'SET', 'cluster-node-timeout', 300]]);
    await load(500);
    const move = cluster.move(0, 3, [RANGE]);
    await cluster.port.mover.move(move, limits, () => undefined, new AbortController().signal);
    expect(await must(cluster.port, cluster.server(3), [['HLEN', `big:${tag}`]])).toEqual([300_000]);
    for (const server of cluster.redis.servers.slice(0, 4)) {
      const [role, timeout] = await must(cluster.port, server, [['ROLE'], ['CONFIG', 'GET', 'cluster-node-timeout']]);
      expect([(role as unknown[])[0], timeout]).toEqual(['master', ['cluster-node-timeout', '300']]);
    }
    expect(await findStrays(cluster)).toEqual([]);
  }, 120_000);

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
    let killed: Promise<void> | null = null;
    const code = await runDisturbed(() => (killed = cluster.server(1).stop()));
    await killed;
    expect(['target-silent', 'migration-failed', 'error', 'refused', 'timeout', 'migrate-failed']).toContain(code);
    await cluster.server(1).start();
    await run(limits);
    expect(await findStrays(cluster)).toEqual([]);
    expect(await totalKeys(cluster.port, [cluster.server(1)])).toBe(MANY);
  }, 60_000);

  test('the source fails over: refused with the reason, and the new primary is gone on with', async () => {
    await start(server, { masters: 1, empty: 2, replicas: 1 });
    await loadMany();
    await at(0, ['WAIT', 1, 5000]);
    let failover: Promise<unknown> | null = null;
    const code = await runDisturbed(
      () => (failover = cluster.port.run(cluster.server(3).pod, [['CLUSTER', 'FAILOVER']], 5000)),
    );
    await failover;
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

  test('slots of a third node are refused', async () => {
    await start(server, { masters: 2 });
    const move = { ...cluster.move(0, 2, [{ start: 9000, end: 9001 }]) };
    const moving = cluster.port.mover.move(move, limits, () => undefined, new AbortController().signal);
    expect(await codeOf(moving)).toBe('slots-elsewhere');
  });
});

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
