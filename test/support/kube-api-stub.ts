/**
 * A read-only Kubernetes API over HTTP or HTTPS: lists and gets of the objects that it was given, equality selectors.
 * Anything else is answered with 501, never with a wrong success. It writes the kubeconfig that leads to it.
 */
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { KubeObject } from '../../pkg/engine/ports.ts';
import { resourcePath } from '../../pkg/kube/resources.ts';

export interface StubOptions {
  /** PEM; with it the stub speaks HTTPS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Called as soon as the head of a request is there. */
  readonly onRequest?: (path: string) => void;
}

export interface KubeApiStub {
  readonly url: string;
  /** A kubeconfig as JSON, which is YAML. */
  readonly kubeconfig: string;
  /** For what is no request of REST: upgrades. */
  readonly server: Server;
  /** Paths with query of all requests so far. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

type Answer = { readonly status: number; readonly body: unknown };

function failure(status: number, reason: string, message: string): Answer {
  return { status, body: { apiVersion: 'v1', kind: 'Status', status: 'Failure', code: status, reason, message } };
}

/** `a=b,c=d`, `a` and `!a`; null for what this stub does not know. */
function selectorOf(text: string): ((labels: Readonly<Record<string, string>>) => boolean) | null {
  const terms = text.split(',').filter((term) => term !== '');
  if (terms.some((term) => !/^(!?[\w./-]+|[\w./-]+==?[\w.-]*)$/.test(term))) return null;
  return (labels) =>
    terms.every((term) => {
      const [key = '', value] = term.split(/==?/);
      if (key.startsWith('!')) return labels[key.slice(1)] === undefined;
      return value === undefined ? labels[key] !== undefined : labels[key] === value;
    });
}

interface Store {
  /** By path of the object. */
  readonly objects: ReadonlyMap<string, KubeObject>;
  /** By path of the collection, in the namespace and over all of them. */
  readonly collections: ReadonlyMap<string, readonly KubeObject[]>;
}

function storeOf(given: readonly KubeObject[]): Store {
  const objects = new Map<string, KubeObject>();
  const collections = new Map<string, KubeObject[]>();
  for (const object of given) {
    const { apiVersion, kind, metadata } = object;
    const address = { apiVersion, kind, namespace: metadata.namespace ?? null };
    objects.set(resourcePath({ ...address, name: metadata.name }).path, object);
    const paths = new Set([resourcePath(address).path, resourcePath({ ...address, namespace: null }).path]);
    for (const path of paths) collections.set(path, [...(collections.get(path) ?? []), object]);
  }
  return { objects, collections };
}

/** A path that can be a collection of any kind: an empty list is then the right answer. */
const COLLECTION = /^\/(api\/v1|apis\/[^/]+\/[^/]+)(\/namespaces\/[^/]+)?\/[a-z]+$/;

function answer(store: Store, method: string, url: URL): Answer {
  if (method !== 'GET') return failure(501, 'NotImplemented', `the stub only reads: ${method} ${url.pathname}`);
  const unknown = [...url.searchParams.keys()].find((key) => key !== 'labelSelector' && key !== 'limit');
  if (unknown !== undefined) return failure(501, 'NotImplemented', `the stub knows no ${unknown}`);
  const object = store.objects.get(url.pathname);
  if (object !== undefined) return { status: 200, body: object };
  if (!COLLECTION.test(url.pathname)) return failure(404, 'NotFound', `${url.pathname} not found`);
  const selects = selectorOf(url.searchParams.get('labelSelector') ?? '');
  if (selects === null) return failure(501, 'NotImplemented', `the stub can't read ${url.search}`);
  const items = (store.collections.get(url.pathname) ?? []).filter((each) => selects(each.metadata.labels ?? {}));
  return { status: 200, body: { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '1' }, items } };
}

function listenerOf(store: Store, requests: string[], options: StubOptions): RequestListener {
  return (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? '/';
    requests.push(path);
    options.onRequest?.(path);
    const { status, body } = answer(store, request.method ?? '', new URL(path, 'http://stub'));
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
}

function kubeconfigOf(server: string, ca: string | undefined): string {
  const authority = ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'stub', cluster: { server, ...authority } }],
    users: [{ name: 'stub', user: { token: 'stub' } }],
    contexts: [{ name: 'stub', context: { cluster: 'stub', user: 'stub', namespace: 'default' } }],
    'current-context': 'stub',
  });
}

/** Listens on a free port of 127.0.0.1. */
export async function startKubeApiStub(
  objects: readonly KubeObject[],
  options: StubOptions = {},
): Promise<KubeApiStub> {
  const requests: string[] = [];
  const listener = listenerOf(storeOf(objects), requests, options);
  const { tls } = options;
  const server: Server = tls === undefined ? createHttpServer(listener) : createHttpsServer(tls, listener);
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    kubeconfig: kubeconfigOf(url, tls?.cert),
    server,
    requests,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}
