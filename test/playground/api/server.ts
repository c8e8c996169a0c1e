/** The API over HTTPS: from a request to a verb of the registry, and back. What it has not is 501 with a sentence. */
import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { parse } from 'yaml';
import { identityOf, mustBeAllowed } from './access.ts';
import type { Identity } from './access.ts';
import type { ServerCertificate } from './certificate.ts';
import { discovery } from './discovery.ts';
import { evict } from './evict.ts';
import { ApiFailure, badRequest, notImplemented } from './failure.ts';
import { isMap } from './json-shape.ts';
import type { Json } from './json-shape.ts';
import type { ApiObject, Pod } from './objects.ts';
import { createPortForward } from './port-forward.ts';
import type { Registry, Write } from './registry.ts';
import { targetOf } from './resources.ts';
import type { Target } from './resources.ts';
import { fieldMatcher, labelMatcher } from './selectors.ts';
import type { Store } from './store.ts';
import { renderTable, wantsTable } from './table.ts';
import { serveWatch } from './watch.ts';

export interface LogOptions {
  readonly container: string | null;
  readonly previous: boolean;
  readonly tailLines: number | null;
}

export interface ApiDeps {
  readonly store: Store;
  readonly registry: Registry;
  readonly certificate: ServerCertificate;
  readonly token: string;
  readonly address: string;
  readonly port: number;
  /** Text of a container's log. @throws {ApiFailure} */
  readonly readLog: (pod: Pod, options: LogOptions) => Promise<string>;
  /** Called once for each request. */
  readonly onRequest?: (line: string) => void;
}

export interface ApiServer {
  close(): Promise<void>;
}

const WATCH_MS = 300_000;
const VERBS: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: Target;
  readonly query: URLSearchParams;
}

/** @throws {Error} with code EADDRINUSE when somebody has the address */
export async function startApiServer(deps: ApiDeps): Promise<ApiServer> {
  const { key, certificate } = deps.certificate;
  const server = createServer({ key, cert: certificate }, (request, response) => {
    deps.onRequest?.(`${request.method} ${request.url}`);
    answer(deps, request, response).catch((error: unknown) => fail(response, error));
  });
  const sockets = new Set<Duplex>();
  server.on('secureConnection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const portForward = createPortForward();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    deps.onRequest?.(`UPGRADE ${request.url}`);
    try {
      const { target, query } = locate(request);
      const identity = identityOf(request, deps.token);
      if (target.subresource !== 'portforward') throw notImplemented(`${target.subresource} of pods`);
      mustBeAllowed(deps.store, identity, 'create', target);
      const pod = deps.registry.get(target) as Pod;
      portForward.open(request, socket, head, pod, query.getAll('ports'));
    } catch (error) {
      refuseUpgrade(socket, error);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(deps.port, deps.address, resolve);
  });
  return {
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function locate(request: IncomingMessage): { target: Target; query: URLSearchParams } {
  const url = new URL(request.url ?? '/', 'https://playground');
  return { target: targetOf(url.pathname), query: url.searchParams };
}

async function answer(deps: ApiDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const identity = identityOf(request, deps.token);
  const found = request.method === 'GET' ? discovery(request.url ?? '') : null;
  if (found !== null) return send(response, 200, found);
  const { target, query } = locate(request);
  const call: Call = { request, response, target, query };
  if (request.method === 'GET') return read(deps, identity, call);
  mustBeAllowed(deps.store, identity, VERBS[request.method ?? ''] ?? 'unknown', target);
  return write(deps, call, await readBody(request));
}

async function read(deps: ApiDeps, identity: Identity, { request, response, target, query }: Call): Promise<void> {
  const { store, registry } = deps;
  const watch = ['true', '1'].includes(query.get('watch') ?? '');
  const verb = watch ? 'watch' : target.name === null ? 'list' : 'get';
  mustBeAllowed(store, identity, verb, target);
  const rows = wantsTable(request);
  if (target.name !== null) {
    const object = registry.get(target);
    if (target.subresource === 'log') return sendLog(deps, response, object as Pod, query);
    if (target.subresource === 'scale') return send(response, 200, scaleOf(object));
    if (target.subresource !== null && target.subresource !== 'status') {
      throw notImplemented(`${target.subresource} of ${target.resource.plural}`);
    }
    return send(response, 200, rows ? renderTable(target.resource, [object], object.metadata.resourceVersion) : object);
  }
  const labels = labelMatcher(query.get('labelSelector'));
  const fields = fieldMatcher(query.get('fieldSelector'));
  const matches = (object: ApiObject): boolean => labels(object) && fields(object);
  const { key, kind, group, version } = target.resource;
  if (watch) {
    const render = (object: ApiObject): unknown => (rows ? renderTable(target.resource, [object], '') : object);
    const timeoutMs = Number(query.get('timeoutSeconds') ?? '0') * 1000 || WATCH_MS;
    const since = query.get('resourceVersion') ?? '';
    return serveWatch(
      store,
      { resource: key, namespace: target.namespace, matches, since, timeoutMs, render },
      response,
    );
  }
  const items = store.list(key, target.namespace).filter(matches);
  const resourceVersion = String(store.version());
  if (rows) return send(response, 200, renderTable(target.resource, items, resourceVersion));
  const apiVersion = group === '' ? version : `${group}/${version}`;
  return send(response, 200, { kind: `${kind}List`, apiVersion, metadata: { resourceVersion }, items });
}

async function write({ registry, store }: ApiDeps, call: Call, body: Json): Promise<void> {
  const { request, response, target, query } = call;
  const options: Write = {
    dryRun: query.has('dryRun') || (Array.isArray(body['dryRun']) && body['dryRun'].length > 0),
    fieldManager: query.get('fieldManager') ?? 'unknown',
    force: query.get('force') === 'true',
  };
  const rendered = (object: ApiObject): unknown => (target.subresource === 'scale' ? scaleOf(object) : object);
  switch (request.method) {
    case 'POST':
      if (target.resource.key === 'pods' && target.subresource === 'eviction')
        return send(response, 201, evict(store, registry, target, body, options));
      if (target.name !== null) throw notImplemented(`${target.subresource ?? 'POST'} of ${target.resource.plural}`);
      return send(response, 201, registry.create(target, body, options));
    case 'PUT':
      return send(response, 200, rendered(registry.replace(target, body, options)));
    case 'PATCH': {
      const { object, made } = registry.patch(target, request.headers['content-type'] ?? '', body, options);
      return send(response, made ? 201 : 200, rendered(object));
    }
    case 'DELETE': {
      if (target.name !== null) return send(response, 200, registry.remove(target, body, options));
      const labels = labelMatcher(query.get('labelSelector'));
      const fields = fieldMatcher(query.get('fieldSelector'));
      const listed = store.list(target.resource.key, target.namespace).filter((each) => labels(each) && fields(each));
      for (const { metadata } of listed) registry.remove({ ...target, name: metadata.name }, body, options);
      return send(response, 200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' });
    }
    default:
      throw notImplemented(`method ${request.method}`);
  }
}

function scaleOf({ metadata, spec, status }: ApiObject): object {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const replicas = (from: unknown): number => (from as { readonly replicas?: number } | undefined)?.replicas ?? 0;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: replicas(spec) },
    status: { replicas: replicas(status) },
  };
}

async function sendLog(deps: ApiDeps, response: ServerResponse, pod: Pod, query: URLSearchParams): Promise<void> {
  if (query.get('follow') === 'true') throw notImplemented('log that is followed');
  const tail = query.get('tailLines');
  const options = {
    container: query.get('container'),
    previous: query.get('previous') === 'true',
    tailLines: tail === null ? null : Number(tail),
  };
  const text = await deps.readLog(pod, options);
  response.writeHead(200, { 'content-type': 'text/plain' }).end(text);
}

async function readBody(request: IncomingMessage): Promise<Json> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  if (text === '') return {};
  if (/protobuf/.test(request.headers['content-type'] ?? '')) throw notImplemented('protobuf');
  // JSON is YAML, and an apply may come as either.
  const body: unknown = text.startsWith('{') ? JSON.parse(text) : parse(text);
  if (!isMap(body)) throw badRequest('the body is no object');
  return body;
}

function send(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const failureOf = (error: unknown): ApiFailure =>
  error instanceof ApiFailure ? error : new ApiFailure(500, 'InternalError', `playground: ${String(error)}`);

function fail(response: ServerResponse, error: unknown): void {
  const failure = failureOf(error);
  if (failure.code === 500) console.error(error);
  if (response.headersSent) response.destroy();
  else send(response, failure.code, failure.status);
}

function refuseUpgrade(socket: Duplex, error: unknown): void {
  const failure = failureOf(error);
  const body = JSON.stringify(failure.status);
  socket.end(
    `HTTP/1.1 ${failure.code} ${failure.reason}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
