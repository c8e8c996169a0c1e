import { once } from 'node:events';
import { createServer } from 'node:net';
import { Duplex } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { AppError } from '../../pkg/errors.ts';
import type { Dialer } from '../../pkg/engine/ports.ts';
import { createDirectDialer } from '../../pkg/redis/dial-direct.ts';
import { must } from '../support/form-cluster.ts';
import { afterThisTest, answered, deadPod, openPort, outcome, startServer } from '../support/redis-ask.ts';
import { poll } from '../support/redis-server.ts';

describe('a node that does not answer', () => {
  test('frozen: timeout within the deadline, also on a connection that is open, and it recovers', async () => {
    const server = await startServer();
    const redis = openPort();
    expect(outcome(await redis.ask(server.pod, { deadlineMs: 5000 }))).toBe('answered');
    server.kill('SIGSTOP');
    for (const sentence of ['timeout: no answer in 0.3 s', 'timeout: no answer in 0.3 s']) {
      const startedAt = performance.now();
      expect(outcome(await redis.ask(server.pod, { deadlineMs: 300 }))).toBe(sentence);
      expect(performance.now() - startedAt).toBeLessThan(1000);
    }
    await expect(redis.run(server.pod, [['PING']], 300)).rejects.toMatchObject({
      code: 'timeout',
      message: `Pod ${server.pod.name}: no answer in 0.3 s`,
    });
    server.kill('SIGCONT');
    expect(outcome(await redis.ask(server.pod, { deadlineMs: 5000 }))).toBe('answered');
  });

  test('the short deadline of one does not cut off another that has more time', async () => {
    const server = await startServer();
    const redis = openPort();
    answered(await redis.ask(server.pod, { deadlineMs: 5000 }));
    server.kill('SIGSTOP');
    const patient = redis.ask(server.pod, { deadlineMs: 10_000 });
    expect(outcome(await redis.ask(server.pod, { deadlineMs: 200 }))).toBe('timeout: no answer in 0.2 s');
    server.kill('SIGCONT');
    expect(outcome(await patient)).toBe('answered');
  });

  test('gone: refused', async () => {
    const server = await startServer();
    const redis = openPort();
    await server.stop();
    expect(outcome(await redis.ask(server.pod, { deadlineMs: 5000 }))).toBe(
      `refused: connect ECONNREFUSED ${server.address}:${server.port}`,
    );
    await expect(redis.run(server.pod, [['PING']], 5000)).rejects.toMatchObject({ code: 'refused' });
  });

  test('killed in the middle of an ask: the retry finds that it has gone', async () => {
    const server = await startServer();
    const redis = openPort();
    answered(await redis.ask(server.pod, { deadlineMs: 5000 }));
    server.kill('SIGSTOP');
    const asking = redis.ask(server.pod, { deadlineMs: 10_000 });
    await server.stop();
    // A process that ends closes what it has open one after the other: the second try may still be taken, and lost, too.
    const why = expect.stringMatching(/^(refused|error)$/);
    expect(await asking).toMatchObject({ kind: 'unreachable', why });
  });

  test('killed in the middle of a run: error, and the result is not known', async () => {
    const server = await startServer();
    const redis = openPort();
    await redis.run(server.pod, [['PING']], 5000);
    server.kill('SIGSTOP');
    const outcome = redis.run(server.pod, [['CLUSTER', 'BUMPEPOCH']], 10_000).catch((error: unknown) => error);
    await server.stop();
    expect(await outcome).toMatchObject({ code: 'error', message: expect.stringContaining('connection was lost') });
  });

  test('comes back as another process at the same address: asked anew', async () => {
    const server = await startServer();
    const redis = openPort();
    const before = answered(await redis.ask(server.pod, { deadlineMs: 5000 }));
    await server.stop();
    await server.start();
    const after = answered(await redis.ask(server.pod, { deadlineMs: 5000 }));
    expect(after.myId).toBe(before.myId);
  });

  test('a dial that never settles: timeout at the deadline', async () => {
    const redis = openPort({ dial: () => new Promise(() => undefined) });
    const startedAt = performance.now();
    expect(outcome(await redis.ask(deadPod(), { deadlineMs: 200 }))).toBe(
      'timeout: the connection did not open in 0.2 s',
    );
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });

  test('a dial that settles too late: timeout at the deadline, and the stream is closed', async () => {
    const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
    const { promise, resolve } = deferred<Duplex>();
    const redis = openPort({ dial: () => promise });
    expect(outcome(await redis.ask(deadPod(), { deadlineMs: 100 }))).toBe(
      'timeout: the connection did not open in 0.1 s',
    );
    resolve(stream);
    await once(stream, 'close');
    expect(stream.destroyed).toBe(true);
  });

  test('a password that never comes: timeout at the deadline, and the stream is closed', async () => {
    const server = await startServer();
    const streams: Duplex[] = [];
    const direct = createDirectDialer();
    const dial: Dialer = async (pod, signal) => {
      const stream = await direct(pod, signal);
      streams.push(stream);
      return stream;
    };
    const redis = openPort({ dial, credentials: () => new Promise(() => undefined) });
    expect(outcome(await redis.ask(server.pod, { deadlineMs: 200 }))).toBe(
      'timeout: the password could not be read in 0.2 s',
    );
    expect(streams.map(({ destroyed }) => destroyed)).toEqual([true]);
  });

  test('C6: heard, and too slow to count its keys: answered, not counted, and the next one gets another connection', async () => {
    const server = await startServer();
    const direct = createDirectDialer();
    // Lets through what comes within the first moment of a connection: the answer, not the counts.
    const dial: Dialer = async (pod, signal) => {
      const stream = await direct(pod, signal);
      const write = stream.write.bind(stream) as (chunk: unknown, ...rest: unknown[]) => boolean;
      const swallow = (chunk: unknown, ...rest: unknown[]): boolean =>
        String(chunk).toLowerCase().includes('countkeysinslot') ? true : write(chunk, ...rest);
      return Object.assign(stream, { write: swallow });
    };
    const redis = openPort({ dial });
    await must(redis, server, [['CLUSTER', 'ADDSLOTS', 1, 2, 3]]);
    const slow = answered(await redis.ask(server.pod, { deadlineMs: 300, countKeys: true }));
    expect([slow.keysInOwnSlots, slow.notCounted]).toEqual([null, 'no answer in 0.3 s']);
    const next = answered(await redis.ask(server.pod, { deadlineMs: 300 }));
    expect([next.myId, next.notCounted]).toEqual([slow.myId, undefined]);
  });

  test('a dialer is told that nobody waits any more', async () => {
    let told: AbortSignal | undefined;
    const dial: Dialer = (_, signal) => {
      told = signal;
      return new Promise(() => undefined);
    };
    await openPort({ dial }).ask(deadPod(), { deadlineMs: 50 });
    expect(told?.aborted).toBe(true);
  });

  test.each([
    ['tunnel: the tunnel broke', new AppError('the tunnel broke', { code: 'tunnel' })],
    ['error: may not forward', new AppError('may not forward', { code: 'forbidden' })],
    ['error: may not forward: 403', new AppError('may not forward', { code: 'forbidden', cause: new Error('403') })],
    ['error: odd', new Error('odd')],
  ])('a dialer that fails: %s', async (expected, error) => {
    const redis = openPort({ dial: () => Promise.reject(error) });
    expect(outcome(await redis.ask(deadPod(), { deadlineMs: 1000 }))).toBe(expected);
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
    expect(outcome(await openPort({ dial }).ask(deadPod(), { deadlineMs: 1000 }))).toBe(
      'tunnel: the tunnel to redis-1-0 broke',
    );
  });

  test('something that is not Redis: error', async () => {
    const server = createServer((socket) =>
      socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    afterThisTest(() => void server.close());
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const reply = await openPort().ask({ ...deadPod(), port: address.port }, { deadlineMs: 2000 });
    expect(reply).toMatchObject({ kind: 'unreachable', why: 'error' });
  });
});

test('a server that is no cluster: not-cluster', async () => {
  const server = await startServer({ cluster: false });
  expect(outcome(await openPort().ask(server.pod, { deadlineMs: 5000 }))).toBe(
    'not-cluster: ERR This instance has cluster support disabled',
  );
});

test('a server that loads its data: loading, and how far it is', async () => {
  let delayMicroseconds = 0;
  const server = await startServer({
    config: () => [
      ['rdbcompression', 'no'],
      ['key-load-delay', String(delayMicroseconds)],
    ],
  });
  const redis = openPort();
  const slots = Array.from({ length: 16384 }, (_, slot) => slot);
  await must(redis, server, [['CLUSTER', 'ADDSLOTS', ...slots]]);
  await poll('writable', 10_000, async () => {
    const [reply] = await redis.run(server.pod, [['SET', 'a', '1']], 5000);
    return reply instanceof Error ? null : reply;
  });
  await must(
    redis,
    server,
    // Large ones: a server looks up from loading every 2 MB only.
    slots.map((slot) => ['SET', `key-${slot}`, 'x'.repeat(1000)] as const),
  );
  await must(redis, server, [['SAVE']]);
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

function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}
