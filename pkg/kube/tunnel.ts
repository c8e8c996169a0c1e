/**
 * Reaching the Redis port of a pod through the API server (`pods/portforward` over a WebSocket): no local ports, no
 * network route to the pods. One tunnel is one TCP connection in the pod.
 */
import type { Duplex } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import type { ClientOptions } from 'ws';
import type { PodFacts } from '../cluster/model/observation.ts';
import { MAX_TUNNELS, type Dialer } from '../engine/ports.ts';
import { AppError, reasonOf } from '../errors.ts';
import type { RestClient } from './client.ts';
import { errorOfAnswer, errorOfTransport } from './http-errors.ts';
import type { Asked } from './http-errors.ts';
import { createPlaces } from './places.ts';
import type { Places } from './places.ts';
import { tunnelStream } from './tunnel-stream.ts';

export interface TunnelOptions {
  /** Tunnels open at once; the next ones wait until one is closed. Default: for 32 nodes, and for as many that are silent. */
  readonly maxOpen?: number;
}

const PROTOCOL = 'v4.channel.k8s.io';

/**
 * A Dialer for the pods of one namespace. Rejects with AppError `tunnel` (no such pod, not running, no right, kubelet not
 * reachable) or `timeout` (the signal aborted, also while waiting for a free place).
 */
export function createTunnelDialer(client: RestClient, namespace: string, options: TunnelOptions = {}): Dialer {
  const places = createPlaces(options.maxOpen ?? 2 * MAX_TUNNELS);
  return async (pod, given) => {
    // One signal may be given to hundreds of dials; listeners go on one of our own, or Node warns of a leak.
    const signal = AbortSignal.any([given]);
    const free = await takePlace(places, pod, signal);
    try {
      const stream = await openTunnel(client, namespace, pod, signal);
      stream.once('close', free);
      return stream;
    } catch (error) {
      free();
      throw error;
    }
  };
}

async function takePlace(places: Places, pod: PodFacts, signal: AbortSignal): Promise<() => void> {
  try {
    return await places.take(signal);
  } catch (error) {
    throw timeout(pod, 'all tunnels are in use', error);
  }
}

async function openTunnel(client: RestClient, namespace: string, pod: PodFacts, signal: AbortSignal): Promise<Duplex> {
  const asked: Asked = { verb: 'create', resource: 'pods/portforward', namespace, name: pod.name };
  const options = await socketOptions(client);
  if (signal.aborted) throw timeout(pod, 'the deadline passed', signal.reason);
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod.name)}/portforward`;
  const socket = new WebSocket(
    `${client.baseUrl.replace(/^http/, 'ws')}${path}?ports=${pod.port}`,
    [PROTOCOL],
    options,
  );
  return await new Promise<Duplex>((resolve, reject) => {
    const fail = (error: Error): void => {
      signal.removeEventListener('abort', onAbort);
      reject(error);
      socket.terminate();
    };
    const onAbort = (): void => fail(timeout(pod, 'it did not open in time', signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    // Stays for good: a socket that is terminated while it connects emits an error, which nobody else would hear.
    socket.on('error', (error) => fail(tunnelError(pod, errorOfTransport(error, client.server))));
    socket.once('unexpected-response', (_request, response: IncomingMessage) => {
      void readText(response).then((body) =>
        fail(tunnelError(pod, errorOfAnswer(response.statusCode ?? 0, body, asked, client.server))),
      );
    });
    // The stream must listen before this event is over: the first messages may have come with the handshake.
    socket.once('open', () => {
      const stream = tunnelStream(socket, { pod: pod.name, port: pod.port }, () =>
        setImmediate(() => {
          signal.removeEventListener('abort', onAbort);
          resolve(stream);
        }),
      );
      // Before we have resolved it rejects; later errors are for who uses the stream, and must not end the process.
      stream.on('error', fail);
    });
  });
}

async function socketOptions(client: RestClient): Promise<ClientOptions> {
  const { headers, tls, agent, resume } = await client.credentials();
  const sent = Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'Accept'));
  return {
    ...(tls as ClientOptions),
    headers: sent as Record<string, string>,
    perMessageDeflate: false,
    ...(client.viaProxy ? { agent } : {}),
    // Not in the types, but handed on to tls.connect.
    ...(resume.session === null ? {} : { session: resume.session }),
  };
}

/** A row of a view shows one sentence: what is in the way to this pod. */
function tunnelError(pod: PodFacts, error: AppError): AppError {
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  if (error.code === 'forbidden') {
    return new AppError('no right to reach pods: port-forwarding needs get and create on pods/portforward', {
      code: 'tunnel',
      cause: error.cause,
      ...hint,
    });
  }
  const why = error.code === 'server-unreachable' ? error.message : reasonOf(error.cause ?? error.message);
  return new AppError(`cannot reach pod ${pod.name}: ${why}`, { code: 'tunnel', cause: error.cause, ...hint });
}

function timeout(pod: PodFacts, why: string, cause: unknown): AppError {
  return new AppError(`no tunnel to pod ${pod.name}: ${why}`, { code: 'timeout', cause });
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer);
  } catch {
    // A broken answer still has its status code, which is enough for a sentence.
  }
  return Buffer.concat(chunks).toString('utf8');
}
