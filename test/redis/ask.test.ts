import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { NodeAnswer, NodeReply } from '../../pkg/cluster/model/observation.ts';
import type { Dialer, RedisPort } from '../../pkg/engine/ports.ts';
import { createRedisPort } from '../../pkg/redis/connect.ts';
import { formCluster, must } from '../support/form-cluster.ts';
import { answered, at, openPort, outcome } from '../support/redis-ask.ts';
import { startRedisServers } from '../support/redis-server.ts';
import type { RedisServer, RedisServers } from '../support/redis-server.ts';

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
    const [a, d] = [at(running.servers, 0), at(running.servers, 3)];
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
    expect(replica.libraries).toEqual({});
  });

  test('keys are counted in own slots and in those that come in', async () => {
    const [a, b] = [at(running.servers, 0), at(running.servers, 1)];
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
    const [a, b] = [at(running.servers, 0), at(running.servers, 1)];
    const one = await redis.ask(a.pod, { deadlineMs: 5000 });
    const other = await redis.ask(b.pod, { deadlineMs: 5000 });
    const find = (reply: NodeReply): unknown => answered(reply).view.find(({ nodeId }) => nodeId === answers[3]?.myId);
    expect(find(one)).toBe(find(other));
  });

  test('two asks at once share a connection, and both are answered', async () => {
    const { pod } = at(running.servers, 0);
    let dialed = 0;
    const dial: Dialer = async (...args) => {
      dialed++;
      return running.dial(...args);
    };
    const own = openPort({ dial });
    const replies = await Promise.all([own.ask(pod, { deadlineMs: 5000 }), own.ask(pod, { deadlineMs: 5000 })]);
    expect(replies.map(outcome)).toEqual(['answered', 'answered']);
    expect(dialed).toBe(1);
  });

  test('run gives replies in order, with errors in their places', async () => {
    const { pod } = at(running.servers, 0);
    const replies = await redis.run(pod, [['PING'], ['NO-SUCH-COMMAND'], ['CLUSTER', 'KEYSLOT', 'foo']], 5000);
    expect(replies).toEqual([
      'PONG',
      expect.objectContaining({ message: expect.stringContaining('unknown command') }),
      12182,
    ]);
    expect(replies[1]).not.toHaveProperty('command');
  });

  test('a connection that the server closed while idle is replaced unnoticed', async () => {
    const { pod } = at(running.servers, 0);
    const streams: Duplex[] = [];
    const dial: Dialer = async (...args) => {
      const stream = await running.dial(...args);
      streams.push(stream);
      return stream;
    };
    const own = openPort({ dial });
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
    const { pod } = at(running.servers, 0);
    const own = openPort();
    own.close();
    expect(outcome(await own.ask(pod, { deadlineMs: 5000 }))).toBe('error: The connections are closed already');
  });
});
