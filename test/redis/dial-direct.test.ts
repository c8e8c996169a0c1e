import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { expect, test } from '@jest/globals';
import type { PodFacts } from '../../pkg/cluster/model/observation.ts';
import { createDirectDialer } from '../../pkg/redis/dial-direct.ts';
import { afterThisTest, deadPod, startServer } from '../support/redis-ask.ts';

/** A port of this machine where `server` listens. */
async function listen(server: Server, host = '127.0.0.1'): Promise<number> {
  server.listen({ port: 0, host });
  await once(server, 'listening');
  afterThisTest(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

test.each(['127.0.0.1', '::1'])('connects to %s and carries bytes', async (host) => {
  const port = await listen(
    createServer((socket) => socket.pipe(socket)),
    host,
  );
  const stream = await createDirectDialer()({ ...deadPod(), ip: host, port }, new AbortController().signal);
  stream.write('hello');
  const [chunk]: unknown[] = await once(stream, 'data');
  expect(String(chunk)).toBe('hello');
  stream.destroy();
});

test('nobody listens: refused', async () => {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  const dialing = createDirectDialer()({ ...deadPod(), port }, new AbortController().signal);
  await expect(dialing).rejects.toMatchObject({ code: 'refused', message: `connect ECONNREFUSED 127.0.0.1:${port}` });
});

test('a pod without an address is not this machine', async () => {
  const port = await listen(createServer());
  const dialing = createDirectDialer()({ ...deadPod(), ip: '', port }, new AbortController().signal);
  await expect(dialing).rejects.toMatchObject({ code: 'not-running', message: 'Pod redis-1-0 has no address yet' });
});

/** A frozen server whose queue of connections is full: the kernel drops what comes, as a dead machine would. */
async function blackHole(): Promise<PodFacts> {
  const server = await startServer({ config: [['tcp-backlog', '1']] });
  server.kill('SIGSTOP');
  const dial = createDirectDialer({ timeoutMs: 200 });
  for (;;) {
    const stream = await dial(server.pod, new AbortController().signal).catch(() => null);
    if (stream === null) return server.pod;
    afterThisTest(() => void stream.destroy());
  }
}

test('no answer: timeout', async () => {
  const pod = await blackHole();
  const dialing = createDirectDialer({ timeoutMs: 100 })(pod, new AbortController().signal);
  await expect(dialing).rejects.toMatchObject({
    code: 'timeout',
    message: `No connection to ${pod.ip}:${pod.port} in time`,
  });
});

test('given up while dialing: timeout', async () => {
  const pod = await blackHole();
  const abort = new AbortController();
  const dialing = createDirectDialer()(pod, abort.signal);
  abort.abort();
  await expect(dialing).rejects.toMatchObject({ code: 'timeout' });
});

test('given up before: nothing is dialed', async () => {
  let connections = 0;
  const port = await listen(createServer(() => connections++));
  const dialing = createDirectDialer()({ ...deadPod(), port }, AbortSignal.abort());
  await expect(dialing).rejects.toMatchObject({
    code: 'timeout',
    message: `No connection to 127.0.0.1:${port} in time`,
  });
  expect(connections).toBe(0);
});

test('an error after the connection is no crash', async () => {
  const port = await listen(createServer((socket) => socket.once('data', () => socket.resetAndDestroy())));
  const stream = await createDirectDialer()({ ...deadPod(), port }, new AbortController().signal);
  const closed = new Promise<boolean>((resolve) => stream.once('close', resolve));
  stream.resume().write('hello');
  expect(await closed).toBe(true);
});
