/**
 * Servers that the webhook's benchmarks ask: the webhook with an API server in memory, and a bare express that parses the same
 * reviews. Each is a process of its own (this very program, started again), so that its memory is its own and its work does
 * not hold up whoever asks.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { request, Agent } from 'node:https';
import { fileURLToPath } from 'node:url';
import { parentPort, Worker } from 'node:worker_threads';
import express from 'express';
import { pino } from 'pino';
import { createApp, MAX_BODY_BYTES } from '../../webhook/app.ts';
import { makeAuthority, makeLeaf } from '../../webhook/certificate/authority.ts';
import { judge, type JudgeDeps } from '../../webhook/judge.ts';
import { createLargeReviews, HEAP_MB, serveLarge } from '../../webhook/large.ts';
import { createMetrics } from '../../webhook/metrics.ts';
import { mutate } from '../../webhook/mutate.ts';
import { startServer } from '../../webhook/server.ts';
import { createTurns } from '../../webhook/turns.ts';
import { createCluster } from '../support/admission.ts';

export type ServerKind = 'webhook' | 'express';

export interface Memory {
  /** After a collection, in bytes. */
  readonly heap: number;
  readonly resident: number;
}

export interface HookServer {
  readonly port: number;
  /** PEM of its authority. */
  readonly ca: string;
  memory(): Promise<Memory>;
  /** null while it runs. */
  exitCode(): number | null;
  stop(): Promise<void>;
}

export const SERVER_NAME = 'webhook.bench.svc';
const ROLE = 'serve';
const DAY_MS = 24 * 60 * 60_000;

interface Started {
  readonly port: number;
  readonly ca: string;
}

/** Whether this process was started to be a server; it then is one until it is killed. */
export async function serveIfAsked(): Promise<boolean> {
  if (parentPort !== null) {
    const deps = judging();
    serveLarge(parentPort, (body) => judge(body, deps));
    return true;
  }
  const [, , role, kind, requestMs] = process.argv;
  if (role !== ROLE || process.send === undefined) return false;
  const authority = await makeAuthority(Date.now(), DAY_MS);
  const certificate = await makeLeaf(authority, [SERVER_NAME], Date.now(), DAY_MS);
  const handler = kind === 'express' ? bareExpress() : webhook();
  const server = await startServer(handler, {
    port: 0,
    host: '127.0.0.1',
    certificate,
    requestMs: Number(requestMs),
  });
  process.on('message', () => {
    globalThis.gc?.();
    const { heapUsed, rss } = process.memoryUsage();
    process.send?.({ heap: heapUsed, resident: rss } satisfies Memory);
  });
  process.send({ port: server.port, ca: authority.cert } satisfies Started);
  return true;
}

function judging(): JudgeDeps {
  const deps = { ...createCluster({ remembers: false }).deps, ...createTurns(() => performance.now()) };
  return { mutate: (review) => mutate(review, deps), stopwatch: () => performance.now() };
}

function webhook(): ReturnType<typeof createApp> {
  const large = createLargeReviews({
    start: () => new Worker(new URL(import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } }),
  });
  return createApp({
    ...judging(),
    judgeLarge: large.judge,
    metrics: createMetrics(),
    // What is logged costs what it costs in a pod; only nobody reads it.
    log: pino({}, { write: () => undefined }),
    whyNotReady: () => null,
  });
}

/** The least that any webhook written with express does: read the review and say yes to it. */
function bareExpress(): ReturnType<typeof express> {
  const app = express();
  app.post('/mutate', express.json({ limit: MAX_BODY_BYTES, type: () => true }), (asked, response) => {
    const { apiVersion, kind, request } = asked.body as {
      apiVersion: string;
      kind: string;
      request: { uid: string };
    };
    response.json({ apiVersion, kind, response: { uid: request.uid, allowed: true } });
  });
  return app;
}

/** @param requestMs how long a sender may take */
export async function startHookServer(kind: ServerKind, requestMs = 10_000): Promise<HookServer> {
  const child = fork(fileURLToPath(import.meta.url), [ROLE, kind, String(requestMs)], {
    execArgv: ['--expose-gc'],
  });
  const { port, ca } = await messageOf<Started>(child);
  process.once('exit', () => child.kill('SIGKILL'));
  return {
    port,
    ca,
    memory: async () => {
      child.send('memory');
      return messageOf<Memory>(child);
    },
    exitCode: () => child.exitCode,
    stop: async () => {
      if (child.exitCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function messageOf<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`the server ended with exit code ${code}`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message as T);
    });
  });
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly milliseconds: number;
}

/** Connections that are kept, as the API server keeps its own. */
export function keepConnections(sockets: number): Agent {
  return new Agent({ keepAlive: true, maxSockets: sockets });
}

/** Sends a review. @throws when the connection breaks */
export function postReview(
  { port, ca }: Pick<HookServer, 'port' | 'ca'>,
  agent: Agent,
  body: string | Buffer,
): Promise<Answer> {
  const from = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, path: '/mutate', method: 'POST', servername: SERVER_NAME, ca, agent },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, body: text, milliseconds: performance.now() - from }),
        );
      },
    );
    sent.once('error', reject).end(body);
  });
}
