/**
 * A thin REST client of the Kubernetes API over node:https: kept-alive connections, a deadline on every request, errors
 * that name verb, resource and namespace. It knows HTTP and nothing of our objects.
 */
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { setTimeout as delay } from 'node:timers/promises';
import type { Fence } from '../engine/ports.ts';
import { AppError } from '../errors.ts';
import type { KubeTarget } from './config.ts';
import { createCredentialSource } from './credentials.ts';
import type { Credentials } from './credentials.ts';
import { errorOfAnswer, errorOfTimeout, errorOfTransport } from './http-errors.ts';
import type { Asked, ServerName } from './http-errors.ts';
import { systemCode } from './system-code.ts';

export interface RestRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly asked: Asked;
  readonly signal?: AbortSignal | undefined;
  /** Asked when the connection is there and the request is about to be written to it, at every try. */
  readonly fence?: Fence | undefined;
  /** Whether asking twice does no harm: a busy server or a lost connection is then tried again. */
  readonly repeatable: boolean;
}

export interface RestClient {
  readonly server: ServerName;
  /** Host and scheme with path prefix, as the kubeconfig says: `https://10.0.0.1:6443`. */
  readonly baseUrl: string;
  readonly viaProxy: boolean;
  /** The answer's JSON. @throws {AppError} see http-errors.ts; the signal's reason when it aborts. */
  json(request: RestRequest): Promise<unknown>;
  /** The answer's text (pod logs). */
  text(request: RestRequest): Promise<string>;
  /** The answer itself, once its head is there; the deadline does not bound its body (watches). */
  stream(request: RestRequest): Promise<IncomingMessage>;
  /** For the WebSocket of a tunnel. */
  credentials(): Promise<Credentials>;
  close(): void;
}

export interface RestOptions {
  /** Deadline of one request; default 30 s. */
  readonly requestTimeoutMs?: number;
  /** Called once, when the first connection is being opened: time to do what can be done until the server answers. */
  readonly onFirstRequest?: () => void;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_TRIES = 4;
const MAX_RETRY_AFTER_MS = 5_000;

interface Context {
  readonly baseUrl: string;
  readonly name: ServerName;
  readonly credentials: () => Promise<Credentials>;
  readonly forget: () => void;
  readonly timeoutMs: number;
  readonly onSocket: () => void;
}

/** A request in flight: the answer's head, and how to say what went wrong while its body is read. */
interface Opened {
  readonly response: IncomingMessage;
  readonly explain: (error: unknown) => unknown;
}

export function createRestClient(target: KubeTarget, options: RestOptions = {}): RestClient {
  const source = createCredentialSource(target);
  let sent = false;
  const context: Context = {
    baseUrl: target.server,
    name: { server: target.server, context: target.context, as: target.impersonate?.user ?? null },
    credentials: () => source.get(),
    forget: () => source.forget(),
    timeoutMs: options.requestTimeoutMs ?? DEFAULT_TIMEOUT_MS,
    onSocket: () => {
      if (!sent) options.onFirstRequest?.();
      sent = true;
    },
  };
  const text = (request: RestRequest): Promise<string> => withRetries(context, request, 'body', readAnswer);
  return {
    server: context.name,
    baseUrl: target.server,
    viaProxy: target.proxyUrl !== null,
    text,
    json: async (request) => {
      const body = await text(request);
      return body === '' ? null : (JSON.parse(body) as unknown);
    },
    stream: (request) => withRetries(context, request, 'head', (opened) => Promise.resolve(opened.response)),
    credentials: context.credentials,
    close: () => source.close(),
  };
}

/** Runs the request, again where the server asks for patience or did not like our token, and reads what `use` wants. */
async function withRetries<T>(
  context: Context,
  request: RestRequest,
  bound: 'body' | 'head',
  use: (opened: Opened) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    let opened: Opened;
    try {
      opened = await open(context, request, bound);
    } catch (error) {
      if (error instanceof FenceShut) {
        await request.fence?.pass();
        continue;
      }
      // A kept-alive connection that the server was just closing: the request was never read.
      if (attempt === 1 && request.repeatable && error instanceof StaleConnection) continue;
      throw error instanceof StaleConnection ? errorOfTransport(error.cause, context.name) : error;
    }
    const status = opened.response.statusCode ?? 0;
    if (status >= 200 && status < 300) return await use(opened);
    const body = await readAnswer(opened);
    const again = attempt < MAX_TRIES ? retryDelayMs(status, opened.response, request, attempt) : null;
    if (again === null) throw errorOfAnswer(status, body, request.asked, context.name);
    if (status === 401) context.forget();
    await pause(again, request.signal);
  }
}

/** @throws the signal's reason when it aborts. */
async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : error;
  }
}

/** How long to wait before the next try; null when there is to be none. */
function retryDelayMs(status: number, response: IncomingMessage, request: RestRequest, attempt: number): number | null {
  // A token may have run out since it was kept: once with a fresh one.
  if (status === 401) return attempt === 1 ? 0 : null;
  if (!request.repeatable || (status !== 429 && status !== 503)) return null;
  const seconds = Number(response.headers['retry-after'] ?? Number.NaN);
  const wanted = Number.isFinite(seconds) ? seconds * 1000 : 100 * 2 ** attempt;
  return Math.min(wanted, MAX_RETRY_AFTER_MS);
}

class StaleConnection extends Error {}

/** Nothing was sent. */
class FenceShut extends Error {}

/** Connections over which a request has gone. */
const USED = new WeakSet<object>();

async function open(context: Context, request: RestRequest, bound: 'body' | 'head'): Promise<Opened> {
  const credentials = await context.credentials();
  request.signal?.throwIfAborted();
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), context.timeoutMs);
  const signals = [deadline.signal, ...(request.signal === undefined ? [] : [request.signal])];
  const explain = (error: unknown): unknown => {
    if (request.signal?.aborted === true) return request.signal.reason;
    if (deadline.signal.aborted) return errorOfTimeout(request.asked, context.name, context.timeoutMs);
    return error instanceof AppError ? error : errorOfTransport(error, context.name);
  };
  try {
    const response = await send(context, request, credentials, AbortSignal.any(signals));
    if (bound === 'head') clearTimeout(timer);
    else response.once('close', () => clearTimeout(timer));
    return { response, explain };
  } catch (error) {
    clearTimeout(timer);
    throw error instanceof StaleConnection || error instanceof FenceShut ? error : explain(error);
  }
}

function send(
  { baseUrl, onSocket }: Context,
  request: RestRequest,
  credentials: Credentials,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const url = new URL(`${baseUrl}${request.path}`);
  for (const [key, value] of Object.entries(request.query ?? {})) url.searchParams.set(key, String(value));
  const payload = request.body === undefined ? null : Buffer.from(JSON.stringify(request.body));
  const headers = {
    ...credentials.headers,
    ...(payload === null
      ? {}
      : { 'Content-Type': request.contentType ?? 'application/json', 'Content-Length': payload.length }),
  };
  const options = { method: request.method, headers, agent: credentials.agent, signal };
  return new Promise((resolve, reject) => {
    const outgoing =
      url.protocol === 'http:' ? httpRequest(url, options) : httpsRequest(url, { ...options, ...credentials.tls });
    let reused = false;
    outgoing.once('socket', (socket) => {
      onSocket();
      // A request that waited in line for a connection is not told that others had it before.
      reused = USED.has(socket);
      USED.add(socket);
      if (reused || !(socket instanceof TLSSocket)) return;
      socket.on('session', (session: Buffer) => (credentials.resume.session = session));
    });
    outgoing.once('response', resolve);
    outgoing.once('error', (error) => {
      const stale = reused && ['ECONNRESET', 'EPIPE'].includes(systemCode(error));
      reject(stale ? new StaleConnection('connection closed', { cause: error }) : error);
    });
    const write = (): void => {
      if (request.fence?.isOpen() === false) outgoing.destroy(new FenceShut('the lease is not surely held'));
      else outgoing.end(payload ?? undefined);
    };
    if (request.fence === undefined) write();
    else outgoing.once('socket', (socket) => whenConnected(socket, write));
  });
}

/** What is written sooner waits in the socket, for as long as it takes to connect. */
function whenConnected(socket: Socket, then: () => void): void {
  const secure = socket instanceof TLSSocket;
  const connecting = socket.connecting || (secure && 'secureConnecting' in socket && socket.secureConnecting === true);
  if (connecting) socket.once(secure ? 'secureConnect' : 'connect', then);
  else then();
}

async function readAnswer(opened: Opened): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of opened.response) chunks.push(chunk as Buffer);
  } catch (error) {
    throw opened.explain(error);
  }
  return Buffer.concat(chunks).toString('utf8');
}
