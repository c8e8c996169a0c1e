/** The HTTP half: paths, limits, status codes. What an admission is, mutate.ts knows. */
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express';
import type { Logger } from 'pino';
import type { Metrics } from './metrics.ts';
import type { Admission } from './mutate.ts';
import { answerReview, readReview, type ReviewRequest } from './review.ts';

/** etcd takes objects up to 1.5 MiB, a request to the API server has at most 3 MiB; escapes and the review around it come on top. */
export const MAX_BODY_BYTES = 6 * 1024 * 1024;

export interface AppDeps {
  readonly mutate: (request: ReviewRequest) => Promise<Admission>;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** null = ready; else why not. */
  readonly whyNotReady: () => string | null;
  /** Milliseconds, monotonic. */
  readonly stopwatch: () => number;
}

/** /mutate, /healthz, /readyz and /metrics. */
export function createApp(deps: AppDeps): Express {
  const app = createHealthApp(deps);
  app.post('/mutate', express.json({ limit: MAX_BODY_BYTES, type: () => true, strict: true }), (request, response) =>
    review(request, response, deps),
  );
  app.use(notFound);
  app.use(onError(deps));
  return app;
}

/** All but /mutate, for a port without TLS. */
export function createHealthApp({ metrics, whyNotReady }: Pick<AppDeps, 'metrics' | 'whyNotReady'>): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.get('/healthz', (_, response) => void response.type('text').send('ok\n'));
  app.get('/readyz', (_, response) => {
    const why = whyNotReady();
    response
      .status(why === null ? 200 : 503)
      .type('text')
      .send(`${why ?? 'ok'}\n`);
  });
  app.get('/metrics', async (_, response) => {
    response.type(metrics.contentType).send(await metrics.render());
  });
  return app;
}

async function review(request: Request, response: Response, deps: AppDeps): Promise<void> {
  const from = deps.stopwatch();
  const read = readReview(request.body);
  if (typeof read === 'string') {
    deps.metrics.admission('error', 'bad-review', (deps.stopwatch() - from) / 1000);
    response.status(400).json({ error: read });
    return;
  }
  const { verdict, cluster, node } = await deps.mutate(read);
  const elapsedMs = deps.stopwatch() - from;
  const code = verdict.kind === 'injected' ? 'injected' : verdict.code;
  deps.metrics.admission(verdict.kind, code, elapsedMs / 1000);
  // Never the pod itself: its environment may hold passwords.
  const { uid, namespace, name, dryRun } = read;
  const fields = {
    uid,
    namespace,
    pod: name,
    cluster,
    node,
    dryRun,
    result: verdict.kind,
    code,
    ms: Math.round(elapsedMs),
  };
  if (verdict.kind === 'denied') deps.log.warn({ ...fields, sentence: verdict.sentence }, 'admission');
  else deps.log.info(fields, 'admission');
  response.json(answerReview(uid, verdict));
}

function notFound(_: Request, response: Response): void {
  response.status(404).json({ error: 'there are /mutate, /healthz, /readyz and /metrics' });
}

/** What express throws: a body that is too large, no JSON, cut off. */
function onError({ log, metrics }: AppDeps): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) return next(error);
    const { status, type } = (typeof error === 'object' && error !== null ? error : {}) as {
      status?: unknown;
      type?: unknown;
    };
    const code = typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
    const reason = typeof type === 'string' ? type : 'internal';
    metrics.admission('error', reason, 0);
    // The message of a parser quotes what it parsed.
    log.warn({ status: code, reason }, 'request');
    response.status(code).json({ error: reason });
  };
}
