/**
 * The webhook's memory under steady load: three minutes, or $BENCH_MINUTES (`npm run test:long` takes an hour). What is compared is
 * the heap after a collection, at the end against a quarter of the way: what is kept for good shows there, and nothing else does.
 */
import { ordinaryReview } from './hook-reviews.ts';
import { keepConnections, postReview, serveIfAsked, startHookServer, type Memory } from './hook-server.ts';
import { median, writeSection } from './report.ts';

const MINUTES = Number(process.env['BENCH_MINUTES'] ?? '3');
const A_SECOND = 100;
const SAMPLE_MS = 5_000;
const MAX_GROWTH_MB = 1;
const NODES = 6;

async function main(): Promise<void> {
  const server = await startHookServer('webhook');
  const agent = keepConnections(8);
  const samples: Memory[] = [];
  const state = { over: false, answered: 0 };
  const failed: string[] = [];
  const ask = async (n: number): Promise<void> => {
    const { body, status } = await postReview(server, agent, ordinaryReview(1 + (n % NODES)));
    if (body.includes('"patch"')) state.answered += 1;
    else failed.push(`${status} ${body}`);
  };
  try {
    const from = performance.now();
    const end = from + MINUTES * 60_000;
    const sampling = (async () => {
      while (!state.over) {
        await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
        samples.push(await server.memory());
      }
    })();
    const asked: Promise<void>[] = [];
    for (let n = 0; performance.now() < end; n++) {
      asked.push(ask(n));
      if (asked.length >= A_SECOND) await Promise.all(asked.splice(0));
      const due = from + ((n + 1) * 1000) / A_SECOND - performance.now();
      if (due > 0) await new Promise((resolve) => setTimeout(resolve, due));
    }
    await Promise.all(asked);
    state.over = true;
    await sampling;
    if (failed.length > 0) throw new Error(`${failed.length} reviews failed, the first: ${failed[0]}`);
    report(samples, state.answered);
  } finally {
    agent.destroy();
    await server.stop();
  }
}

function report(samples: readonly Memory[], answered: number): void {
  const quarter = Math.max(1, Math.floor(samples.length / 4));
  const mebibytes = (of: readonly Memory[], what: keyof Memory): number =>
    median(of.map((sample) => sample[what])) / 2 ** 20;
  const parts = [0, 1, 2, 3].map((at) => samples.slice(at * quarter, (at + 1) * quarter));
  const rows = parts.map((part, at) => [
    `quarter ${at + 1}`,
    `${mebibytes(part, 'heap').toFixed(2)} MiB`,
    `${mebibytes(part, 'resident').toFixed(0)} MiB`,
  ]);
  const grown = mebibytes(parts[3] ?? [], 'heap') - mebibytes(parts[1] ?? [], 'heap');
  writeSection({
    id: 'hook-memory',
    title: 'Memory of the webhook under load',
    command: 'npm run bench:hook-memory',
    text:
      `${answered} reviews in ${MINUTES} minutes, about ${A_SECOND} a second, each answered with a patch. The heap is read every ` +
      `${SAMPLE_MS / 1000} s after a collection; medians of each quarter of the time. Growth counts from the second quarter to the ` +
      'last: in the first one, code is still being compiled.',
    table: [['', 'heap', 'resident'], ...rows],
    goals: [{ what: 'growth of the heap', reached: Math.max(0, grown), atMost: MAX_GROWTH_MB, unit: ' MiB' }],
  });
}

if (!(await serveIfAsked())) {
  await main();
  process.exit();
}
