/**
 * A thousand hostile reviews, several at a time, while somebody asks for ordinary pods: how long those wait, whether the server
 * survives, and whether it keeps anything of what it was sent. Who asks is a process of its own (this very program, started
 * again): beside the attackers it would also measure how long they take to send 3 MB.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { connect } from 'node:tls';
import type { Agent } from 'node:https';
import { hostileReviews, ordinaryReview, type HostileReview } from './hook-reviews.ts';
import {
  keepConnections,
  postReview,
  SERVER_NAME,
  serveIfAsked,
  startHookServer,
  type HookServer,
} from './hook-server.ts';
import { median, percentile, writeSection } from './report.ts';

const REVIEWS = Number(process.env['BENCH_REVIEWS'] ?? '1000');
const AT_ONCE = 4;
const PROBE_MS = 20;
const MAX_WAIT_MS = 50;
const MAX_GROWTH_MB = 2;
/** A sender that is slower than this is ended; a tenth of what the webhook allows, or this would take an hour. */
const SLOW_MS = 1_000;
const SEED = Number(process.env['BENCH_SEED'] ?? Date.now() % 1_000_000);

/** The answer's status, or how the connection ended. */
async function attack(server: HookServer, agent: Agent, { body, slow }: HostileReview): Promise<string> {
  if (slow) return sendSlowly(server, body);
  try {
    const answer = await postReview(server, agent, body);
    if (answer.status === 200) return answer.body.includes('"allowed":true') ? 'allowed' : 'refused';
    return String(answer.status);
  } catch (error) {
    return String((error as { readonly code?: unknown }).code);
  }
}

/** Says that more will come, and never sends it. */
function sendSlowly({ port, ca }: HookServer, body: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, servername: SERVER_NAME, ca });
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    socket.on('error', () => undefined).on('close', () => resolve(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 'closed'));
    socket.write(`POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length + 1}\r\n\r\n`);
    socket.write(body);
  });
}

interface Round {
  /** Milliseconds of every ordinary review. */
  readonly waits: readonly number[];
  /** Outcome -> how often, by kind. */
  readonly outcomes: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

async function round(server: HookServer, reviews: readonly HostileReview[]): Promise<Round> {
  const outcomes = new Map<string, Map<string, number>>();
  const attackers = keepConnections(AT_ONCE);
  const probe = startProbe(server);
  const slow: Promise<void>[] = [];
  const left = [...reviews];
  const note = async (review: HostileReview): Promise<void> => {
    const outcome = await attack(server, attackers, review);
    const of = outcomes.get(review.kind) ?? new Map<string, number>();
    outcomes.set(review.kind, of.set(outcome, (of.get(outcome) ?? 0) + 1));
  };
  const attacker = async (): Promise<void> => {
    for (let review = left.pop(); review !== undefined; review = left.pop()) {
      // Slow ones stay behind the others, a hundred and more at a time.
      if (review.slow) slow.push(note(review));
      else await note(review);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, attacker));
  await Promise.all(slow);
  attackers.destroy();
  return { waits: await probe.stop(), outcomes };
}

const PROBE = 'probe';

/** Ordinary reviews, one after the other, until it is told to stop. */
function startProbe({ port, ca }: HookServer): { stop(): Promise<readonly number[]> } {
  const child = fork(fileURLToPath(import.meta.url), [PROBE]);
  process.once('exit', () => child.kill('SIGKILL'));
  const waits = new Promise<readonly number[]>((resolve, reject) => {
    child.once('message', (message) => resolve(message as readonly number[]));
    child.once('exit', (code) => reject(new Error(`ordinary reviews ended with exit code ${code}`)));
  });
  // Heard when it is stopped.
  waits.catch(() => undefined);
  child.send({ port, ca });
  return {
    stop: () => {
      if (child.connected) child.send('stop');
      return waits;
    },
  };
}

/** The probe's side. */
async function probe(server: Pick<HookServer, 'port' | 'ca'>): Promise<void> {
  const connection = keepConnections(1);
  const waits: number[] = [];
  const state = { over: false };
  process.once('message', () => (state.over = true));
  while (!state.over) {
    const answer = await postReview(server, connection, ordinaryReview());
    if (!answer.body.includes('"patch"')) throw new Error(`an ordinary review: ${answer.status} ${answer.body}`);
    waits.push(answer.milliseconds);
    await new Promise((resolve) => setTimeout(resolve, PROBE_MS));
  }
  connection.destroy();
  process.send?.(waits, () => process.disconnect());
}

async function main(): Promise<void> {
  const server = await startHookServer('webhook', SLOW_MS);
  try {
    // The first round warms up: code is compiled, buffers find their size.
    await round(server, hostileReviews(REVIEWS, SEED + 1));
    const before = await server.memory();
    const { waits, outcomes } = await round(server, hostileReviews(REVIEWS, SEED));
    const after = await server.memory();
    if (server.exitCode() !== null) throw new Error('the server has ended');
    const grown = (after.heap - before.heap) / 2 ** 20;
    const rows = [...outcomes].map(([kind, results]) => [
      kind,
      [...results].map(([outcome, times]) => `${outcome} ${times}`).join(', '),
    ]);
    const [middle, high, worst] = [median(waits), percentile(waits, 0.99), Math.max(...waits)];
    writeSection({
      id: 'hook-hostile',
      title: 'Hostile reviews',
      command: 'npm run bench:hook-hostile',
      text:
        `${REVIEWS} hostile reviews, ${AT_ONCE} at a time, after as many that do not count; slow senders beside them, all at ` +
        `once, cut off after ${SLOW_MS / 1000} s. Meanwhile ${waits.length} ordinary reviews, one after the other: median ` +
        `${middle.toFixed(1)} ms, 99th percentile ${high.toFixed(1)} ms. The server did not end. Its heap, after a collection: ` +
        `${(before.heap / 2 ** 20).toFixed(1)} MiB before, ${(after.heap / 2 ** 20).toFixed(1)} MiB after. Seed ${SEED}.`,
      table: [['hostile reviews', 'what became of them'], ...rows],
      goals: [
        { what: 'longest wait of an ordinary review', reached: worst, atMost: MAX_WAIT_MS, unit: ' ms' },
        { what: 'growth of the heap', reached: Math.max(0, grown), atMost: MAX_GROWTH_MB, unit: ' MiB' },
      ],
    });
  } finally {
    await server.stop();
  }
}

if (process.argv[2] === PROBE) {
  process.once('message', (server) => void probe(server as HookServer));
} else if (!(await serveIfAsked())) {
  await main();
  process.exit();
}
