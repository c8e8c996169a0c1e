/** From the bytes of a review to those of its answer, and what metrics and log say of it. Plain data, so that another thread can do it. */
import type { Admission } from './mutate.ts';
import { answerReview, readReview, type ReviewRequest } from './review.ts';

export interface JudgeDeps {
  readonly mutate: (request: ReviewRequest) => Promise<Admission>;
  /** Milliseconds, monotonic. */
  readonly stopwatch: () => number;
}

export interface Judged {
  /** Of HTTP. */
  readonly status: number;
  /** JSON. */
  readonly answer: string;
  /** For the metrics. */
  readonly result: string;
  readonly reason: string;
  readonly seconds: number;
  /** For the log, when there was a review; never the pod itself: its environment may hold passwords. */
  readonly log: Readonly<Record<string, unknown>> | null;
}

/** Never throws. */
export async function judge(body: Uint8Array, { mutate, stopwatch }: JudgeDeps): Promise<Judged> {
  const from = stopwatch();
  const parsed = parse(body);
  if (parsed === null) return unread('entity.parse.failed', 'the body is no JSON', 0);
  const read = readReview(parsed.value);
  if (typeof read === 'string') return unread('bad-review', read, (stopwatch() - from) / 1000);
  const { verdict, cluster, node } = await mutate(read);
  const elapsedMs = stopwatch() - from;
  const code = verdict.kind === 'injected' ? 'injected' : verdict.code;
  const { uid, namespace, name, dryRun } = read;
  const result = verdict.kind;
  const ms = Math.round(elapsedMs * 10) / 10;
  const sentence = verdict.kind === 'denied' ? { sentence: verdict.sentence } : {};
  return {
    status: 200,
    answer: JSON.stringify(answerReview(uid, verdict)),
    result,
    reason: code,
    seconds: elapsedMs / 1000,
    log: { uid, namespace, pod: name, cluster, node, dryRun, result, code, ms, ...sentence },
  };
}

/** What was sent is no review, or could not be judged. */
export function unread(reason: string, why: string, seconds: number, status = 400): Judged {
  return { status, answer: JSON.stringify({ error: why }), result: 'error', reason, seconds, log: null };
}

/** In an object, because null is JSON, too. The message of a parser quotes what it parsed, so it is not kept. */
function parse(body: Uint8Array): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')) };
  } catch {
    return null;
  }
}
