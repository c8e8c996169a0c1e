/**
 * Nothing that changes an object is written to a connection while the lease is not surely held (FINDINGS K15), however
 * long that takes.
 */
import { createServer as createTcpServer, connect, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:https';
import { afterEach, describe, expect, test } from '@jest/globals';
import { AppError } from '../../../pkg/errors.ts';
import type { Fence } from '../../../pkg/engine/ports.ts';
import { createRestClient, type RestClient } from '../../../pkg/kube/client.ts';
import { createKubePort } from '../../../pkg/kube/kube-port.ts';
import { makeCertificate } from '../../playground/api/certificate.ts';
import { sendJson, sendStatus, startHttpStub, stubTarget, type HttpStub } from '../../support/http-stub.ts';
import { poll } from '../../support/redis-server.ts';

const OBJECT = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } };

const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Gate extends Fence {
  open: boolean;
  /** How often somebody waited for it. */
  readonly waited: number;
  let(): void;
  lose(): void;
}

function gate(): Gate {
  const waiting: { through: () => void; lost: (error: Error) => void }[] = [];
  let waited = 0;
  const made: Gate = {
    open: true,
    connectionName: 'kubectl-redis:test',
    isOpen: () => made.open,
    pass: () => {
      if (made.open) return Promise.resolve();
      waited += 1;
      return new Promise((through, lost) => waiting.push({ through, lost }));
    },
    let: () => {
      made.open = true;
      for (const one of waiting.splice(0)) one.through();
    },
    lose: () => {
      for (const one of waiting.splice(0)) one.lost(new AppError('lost', { code: 'lease-lost' }));
    },
    get waited() {
      return waited;
    },
  };
  return made;
}

async function stubOf(answer: Parameters<typeof startHttpStub>[0]): Promise<HttpStub> {
  const stub = await startHttpStub(answer);
  closers.push(() => stub.close());
  return stub;
}

const WRITES = {
  apply: (client: RestClient, fence: Fence) => createKubePort(client, 'db').apply(OBJECT, { fence }),
  create: (client: RestClient, fence: Fence) => createKubePort(client, 'db').create(OBJECT, { fence }),
  replace: (client: RestClient, fence: Fence) => createKubePort(client, 'db').replace(OBJECT, { fence }),
  remove: (client: RestClient, fence: Fence) => createKubePort(client, 'db').remove('v1', 'ConfigMap', 'x', { fence }),
  evict: (client: RestClient, fence: Fence) => createKubePort(client, 'db').evict('x', 'uid', { fence }),
} as const;

describe.each(Object.entries(WRITES))('K15: %s', (_, write) => {
  test('is not sent when the lease was lost while a token was being fetched', async () => {
    const stub = await stubOf((_request, response) => sendJson(response, 200, {}));
    const fence = gate();
    let give = (): void => undefined;
    const config = { applyToHTTPSOptions: () => new Promise<void>((resolve) => (give = resolve)) };
    const writing = write(stub.client({}, { config }), fence);
    writing.catch(() => undefined);
    fence.open = false;
    give();
    await poll('it waits', 5_000, async () => (fence.waited > 0 ? true : null));
    fence.lose();
    await expect(writing).rejects.toMatchObject({ code: 'lease-lost' });
    expect(stub.seen).toEqual([]);
  });

  test('is sent when it is held again', async () => {
    const stub = await stubOf((_request, response) => sendJson(response, 200, {}));
    const fence = gate();
    fence.open = false;
    const writing = write(stub.client(), fence);
    await poll('it waits', 5_000, async () => (fence.waited > 0 ? true : null));
    expect(stub.seen).toEqual([]);
    fence.let();
    await writing;
    expect(stub.seen).toHaveLength(1);
  });
});

test('K15: a second try, because the server was busy, asks again', async () => {
  const fence = gate();
  const stub = await stubOf((_request, response) => {
    fence.open = false;
    sendStatus(response, 429, 'TooManyRequests', 'slow down', { headers: { 'Retry-After': '0' } });
  });
  const writing = WRITES.apply(stub.client(), fence);
  writing.catch(() => undefined);
  await poll('it waits', 5_000, async () => (fence.waited > 0 ? true : null));
  fence.lose();
  await expect(writing).rejects.toMatchObject({ code: 'lease-lost' });
  expect(stub.seen).toHaveLength(1);
});

test('K15: a connection that takes its time is asked for when it is there, not before', async () => {
  const { key, certificate, authority } = await makeCertificate('127.0.0.1');
  let requests = 0;
  const server = createTlsServer({ key, cert: certificate }, (_request, response) => {
    requests += 1;
    response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const held: Socket[] = [];
  const slow = createTcpServer((socket) => held.push(socket.pause()));
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
  closers.push(
    () => void server.close(),
    () => void slow.close(),
  );
  const url = `https://127.0.0.1:${(slow.address() as AddressInfo).port}`;
  const config = {
    applyToHTTPSOptions: (options: { ca?: unknown }) => {
      options.ca = authority;
      return Promise.resolve();
    },
  };
  const client = createRestClient(stubTarget(url, { config }));
  closers.push(() => client.close());
  const fence = gate();
  const writing = WRITES.apply(client, fence);
  writing.catch(() => undefined);
  const socket = await poll('it connects', 5_000, async () => held[0] ?? null);
  // It was open when the request was made, and is shut when TLS is agreed on.
  fence.open = false;
  const through = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.pipe(through).pipe(socket);
  closers.push(
    () => void socket.destroy(),
    () => void through.destroy(),
  );
  await poll('it waits', 5_000, async () => (fence.waited > 0 ? true : null));
  fence.lose();
  await expect(writing).rejects.toMatchObject({ code: 'lease-lost' });
  expect(requests).toBe(0);
  fence.open = true;
  // The next connection, too, goes through the slow one; it is not held up.
  slow.removeAllListeners('connection').on('connection', (next: Socket) => {
    const on = connect((server.address() as AddressInfo).port, '127.0.0.1');
    next.pipe(on).pipe(next);
    closers.push(
      () => void next.destroy(),
      () => void on.destroy(),
    );
  });
  await WRITES.apply(client, fence);
  expect(requests).toBe(1);
});
