import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { AppError } from '../../../pkg/errors.ts';
import { createRestClient } from '../../../pkg/kube/client.ts';
import type { RestClient, RestRequest } from '../../../pkg/kube/client.ts';
import { sendJson, sendStatus, startHttpStub, stubTarget } from '../../support/http-stub.ts';
import type { Answer, HttpStub } from '../../support/http-stub.ts';

const stubs: HttpStub[] = [];
afterEach(async () => {
  for (const stub of stubs.splice(0)) await stub.close();
});

async function stubOf(answer: Answer): Promise<HttpStub> {
  const stub = await startHttpStub(answer);
  stubs.push(stub);
  return stub;
}

const asked = { verb: 'list', resource: 'pods', namespace: 'db', name: null };
const get: RestRequest = { method: 'GET', path: '/api/v1/namespaces/db/pods', asked, repeatable: true };
const create: RestRequest = {
  ...get,
  method: 'POST',
  body: { a: 1 },
  asked: { ...asked, verb: 'create', name: 'x' },
  repeatable: false,
};

async function failure(
  client: RestClient,
  request: RestRequest,
): Promise<Pick<AppError, 'code' | 'message' | 'hint' | 'cause'>> {
  const error = await client.json(request).then(
    () => new Error('it succeeded'),
    (reason: AppError) => reason,
  );
  const { code, message, hint, cause } = error as AppError;
  return { code, message, hint, cause };
}

describe('credentials', () => {
  test('headers, basic auth and impersonation are sent', async () => {
    const stub = await stubOf((_request, response) => sendJson(response, 200, {}));
    const config = {
      applyToHTTPSOptions: (options: { auth?: string | null }): Promise<void> => {
        options.auth = 'ada:secret';
        return Promise.resolve();
      },
    };
    const impersonate = { user: 'eve', groups: ['a', 'b'] };
    await stub.client({}, { config, impersonate }).json(get);
    expect(stub.seen[0]?.headers).toMatchObject({
      authorization: 'Basic YWRhOnNlY3JldA==',
      'impersonate-user': 'eve',
      'impersonate-group': 'a, b',
      'user-agent': 'kubectl-redis',
    });
  });

  test('a token that ran out is fetched anew, once', async () => {
    let asks = 0;
    const config = {
      applyToHTTPSOptions: (options: { headers?: unknown }): Promise<void> => {
        options.headers = { Authorization: `Bearer t${++asks}` };
        return Promise.resolve();
      },
    };
    const stub = await stubOf((request, response) =>
      request.headers.authorization === 'Bearer t2'
        ? sendJson(response, 200, { ok: true })
        : sendStatus(response, 401, 'Unauthorized', 'Unauthorized'),
    );
    expect(await stub.client({}, { config }).json(create)).toEqual({ ok: true });
  });

  test('credentials that are never accepted', async () => {
    const stub = await stubOf((_request, response) => sendStatus(response, 401, 'Unauthorized', 'Unauthorized'));
    expect(await failure(stub.client(), get)).toEqual({
      code: 'unauthorized',
      message: `${stub.url} does not accept the credentials of context test`,
      hint: 'Log in again, then try: kubectl --context test auth whoami',
      cause: 'Unauthorized',
    });
    expect(stub.seen).toHaveLength(2);
  });

  test('a credential plugin that fails', async () => {
    const config = { applyToHTTPSOptions: () => Promise.reject(new Error('spawn aws ENOENT')) };
    const client = createRestClient(stubTarget('https://127.0.0.1:1', { config }));
    expect(await failure(client, get)).toMatchObject({
      code: 'credentials',
      message: 'cannot get credentials for context test',
    });
  });
});

test('the first request is told once', async () => {
  let told = 0;
  const stub = await stubOf((_request, response) => sendJson(response, 200, {}));
  const client = stub.client({ onFirstRequest: () => void told++ });
  expect(told).toBe(0);
  await client.json(get);
  await client.json(get);
  expect(told).toBe(1);
});

describe('a busy server', () => {
  const busyTimes = (times: number): Answer => {
    let left = times;
    return (_request, response) =>
      left-- > 0
        ? sendStatus(response, 429, 'TooManyRequests', 'slow down', { headers: { 'Retry-After': '0' } })
        : sendJson(response, 200, { ok: true });
  };

  test('is asked again', async () => {
    const stub = await stubOf(busyTimes(3));
    expect(await stub.client().json(get)).toEqual({ ok: true });
    expect(stub.seen).toHaveLength(4);
  });

  test('not for ever', async () => {
    const stub = await stubOf(busyTimes(10));
    expect(await failure(stub.client(), get)).toMatchObject({ code: 'server-busy', cause: 'slow down' });
    expect(stub.seen).toHaveLength(4);
  });

  test('not for what must not happen twice', async () => {
    const stub = await stubOf(busyTimes(1));
    expect(await failure(stub.client(), create)).toMatchObject({ code: 'server-busy' });
    expect(stub.seen).toHaveLength(1);
  });

  test('the wait ends when the caller gives up', async () => {
    const stub = await stubOf((_request, response) =>
      sendStatus(response, 503, 'ServiceUnavailable', 'later', { headers: { 'Retry-After': '5' } }),
    );
    const control = new AbortController();
    const running = stub.client().json({ ...get, signal: control.signal });
    stub.server.once('request', () => setImmediate(() => control.abort(new Error('enough'))));
    await expect(running).rejects.toThrow('enough');
  });
});

describe('a server that is not there', () => {
  test('nothing listens', async () => {
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    const client = createRestClient(stubTarget(`http://127.0.0.1:${port}`));
    expect(await failure(client, get)).toEqual({
      code: 'server-unreachable',
      message: `cannot reach the Kubernetes API server http://127.0.0.1:${port} (context test)`,
      cause: 'connection refused: nothing listens there',
      hint: 'Check that the cluster runs, that this is the context you want (kubectl config current-context), VPN and proxy.',
    });
  });

  test('its name does not resolve', async () => {
    const client = createRestClient(stubTarget('http://api.invalid:6443'));
    expect(await failure(client, get)).toMatchObject({
      code: 'server-unreachable',
      cause: 'its host name cannot be resolved',
    });
  });

  test('it never answers', async () => {
    const stub = await stubOf(() => undefined);
    expect(await failure(stub.client({ requestTimeoutMs: 50 }), get)).toMatchObject({
      code: 'server-unreachable',
      cause: 'no answer to list pods in namespace db within 0.05 s',
    });
  });

  test('it stops in the middle of its answer', async () => {
    const stub = await stubOf((_request, response) => response.writeHead(200, { 'Content-Length': '100' }).write('{'));
    expect(await failure(stub.client({ requestTimeoutMs: 50 }), get)).toMatchObject({ code: 'server-unreachable' });
  });

  test('the caller gives up first', async () => {
    const stub = await stubOf(() => undefined);
    const reason = new Error('interrupted');
    await expect(stub.client().json({ ...get, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

test('a kept connection that the server has closed meanwhile costs no request', async () => {
  const stub = await stubOf((_request, response) => sendJson(response, 200, { ok: true }));
  const client = stub.client();
  await client.json(get);
  stub.server.closeIdleConnections();
  expect(await client.json(get)).toEqual({ ok: true });
});

test('the prefix of a server behind a path stays', async () => {
  const stub = await stubOf((_request, response) => sendJson(response, 200, {}));
  const client = createRestClient(stubTarget(`${stub.url}/k8s/clusters/c-1`));
  await client.json({ ...get, query: { labelSelector: 'a=b,c in (d)' } });
  client.close();
  expect(stub.seen[0]).toMatchObject({
    path: '/k8s/clusters/c-1/api/v1/namespaces/db/pods',
    query: { labelSelector: 'a=b,c in (d)' },
  });
});
