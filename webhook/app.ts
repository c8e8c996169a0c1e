/** The HTTP half: paths, limits, status codes. What an admission is, mutate.ts knows. */
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express';
import type { Logger } from 'pino';
import { judge, type JudgeDeps, type Judged } from './judge.ts';
import { LARGE_BYTES } from './large.ts';
import type { Metrics } from './metrics.ts';

/** etcd takes objects up to 1.5 MiB, a request to the API server has at most 3 MiB; escapes and the review around it come on top. */
export const MAX_BODY_BYTES = 6 * 1024 * 1024;

export interface AppDeps extends JudgeDeps {
  /** Judges reviews of more than LARGE_BYTES; left out, they are judged like the others. */
  readonly judgeLarge?: (body: Uint8Array) => Promise<Judged>;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** null = ready; else why not. */
  readonly whyNotReady: () => string | null;
}

/** /mutate, /healthz, /readyz and /metrics. */
export function createApp(deps: AppDeps): Express {
  const app = createHealthApp(deps);
  app.post('/mutate', express.raw({ limit: MAX_BODY_BYTES, type: () => true }), (request, response) =>
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
  // Nothing was sent: then it is no Buffer.
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const { judgeLarge, log, metrics } = deps;
  const isLarge = body.length > LARGE_BYTES && judgeLarge !== undefined;
  const judged = isLarge ? await judgeLarge(body) : await judge(body, deps);
  metrics.admission(judged.result, judged.reason, judged.seconds);
  if (judged.log === null) log.warn({ status: judged.status, reason: judged.reason }, 'request');
  else if (judged.result === 'denied') log.warn(judged.log, 'admission');
  else log.info(judged.log, 'admission');
  response.status(judged.status).type('json').send(judged.answer);
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
