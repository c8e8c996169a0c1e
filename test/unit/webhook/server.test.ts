import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { request, type RequestOptions } from 'node:https';
import { connect } from 'node:tls';
import { pino } from 'pino';
import type { Json } from '../../../pkg/pod/inject/pod-json.ts';
import { createApp, MAX_BODY_BYTES } from '../../../webhook/app.ts';
import { makeAuthority, makeLeaf, type Issued } from '../../../webhook/certificate/authority.ts';
import { createMetrics } from '../../../webhook/metrics.ts';
import { mutate } from '../../../webhook/mutate.ts';
import { startServer, type RunningServer } from '../../../webhook/server.ts';
import { bodyOf, createCluster } from '../../support/admission.ts';
import { podOf } from '../../support/inject-pods.ts';

const NAME = 'webhook.test.svc';
const DAY = 24 * 60 * 60_000;
let authority: Issued;
let leaf: Issued;
beforeAll(async () => {
  authority = await makeAuthority(Date.now(), DAY);
  leaf = await makeLeaf(authority, [NAME], Date.now(), DAY);
});

interface Running {
  readonly server: RunningServer;
  readonly metrics: ReturnType<typeof createMetrics>;
  readonly log: string[];
}
const running: RunningServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close(0)));
});

async function start(
  options: { requestMs?: number; delay?: Promise<void>; onAsked?: () => void } = {},
): Promise<Running> {
  const metrics = createMetrics();
  const log: string[] = [];
  const cluster = createCluster();
  const app = createApp({
    mutate: async (read) => {
      options.onAsked?.();
      await options.delay;
      return mutate(read, cluster.deps);
    },
    metrics,
    log: pino({}, { write: (line: string) => void log.push(line) }),
    whyNotReady: () => null,
    stopwatch: () => performance.now(),
  });
  const server = await startServer(app, { port: 0, host: '127.0.0.1', certificate: leaf, ...options });
  running.push(server);
  return { server, metrics, log };
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function ask({ port }: RunningServer, body: string | Buffer | null, options: RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const method = body === null ? 'GET' : 'POST';
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        path: '/mutate',
        method,
        servername: NAME,
        ca: authority.cert,
        agent: false,
        ...options,
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
      },
    );
    sent.on('error', reject).end(body ?? undefined);
  });
}

const POD = podOf({ container: { env: [{ name: 'SECRET', value: 'hunter2' }] } });
const review = (): string => JSON.stringify(bodyOf(POD));
const responseOf = ({ body }: Answer): Json => (JSON.parse(body) as { response: Json }).response;

test('a review is answered, counted and logged, without what is in the pod', async () => {
  const { server, metrics, log } = await start();
  const answer = await ask(server, review());
  expect(answer.status).toBe(200);
  expect(responseOf(answer)).toMatchObject({
    allowed: true,
    patchType: 'JSONPatch',
    uid: expect.stringMatching(/^review-/),
  });
  expect(await metrics.render()).toContain(
    'kubectl_redis_webhook_admissions_total{result="injected",reason="injected"} 1',
  );
  expect(JSON.parse(log[0] ?? '')).toMatchObject({
    namespace: 'shop',
    cluster: 'redis',
    node: 'redis-1',
    result: 'injected',
  });
  expect(log.join()).not.toContain('hunter2');
});

test('a refusal is a sentence with a code', async () => {
  const { server } = await start();
  const answer = await ask(server, JSON.stringify(bodyOf(podOf({ container: { command: ['x'] } }))));
  expect(responseOf(answer)).toMatchObject({
    allowed: false,
    status: { code: 403, message: expect.stringMatching(/\(own-command\)$/) },
  });
});

test('health, readiness and metrics', async () => {
  const { server } = await start();
  for (const path of ['/healthz', '/readyz', '/metrics']) expect((await ask(server, null, { path })).status).toBe(200);
  expect((await ask(server, null, { path: '/' })).status).toBe(404);
});

describe('hostile bodies', () => {
  test.each<[string, () => string, number]>([
    ['nothing', () => '', 400],
    ['no JSON', () => '{', 400],
    ['text', () => '"x"', 400],
    ['null', () => 'null', 400],
    ['another kind', () => '{"kind":"Pod"}', 400],
    ['an old version', () => review().replace('admission.k8s.io/v1', 'admission.k8s.io/v1beta1'), 400],
    ['no request', () => '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}', 400],
    ['too much', () => ' '.repeat(MAX_BODY_BYTES + 1), 413],
  ])('%s', async (_, body, status) => {
    const { server } = await start();
    expect((await ask(server, body())).status).toBe(status);
    expect((await ask(server, review())).status).toBe(200);
  });

  test('100,000 levels of lists, as body and in a pod', async () => {
    const { server } = await start();
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expect((await ask(server, deep)).status).toBe(400);
    const pod = JSON.stringify(bodyOf({ ...POD, deep: 'HERE' })).replace('"HERE"', deep);
    expect(responseOf(await ask(server, pod))).toMatchObject({ allowed: true });
    const labels = pod.replace('"labels":{', `"labels":{"deep":${deep},`);
    expect(responseOf(await ask(server, labels))).toMatchObject({ allowed: false });
    expect(responseOf(await ask(server, review()))).toMatchObject({ allowed: true });
  });

  test('a pod of 3 MB', async () => {
    const { server } = await start();
    const annotations = { large: 'x'.repeat(3_000_000) };
    const pod = podOf({ meta: { labels: { 'kubectl-redis.io/cluster': 'redis' }, annotations } });
    expect(responseOf(await ask(server, JSON.stringify(bodyOf(pod))))).toMatchObject({ allowed: true });
  });

  test('keys of prototypes', async () => {
    const { server } = await start();
    const text = JSON.stringify(bodyOf(POD)).replace(
      '"spec":{',
      '"spec":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},',
    );
    expect((await ask(server, text)).status).toBe(200);
    expect({}).not.toHaveProperty('polluted');
  });

  test('any JSON in place of any part is answered with a verdict or a 400', async () => {
    const { server } = await start();
    const paths = [
      'request',
      'request.object',
      'request.object.metadata',
      'request.object.spec',
      'request.object.spec.containers',
      'request.object.spec.containers.0',
      'request.object.metadata.labels',
      'request.kind',
      'request.dryRun',
      'request.uid',
      'request.namespace',
      'request.object.spec.volumes',
      'request.object.spec.securityContext',
      'request.object.spec.containers.0.env',
      'request.object.spec.containers.0.resources',
      'request.object.spec.containers.0.volumeMounts',
      'request.object.spec.affinity',
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), fc.jsonValue(), async (path, value) => {
        const body = structuredClone(bodyOf(POD));
        const keys = path.split('.');
        const last = keys.pop() ?? '';
        const parent = keys.reduce<Record<string, unknown>>((at, key) => at[key] as Record<string, unknown>, body);
        parent[last] = value;
        const { status, body: text } = await ask(server, JSON.stringify(body));
        expect([200, 400]).toContain(status);
        if (status === 200)
          expect(typeof (JSON.parse(text) as { response: { allowed: unknown } }).response.allowed).toBe('boolean');
        expect(text).not.toContain('"internal"');
      }),
      { numRuns: 300 },
    );
  });

  test('a slow sender is cut off, and others are served meanwhile', async () => {
    const { server } = await start({ requestMs: 1_000 });
    const socket = connect({ host: '127.0.0.1', port: server.port, servername: NAME, ca: authority.cert });
    const closed = new Promise<string>((resolve) => {
      let text = '';
      socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      socket.on('error', () => undefined).on('close', () => resolve(text));
    });
    socket.write('POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{');
    expect((await ask(server, review())).status).toBe(200);
    expect(await closed).toMatch(/^HTTP\/1\.1 408/);
  });
});

describe('certificates', () => {
  test('a new one is shown from the next connection on, and none fails', async () => {
    const { server } = await start();
    const next = await makeAuthority(Date.now(), DAY);
    const both = `${authority.cert}\n${next.cert}`;
    const other = await makeLeaf(next, [NAME], Date.now(), DAY);
    const stop = new AbortController();
    const answers: number[] = [];
    const asking = (async () => {
      while (!stop.signal.aborted) answers.push((await ask(server, review(), { ca: both })).status);
    })();
    await expect(ask(server, review(), { ca: next.cert })).rejects.toThrow();
    server.useCertificate(other);
    expect((await ask(server, review(), { ca: next.cert })).status).toBe(200);
    await expect(ask(server, review())).rejects.toThrow();
    stop.abort();
    await asking;
    expect(new Set(answers)).toEqual(new Set([200]));
  });
});

test('at its end it answers what was asked, and takes no more', async () => {
  let release = (): void => undefined;
  const delay = new Promise<void>((resolve) => (release = resolve));
  let arrived = (): void => undefined;
  const asked = new Promise<void>((resolve) => (arrived = resolve));
  const { server } = await start({ delay, onAsked: () => arrived() });
  const inFlight = ask(server, review());
  await asked;
  const closing = server.close(10_000);
  await expect(ask(server, review())).rejects.toThrow();
  release();
  expect((await inFlight).status).toBe(200);
  await closing;
});
