/** The checker itself: runs in a pod, writes until its end, and answers over HTTP. See protocol.ts. */
import { createServer, type ServerResponse } from 'node:http';
import { judge, type Verdict } from './ledger.ts';
import type { Answer, CheckerSettings, Phase } from './protocol.ts';
import { createWriter, type Written } from './writer.ts';

const VERIFY_MS = 120_000;

const settings = JSON.parse(process.env['CHECKER_SETTINGS'] ?? '{}') as CheckerSettings;
const writers = Array.from({ length: settings.writers }, (_, index) => createWriter(settings, index));

interface Tally {
  from: number;
  writes: number;
  acked: number;
  replicated: number;
  longestGapMs: number;
  readonly errors: Map<string, number>;
}

const freshTally = (): Tally => ({
  from: performance.now(),
  writes: 0,
  acked: 0,
  replicated: 0,
  longestGapMs: 0,
  errors: new Map(),
});
let tally = freshTally();

function count(write: Written): void {
  tally.writes += 1;
  if (write.outcome !== 'unknown') tally.acked += 1;
  if (write.outcome === 'replicated') tally.replicated += 1;
  // A wait that began before the mark counts from the mark.
  const now = performance.now();
  if (write.gapMs !== null) tally.longestGapMs = Math.max(tally.longestGapMs, Math.min(write.gapMs, now - tally.from));
  if (write.error !== null) tally.errors.set(write.error, (tally.errors.get(write.error) ?? 0) + 1);
}

function phase(): Phase {
  const now = performance.now();
  const waits = writers.map((writer) => now - Math.max(writer.waitingSince() ?? now, tally.from));
  return {
    seconds: Math.round((now - tally.from) / 100) / 10,
    writes: tally.writes,
    acked: tally.acked,
    replicated: tally.replicated,
    clientErrors: [...tally.errors.values()].reduce((sum, each) => sum + each, 0),
    longestGapMs: Math.round(Math.max(tally.longestGapMs, ...waits)),
    errors: Object.fromEntries(tally.errors),
  };
}

async function verify(): Promise<Verdict> {
  await Promise.all(writers.map((writer) => writer.pause()));
  try {
    const deadline = performance.now() + VERIFY_MS;
    return judge((await Promise.all(writers.map((writer) => writer.readBack(deadline)))).flat());
  } finally {
    for (const writer of writers) writer.resume();
  }
}

async function answer(path: string): Promise<Answer> {
  switch (path) {
    case '/phase':
      return phase();
    case '/mark': {
      const ended = phase();
      tally = freshTally();
      return ended;
    }
    case '/verify':
      return verify();
    default:
      return { failed: `no such question: ${path}` };
  }
}

function send(response: ServerResponse, body: Answer): void {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body));
}

for (const writer of writers) void writer.run(count);
createServer((request, response) => {
  answer(request.url ?? '').then(
    (body) => send(response, body),
    (error: unknown) => send(response, { failed: String(error) }),
  );
}).listen(settings.httpPort);
