/** A server on a free loopback port that answers as a test says, and a REST client of it. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRestClient } from '../../pkg/kube/client.ts';
import type { RestClient, RestOptions } from '../../pkg/kube/client.ts';
import type { KubeTarget } from '../../pkg/kube/config.ts';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

export type Answer = (request: SeenRequest, response: ServerResponse) => void;

export interface HttpStub {
  readonly url: string;
  readonly server: Server;
  /** All requests so far, in order. */
  readonly seen: readonly SeenRequest[];
  client(options?: RestOptions, target?: Partial<KubeTarget>): RestClient;
  close(): Promise<void>;
}

export async function startHttpStub(answer: Answer): Promise<HttpStub> {
  const seen: SeenRequest[] = [];
  const clients: RestClient[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://stub');
      const text = Buffer.concat(chunks).toString('utf8');
      const one: SeenRequest = {
        method: request.method ?? '',
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: request.headers,
        body: text === '' ? null : JSON.parse(text),
      };
      seen.push(one);
      answer(one, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    server,
    seen,
    client: (options = {}, target = {}) => {
      const client = createRestClient(stubTarget(url, target), options);
      clients.push(client);
      return client;
    },
    close: async () => {
      for (const client of clients) client.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A target without credentials. */
export function stubTarget(server: string, over: Partial<KubeTarget> = {}): KubeTarget {
  return {
    config: { applyToHTTPSOptions: () => Promise.resolve() },
    server,
    proxyUrl: null,
    context: 'test',
    namespace: 'db',
    impersonate: null,
    ...over,
  };
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** metav1.Status of a failure. */
export function sendStatus(
  response: ServerResponse,
  code: number,
  reason: string,
  message: string,
  more: { details?: unknown; headers?: Record<string, string> } = {},
): void {
  const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message, details: more.details };
  sendJson(response, code, status, more.headers);
}
