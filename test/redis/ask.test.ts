import { once } from 'node:events';
import { createServer } from 'node:net';
import { Duplex } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { NodeAnswer, NodeReply, PodFacts } from '../../pkg/cluster/model/observation.ts';
import { AppError } from '../../pkg/errors.ts';
import type { Dialer, RedisPort } from '../../pkg/engine/ports.ts';
import { createRedisPort } from '../../pkg/redis/connect.ts';
import type { RedisPortDeps } from '../../pkg/redis/connect.ts';
import { createDirectDialer } from '../../pkg/redis/dial-direct.ts';
import { formCluster, must } from '../support/form-cluster.ts';
import { poll, startRedisServers } from '../support/redis-server.ts';
import type { RedisServer, RedisServerOptions, RedisServers } from '../support/redis-server.ts';

const SECRET = 'b6-correct-horse';
const cleanUps: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function start(options: RedisServerOptions): Promise<RedisServer> {
  const running = await startRedisServers(options);
  cleanUps.push(() => running.stop());
  return only(running.servers);
}

function only<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined) throw new Error('none');
  return item;
}

function port(deps: Partial<RedisPortDeps> = {}): RedisPort {
  const redis = createRedisPort({ dial: createDirectDialer(), credentials: async () => null, ...deps });
  cleanUps.push(() => redis.close());
  return redis;
}

function answered(reply: NodeReply): NodeAnswer {
  if (reply.kind !== 'answered') throw new Error(`${reply.why}: ${reply.detail}`);
  return reply.answer;
}

/** The outcome without what differs from run to run. */
function outcome(reply: NodeReply): string {
  return reply.kind === 'answered' ? 'answered' : `${reply.why}: ${reply.detail}`;
}

describe('a cluster', () => {
  let running: RedisServers;
  let redis: RedisPort;
  let answers: NodeAnswer[];

  beforeAll(async () => {
    running = await startRedisServers({ count: 4 });
    redis = createRedisPort({ dial: running.dial, credentials: async () => null });
    answers = await formCluster(redis, running.servers, 3);
  });

  afterAll(async () => {
    redis.close();
    await running.stop();
  });

  test('every node answers with everything', async () => {
    const [a, , , d] = running.servers;
    if (a === undefined || d === undefined) throw new Error('four servers');
    const replica = answered(await redis.ask(d.pod, { deadlineMs: 5000, withConfig: true, countKeys: true }));
    const ids = answers.map(({ myId }) => myId);
    expect(new Set(ids).size).toBe(4);
    expect(replica.myId).toBe(ids[3]);
    expect(replica.view.map(({ nodeId }) => nodeId).toSorted()).toEqual(ids.toSorted());
    expect(replica.view.find(({ nodeId }) => nodeId === ids[0])).toEqual({
      nodeId: ids[0],
      ip: a.address,
      port: a.port,
      busPort: a.port + 10_000,
      hostname: null,
      shardId: null,
      flags: ['master'],
      role: 'primary',
      primaryId: null,
      configEpoch: 1,
      linkUp: true,
      slots: [{ start: 0, end: 5460 }],
      migrating: [],
      importing: [],
    });
    expect(replica.clusterInfo).toEqual({
      state: 'ok',
      slotsAssigned: 16384,
      slotsOk: 16384,
      slotsPfail: 0,
      slotsFail: 0,
      knownNodes: 4,
      size: 3,
      currentEpoch: 4,
      myEpoch: 1,
    });
    expect(replica.info).toMatchObject({
      product: expect.stringMatching(/^(redis|valkey)$/),
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      role: 'replica',
      primaryHost: a.address,
      primaryPort: a.port,
      primaryLinkUp: true,
      primaryLinkDownSeconds: null,
      syncInProgress: false,
      loading: false,
      aofEnabled: false,
    });
    expect(replica.config).toMatchObject({
      'cluster-node-timeout': '2000',
      maxmemory: '0',
      appendonly: 'no',
      dir: d.dir,
    });
    expect(replica.keysInOwnSlots).toBeNull();
  });

  test('keys are counted in own slots and in those that come in', async () => {
    const [a, b] = running.servers;
    if (a === undefined || b === undefined) throw new Error('two servers');
    // {06S} is slot 0, which a owns; 'foo' is slot 12182.
    await must(redis, a, [
      ['SET', '{06S}1', 'x'],
      ['SET', '{06S}2', 'x'],
    ]);
    await must(redis, b, [['CLUSTER', 'SETSLOT', 0, 'IMPORTING', answers[0]?.myId ?? '']]);
    await must(redis, b, [['ASKING'], ['SET', '{06S}3', 'x']]);
    const count = async (server: RedisServer): Promise<unknown> => {
      const { keysInOwnSlots, info } = answered(await redis.ask(server.pod, { deadlineMs: 5000, countKeys: true }));
      return { keysInOwnSlots, keys: info.keys };
    };
    expect(await count(a)).toEqual({ keysInOwnSlots: 2, keys: 2 });
    expect(await count(b)).toEqual({ keysInOwnSlots: 1, keys: 1 });
    const { view } = answered(await redis.ask(b.pod, { deadlineMs: 5000 }));
    const self = view.find(({ flags }) => flags.includes('myself'));
    expect(self?.importing).toEqual([{ slot: 0, fromNodeId: answers[0]?.myId }]);
    await must(redis, b, [['ASKING'], ['DEL', '{06S}3'], ['CLUSTER', 'SETSLOT', 0, 'STABLE']]);
  });

  test('views that agree are the same objects', async () => {
    const [a, b] = running.servers;
    if (a === undefined || b === undefined) throw new Error('two servers');
    const [one, other] = await Promise.all([a, b].map((server) => redis.ask(server.pod, { deadlineMs: 5000 })));
    if (one === undefined || other === undefined) throw new Error('two replies');
    const find = (reply: NodeReply): unknown => answered(reply).view.find(({ nodeId }) => nodeId === answers[3]?.myId);
    expect(find(one)).toBe(find(other));
  });

  test('two asks at once share a connection, and both are answered', async () => {
    const { pod } = only(running.servers);
    let dialed = 0;
    const dial: Dialer = async (...args) => {
      dialed++;
      return running.dial(...args);
    };
    const own = port({ dial });
    const replies = await Promise.all([own.ask(pod, { deadlineMs: 5000 }), own.ask(pod, { deadlineMs: 5000 })]);
    expect(replies.map(outcome)).toEqual(['answered', 'answered']);
    expect(dialed).toBe(1);
  });

  test('run gives replies in order, with errors in their places', async () => {
    const { pod } = only(running.servers);
    const replies = await redis.run(pod, [['PING'], ['NO-SUCH-COMMAND'], ['CLUSTER', 'KEYSLOT', 'foo']], 5000);
    expect(replies).toEqual([
      'PONG',
      expect.objectContaining({ message: expect.stringContaining('unknown command') }),
      12182,
    ]);
    expect(replies[1]).not.toHaveProperty('command');
  });

  test('a connection that the server closed while idle is replaced unnoticed', async () => {
    const { pod } = only(running.servers);
    const streams: Duplex[] = [];
    const dial: Dialer = async (...args) => {
      const stream = await running.dial(...args);
      streams.push(stream);
      return stream;
    };
    const own = port({ dial });
    const killed = async (): Promise<void> => {
      const [stream] = streams.slice(-1);
      await redis.run(pod, [['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']], 5000);
      if (stream?.closed === false) await once(stream, 'close');
    };
    expect(outcome(await own.ask(pod, { deadlineMs: 5000 }))).toBe('answered');
    await killed();
    expect(outcome(await own.ask(pod, { deadlineMs: 5000 }))).toBe('answered');
    await killed();
    expect(await own.run(pod, [['PING']], 5000)).toEqual(['PONG']);
    expect(streams).toHaveLength(3);
  });

  test('after close nothing is dialed any more', async () => {
    const { pod } = only(running.servers);
    const own = port();
    own.close();
    expect(outcome(await own.ask(pod, { deadlineMs: 5000 }))).toBe('error: The connections are closed already');
  });
});

describe('a node that does not answer', () => {
  test('frozen: timeout within the deadline, also on a connection that is open, and it recovers', async () => {
    const server = await start({});
    const redis = port();
    expect(outcome(await redis.ask(server.pod, { deadlineMs: 5000 }))).toBe('answered');
    server.kill('SIGSTOP');
    for (const sentence of ['timeout: No reply within 300 ms', 'timeout: No reply within 300 ms']) {
      const startedAt = performance.now();
      expect(outcome(await redis.ask(server.pod, { deadlineMs: 300 }))).toBe(sentence);
      expect(performance.now() - startedAt).toBeLessThan(1000);
    }
    await expect(redis.run(server.pod, [['PING']], 300)).rejects.toMatchObject({
      code: 'timeout',
      message: `Pod ${server.pod.name}: No reply within 300 ms`,
    });
    server.kill('SIGCONT');
    expect(outcome(await redis.ask(server.pod, { deadlineMs: 5000 }))).toBe('answered');
  });

  test('the short deadline of one does not cut off another that has more time', async () => {
    const server = await start({});
    const redis = port();
    answered(await redis.ask(server.pod, { deadlineMs: 5000 }));
    server.kill('SIGSTOP');
    const patient = redis.ask(server.pod, { deadlineMs: 10_000 });
    expect(outcome(await redis.ask(server.pod, { deadlineMs: 200 }))).toBe('timeout: No reply within 200 ms');
    server.kill('SIGCONT');
    expect(outcome(await patient)).toBe('answered');
  });

  test('gone: refused', async () => {
    const server = await start({});
    const redis = port();
    await server.stop();
    expect(outcome(await redis.ask(server.pod, { deadlineMs: 5000 }))).toBe(
      `refused: connect ECONNREFUSED ${server.address}:${server.port}`,
    );
    await expect(redis.run(server.pod, [['PING']], 5000)).rejects.toMatchObject({ code: 'refused' });
  });

  test('killed in the middle of an ask: the retry finds it refused', async () => {
    const server = await start({});
    const redis = port();
    answered(await redis.ask(server.pod, { deadlineMs: 5000 }));
    server.kill('SIGSTOP');
    const asking = redis.ask(server.pod, { deadlineMs: 10_000 });
    await server.stop();
    expect(await asking).toMatchObject({ kind: 'unreachable', why: 'refused' });
  });

  test('killed in the middle of a run: error, and the result is not known', async () => {
    const server = await start({});
    const redis = port();
    await redis.run(server.pod, [['PING']], 5000);
    server.kill('SIGSTOP');
    const outcome = redis.run(server.pod, [['CLUSTER', 'BUMPEPOCH']], 10_000).catch((error: unknown) => error);
    await server.stop();
    expect(await outcome).toMatchObject({ code: 'error', message: expect.stringContaining('connection was lost') });
  });

  test('comes back as another process at the same address: asked anew', async () => {
    const server = await start({});
    const redis = port();
    const before = answered(await redis.ask(server.pod, { deadlineMs: 5000 }));
    await server.stop();
    await server.start();
    const after = answered(await redis.ask(server.pod, { deadlineMs: 5000 }));
    expect(after.myId).toBe(before.myId);
  });

  test.each([
    ['never settles', () => new Promise<Duplex>(() => undefined)],
    ['settles too late', (): Promise<Duplex> => new Promise((resolve) => setTimeout(() => resolve(new Duplex()), 400))],
  ])('a dial that %s: timeout at the deadline', async (_, dial) => {
    const redis = port({ dial });
    const startedAt = performance.now();
    expect(outcome(await redis.ask(fakePod(), { deadlineMs: 200 }))).toBe('timeout: No connection within 200 ms');
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });

  test('a password that never comes: timeout at the deadline, and the stream is closed', async () => {
    const server = await start({});
    const streams: Duplex[] = [];
    const direct = createDirectDialer();
    const dial: Dialer = async (pod, signal) => {
      const stream = await direct(pod, signal);
      streams.push(stream);
      return stream;
    };
    const redis = port({ dial, credentials: () => new Promise(() => undefined) });
    expect(outcome(await redis.ask(server.pod, { deadlineMs: 200 }))).toBe('timeout: No connection within 200 ms');
    redis.close();
    expect(streams).toHaveLength(1);
  });

  test('a dialer is told that nobody waits any more', async () => {
    let told: AbortSignal | undefined;
    const dial: Dialer = (_, signal) => {
      told = signal;
      return new Promise(() => undefined);
    };
    await port({ dial }).ask(fakePod(), { deadlineMs: 50 });
    expect(told?.aborted).toBe(true);
  });

  test.each([
    ['tunnel: the tunnel broke', new AppError('the tunnel broke', { code: 'tunnel' })],
    ['error: may not forward', new AppError('may not forward', { code: 'forbidden' })],
    ['error: may not forward: 403', new AppError('may not forward', { code: 'forbidden', cause: new Error('403') })],
    ['error: odd', new Error('odd')],
  ])('a dialer that fails: %s', async (expected, error) => {
    const redis = port({ dial: () => Promise.reject(error) });
    expect(outcome(await redis.ask(fakePod(), { deadlineMs: 1000 }))).toBe(expected);
  });

  test('a stream that breaks with a tunnel error: tunnel', async () => {
    const dial: Dialer = () => {
      const stream: Duplex = new Duplex({
        read: () => undefined,
        write: (_chunk, _encoding, done) => {
          done();
          stream.destroy(new AppError('the tunnel to redis-1-0 broke', { code: 'tunnel' }));
        },
      });
      return Promise.resolve(stream);
    };
    expect(outcome(await port({ dial }).ask(fakePod(), { deadlineMs: 1000 }))).toBe(
      'tunnel: the tunnel to redis-1-0 broke',
    );
  });

  test('something that is not Redis: error', async () => {
    const server = createServer((socket) =>
      socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanUps.push(() => void server.close());
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const reply = await port().ask({ ...fakePod(), port: address.port }, { deadlineMs: 2000 });
    expect(reply).toMatchObject({ kind: 'unreachable', why: 'error' });
  });
});

describe('passwords', () => {
  test.each([
    ['missing', null, 'auth: NOAUTH Authentication required.'],
    ['wrong', { password: 'guess' }, 'auth: WRONGPASS invalid username-password pair or user is disabled.'],
    [
      'of an unknown user',
      { username: 'eve', password: 'guess' },
      'auth: WRONGPASS invalid username-password pair or user is disabled.',
    ],
    ['right', { password: SECRET }, 'answered'],
    ['right, with its user', { username: 'default', password: SECRET }, 'answered'],
  ])('%s', async (_, credentials, expected) => {
    const server = await start({ password: SECRET });
    const redis = port({ credentials: async () => credentials });
    expect(outcome(await redis.ask(server.pod, { deadlineMs: 5000 }))).toBe(expected);
    expect(outcome(await redis.ask(server.pod, { deadlineMs: 5000 }))).toBe(expected);
  });

  test('given, but the server wants none', async () => {
    const server = await start({});
    const redis = port({ credentials: async () => ({ password: SECRET }) });
    expect(outcome(await redis.ask(server.pod, { deadlineMs: 5000 }))).toBe('answered');
  });

  test('run with a wrong one runs nothing', async () => {
    const server = await start({ config: [['user', 'ops', 'on', `>${SECRET}`, '~*', '&*', '+@all']] });
    const redis = port({ credentials: async () => ({ username: 'ops', password: 'guess' }) });
    await expect(redis.run(server.pod, [['CLUSTER', 'BUMPEPOCH']], 5000)).rejects.toMatchObject({ code: 'auth' });
    expect(answered(await port().ask(server.pod, { deadlineMs: 5000 })).clusterInfo.currentEpoch).toBe(0);
  });

  test('never appear in what is said or thrown', async () => {
    const server = await start({ config: [['rename-command', 'AUTH', 'LOGIN']] });
    const redis = port({ credentials: async () => ({ password: SECRET }) });
    const reply = await redis.ask(server.pod, { deadlineMs: 5000 });
    expect(reply).toMatchObject({ kind: 'unreachable', why: 'auth' });
    expect(JSON.stringify(reply)).not.toContain(SECRET);
    const thrown: unknown = await redis.run(server.pod, [['PING']], 5000).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(AppError);
    expect(JSON.stringify(thrown, Object.getOwnPropertyNames(thrown))).not.toContain(SECRET);
  });

  test('that cannot be read: auth, with the reason', async () => {
    const server = await start({});
    const redis = port({ credentials: () => Promise.reject(new Error('secrets "redis-auth" is forbidden')) });
    expect(outcome(await redis.ask(server.pod, { deadlineMs: 5000 }))).toBe(
      'auth: No password to log in with: secrets "redis-auth" is forbidden',
    );
  });

  test('of a user who may not see the cluster: auth; who may not see the configuration: no configuration', async () => {
    const server = await start({
      config: [
        ['user', 'blind', 'on', `>${SECRET}`, '+ping'],
        ['user', 'guest', 'on', `>${SECRET}`, '+cluster', '+info'],
      ],
    });
    const as = (username: string): RedisPort => port({ credentials: async () => ({ username, password: SECRET }) });
    expect(await as('blind').ask(server.pod, { deadlineMs: 5000 })).toMatchObject({ why: 'auth' });
    const guest = answered(await as('guest').ask(server.pod, { deadlineMs: 5000, withConfig: true }));
    expect(guest.config).toBeNull();
  });
});

test('a server that is no cluster: not-cluster', async () => {
  const server = await start({ cluster: false });
  expect(outcome(await port().ask(server.pod, { deadlineMs: 5000 }))).toBe(
    'not-cluster: ERR This instance has cluster support disabled',
  );
});

test('a server that loads its data: loading, and how far it is', async () => {
  let delayMicroseconds = 0;
  const server = await start({
    config: () => [
      ['appendonly', 'yes'],
      ['appendfsync', 'no'],
      ['key-load-delay', String(delayMicroseconds)],
    ],
  });
  const redis = port();
  const slots = Array.from({ length: 16384 }, (_, slot) => slot);
  await must(redis, server, [['CLUSTER', 'ADDSLOTS', ...slots]]);
  await poll('writable', 10_000, async () => {
    const [reply] = await redis.run(server.pod, [['SET', 'a', '1']], 5000);
    return reply instanceof Error ? null : reply;
  });
  await must(
    redis,
    server,
    slots.map((slot) => ['SET', `key-${slot}`, 'x'] as const),
  );
  await server.stop();
  delayMicroseconds = 300;
  await server.start();
  const reply = await redis.ask(server.pod, { deadlineMs: 5000 });
  expect(reply).toEqual({
    kind: 'unreachable',
    why: 'loading',
    detail: expect.stringMatching(/^It is loading its data: [\d.]+ % done, about \d+ s left$/),
  });
});

function fakePod(): PodFacts {
  return {
    name: 'redis-1-0',
    uid: 'uid-1',
    ip: '127.0.0.1',
    host: null,
    phase: 'Running',
    ready: true,
    terminating: false,
    container: { name: 'redis', image: 'redis', state: 'running', reason: null, restarts: 0 },
    port: 1,
    labels: {},
    annotations: {},
    claims: [],
    ephemeralData: false,
    createdAt: '2026-01-01T00:00:00Z',
    owner: null,
  };
}
