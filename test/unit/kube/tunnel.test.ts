import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, test } from '@jest/globals';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { podFacts } from '../../../pkg/kube/facts.ts';
import { createTunnelDialer } from '../../../pkg/kube/tunnel.ts';
import { tunnelStream } from '../../../pkg/kube/tunnel-stream.ts';
import { sendStatus, startHttpStub } from '../../support/http-stub.ts';
import type { HttpStub } from '../../support/http-stub.ts';
import { DATA, ERROR, frame, startPortForward } from '../../support/port-forward-stub.ts';
import { rawPod } from '../../support/kube-json.ts';

const pod = podFacts(rawPod());
const soon = (): AbortSignal => AbortSignal.timeout(5_000);
const stubs: HttpStub[] = [];
const streams: Duplex[] = [];

afterEach(async () => {
  for (const stream of streams.splice(0)) stream.destroy();
  for (const stub of stubs.splice(0)) await stub.close();
});

async function apiServer(onOpen: (socket: WebSocket, path: string) => void, announce = true): Promise<HttpStub> {
  const stub = await startPortForward(onOpen, announce);
  stubs.push(stub);
  return stub;
}

async function dial(stub: HttpStub, signal = soon()): Promise<Duplex> {
  const stream = await createTunnelDialer(stub.client(), 'db')(pod, signal);
  streams.push(stream);
  return stream;
}

/** Echoes what comes on the data channel, in upper case. */
const shout = (socket: WebSocket): void => {
  socket.on('message', (message: Buffer) => socket.send(frame(DATA, message.subarray(1).toString().toUpperCase())));
};

/** Waits until a number has not changed for twenty looks. */
async function steady(look: () => number): Promise<void> {
  for (let same = 0, last = look(), end = performance.now() + 5_000; same < 20;) {
    if (performance.now() > end) throw new Error(`still changing: ${last}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
    const now = look();
    same = now === last ? same + 1 : 0;
    last = now;
  }
}

describe('a tunnel', () => {
  test('carries data both ways, without the channel numbers', async () => {
    const paths: string[] = [];
    const stub = await apiServer((socket, path) => {
      paths.push(path);
      shout(socket);
    });
    const stream = await dial(stub);
    stream.write('ping');
    stream.write(Buffer.from(' pong'));
    let text = '';
    for await (const chunk of stream) {
      text += String(chunk);
      if (text === 'PING PONG') break;
    }
    expect(text).toBe('PING PONG');
    expect(paths).toEqual(['/api/v1/namespaces/db/pods/redis-1-0/portforward?ports=6379']);
  });

  test('ends when the pod closes', async () => {
    const stub = await apiServer((socket) => {
      socket.send(frame(DATA, 'bye'));
      socket.close(1000);
    });
    const stream = await dial(stub);
    const chunks: string[] = [];
    for await (const chunk of stream) chunks.push(String(chunk));
    expect(chunks.join('')).toBe('bye');
  });

  test('closes the socket when we end it', async () => {
    let closed: Promise<unknown> = Promise.resolve();
    const stub = await apiServer((socket) => {
      closed = once(socket, 'close');
    });
    const stream = await dial(stub);
    stream.end();
    await closed;
    await once(stream.resume(), 'close');
    expect(stream.errored).toBeNull();
  });

  test('a slow reader holds the server up instead of filling our memory', async () => {
    const mebibyte = Buffer.alloc(1 << 20, 'x');
    const server: { socket?: WebSocket } = {};
    const stub = await apiServer((socket) => {
      server.socket = socket;
      for (let i = 0; i < 64; i++) socket.send(frame(DATA, mebibyte));
    });
    const stream = await dial(stub);
    stream.read(0);
    await steady(() => server.socket?.bufferedAmount ?? 0);
    expect(stream.readableLength).toBeLessThan(4 << 20);
    expect(server.socket?.bufferedAmount).toBeGreaterThan(16 << 20);
    let total = 0;
    for await (const chunk of stream) {
      total += (chunk as Buffer).length;
      if (total === 64 << 20) break;
    }
    expect(total).toBe(64 << 20);
  });
});

describe('a tunnel that fails', () => {
  const refused =
    'error forwarding port 6379 to pod 1c8a, uid : failed to execute portforward in network namespace "/var/run/netns/cni-f": failed to connect to localhost:6379 inside namespace "1c8a", IPv4: dial tcp4 127.0.0.1:6379: connect: connection refused';

  test('nothing listens in the pod', async () => {
    const stub = await apiServer((socket) => socket.send(frame(ERROR, refused)));
    await expect(dial(stub)).rejects.toMatchObject({
      code: 'refused',
      message: 'nothing listens on port 6379 of pod redis-1-0',
      cause: refused,
    });
  });

  test('the same, told late', async () => {
    const server: { socket?: WebSocket } = {};
    const stream = await dial(await apiServer((socket) => (server.socket = socket)));
    server.socket?.send(frame(ERROR, refused));
    const [error] = (await once(stream, 'error')) as [unknown];
    expect(error).toMatchObject({ code: 'refused' });
  });

  test('the kubelet says something else', async () => {
    const stub = await apiServer((socket) => socket.send(frame(ERROR, 'sandbox is not running')));
    await expect(dial(stub)).rejects.toMatchObject({
      code: 'tunnel',
      message: 'cannot forward port 6379 of pod redis-1-0',
      cause: 'sandbox is not running',
    });
  });

  test('the connection is lost', async () => {
    const server: { socket?: WebSocket } = {};
    const stream = await dial(await apiServer((socket) => (server.socket = socket)));
    server.socket?.terminate();
    const [error] = (await once(stream, 'error')) as [unknown];
    expect(error).toMatchObject({ code: 'tunnel', message: 'lost the tunnel to pod redis-1-0' });
  });

  test('an idle tunnel whose pings are not answered is given up', async () => {
    const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1', autoPong: false });
    await once(sockets, 'listening');
    const { port } = sockets.address() as { port: number };
    const { WebSocket: Client } = await import('ws');
    const client = new Client(`ws://127.0.0.1:${port}`);
    await once(client, 'open');
    const stream = tunnelStream(client, { pod: 'a', port: 1 }, () => undefined, 20);
    const [error] = (await once(stream, 'error')) as [unknown];
    expect(error).toMatchObject({ code: 'tunnel', cause: 'no answer to a ping within 0.02 s' });
    await new Promise((resolve) => sockets.close(resolve));
  });

  test.each<[number, string, string, object]>([
    [
      404,
      'NotFound',
      'pods "redis-1-0" not found',
      { code: 'tunnel', message: 'cannot reach pod redis-1-0: pods "redis-1-0" not found' },
    ],
    [
      400,
      'BadRequest',
      'pod redis-1-0 does not have a host assigned',
      { code: 'tunnel', message: 'cannot reach pod redis-1-0: pod redis-1-0 does not have a host assigned' },
    ],
    [
      502,
      'Bad',
      'error dialing backend: dial tcp 10.0.0.2:10250: no route to host',
      {
        code: 'tunnel',
        message: 'cannot reach pod redis-1-0: error dialing backend: dial tcp 10.0.0.2:10250: no route to host',
      },
    ],
    [
      403,
      'Forbidden',
      'pods "redis-1-0" is forbidden: User "eve" cannot create resource "pods/portforward" in API group "" in the namespace "db"',
      {
        code: 'tunnel',
        message: 'no right to reach pods: port-forwarding needs get and create on pods/portforward',
        hint: "Ask the cluster's administrator for it; to test: kubectl auth can-i create pods/portforward -n db",
      },
    ],
  ])('the API server answers %d', async (code, reason, message, expected) => {
    const stub = await startHttpStub((_request, response) => sendStatus(response, code, reason, message));
    stubs.push(stub);
    await expect(dial(stub)).rejects.toMatchObject(expected);
  });

  test('the API server is gone', async () => {
    const stub = await apiServer(shout);
    const client = stub.client();
    await stub.close();
    stubs.pop();
    await expect(createTunnelDialer(client, 'db')(pod, soon())).rejects.toMatchObject({ code: 'tunnel' });
  });

  test('the deadline passes before the kubelet answers', async () => {
    const stub = await apiServer(() => undefined, false);
    await expect(dial(stub, AbortSignal.timeout(50))).rejects.toMatchObject({
      code: 'timeout',
      message: 'no tunnel to pod redis-1-0: it did not open in time',
    });
  });

  test('the deadline has passed already', async () => {
    const stub = await apiServer(shout);
    await expect(dial(stub, AbortSignal.abort())).rejects.toMatchObject({ code: 'timeout' });
  });
});

describe('places', () => {
  test('who comes later waits until a tunnel closes, in turn', async () => {
    let open = 0;
    let most = 0;
    const stub = await apiServer((socket) => {
      most = Math.max(most, ++open);
      socket.on('close', () => open--);
      shout(socket);
    });
    const dialer = createTunnelDialer(stub.client(), 'db', { maxOpen: 2 });
    const order = await Promise.all(
      [1, 2, 3, 4, 5].map(async (number) => {
        const stream = await dialer(pod, soon());
        stream.write('x');
        await once(stream, 'data');
        stream.destroy();
        return number;
      }),
    );
    expect(order).toEqual([1, 2, 3, 4, 5]);
    expect(most).toBeLessThanOrEqual(2);
  });

  test('all tunnels are in use until the deadline', async () => {
    const stub = await apiServer(shout);
    const dialer = createTunnelDialer(stub.client(), 'db', { maxOpen: 1 });
    streams.push(await dialer(pod, soon()));
    await expect(dialer(pod, AbortSignal.timeout(20))).rejects.toMatchObject({
      code: 'timeout',
      message: 'no tunnel to pod redis-1-0: all tunnels are in use',
    });
  });

  test('a tunnel that could not be opened gives its place back', async () => {
    const stub = await startHttpStub((_request, response) => sendStatus(response, 404, 'NotFound', 'gone'));
    stubs.push(stub);
    const dialer = createTunnelDialer(stub.client(), 'db', { maxOpen: 1 });
    for (let i = 0; i < 3; i++) await expect(dialer(pod, soon())).rejects.toMatchObject({ code: 'tunnel' });
  });
});
