/**
 * What the webhook costs: its pure part alone; and its server, with an API server in memory, beside a bare express that parses the
 * same review and says yes. Over TLS and kept connections, as an API server asks.
 */
import { patchBetween } from '../../pkg/pod/inject/json-patch.ts';
import type { Json } from '../../pkg/pod/inject/pod-json.ts';
import { injectedPod } from '../support/inject-pods.ts';
import { ordinaryReview } from './hook-reviews.ts';
import { keepConnections, postReview, serveIfAsked, startHookServer, type HookServer } from './hook-server.ts';
import { alternate, median, spread, writeSection } from './report.ts';

const ROUNDS = 9;
const ROUND_MS = 2_000;
const CONNECTIONS = 16;

/** Injections a second: examine, complete, diff; no look-ups. */
async function pure(): Promise<number> {
  const { request } = JSON.parse(ordinaryReview()) as { request: { object: Json } };
  const until = performance.now() + ROUND_MS;
  let done = 0;
  for (; performance.now() < until; done++) {
    const { pod } = injectedPod(request.object);
    if (patchBetween(request.object, pod).length === 0) throw new Error('nothing was injected');
  }
  return done / (ROUND_MS / 1000);
}

/** Reviews a second that the server answers. */
async function answered(server: HookServer, mustSay: string): Promise<number> {
  const agent = keepConnections(CONNECTIONS);
  const until = performance.now() + ROUND_MS;
  let done = 0;
  const asker = async (node: number): Promise<void> => {
    // Each makes a node of its own: two never fight for one Service, and on a cluster they would not.
    const body = ordinaryReview(node);
    while (performance.now() < until) {
      const answer = await postReview(server, agent, body);
      // A server that refuses is fast for nothing.
      if (!answer.body.includes(mustSay)) throw new Error(`${answer.status}: ${answer.body}`);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, at) => asker(at + 1)));
  agent.destroy();
  return done / (ROUND_MS / 1000);
}

async function main(): Promise<void> {
  const [webhook, express] = await Promise.all([startHookServer('webhook'), startHookServer('express')]);
  try {
    const runs = await alternate(ROUNDS, {
      pure,
      webhook: () => answered(webhook, '"patch"'),
      express: () => answered(express, '"allowed":true'),
    });
    const ratio = (median(runs.express) / median(runs.webhook)).toFixed(1);
    writeSection({
      id: 'hook-load',
      title: 'Admissions a second',
      command: 'npm run bench:hook-load',
      text:
        'Pods that one process makes nodes of: the pure part (examine, complete, diff); the server of the webhook, with an API ' +
        'server in memory; and a bare express server that parses the same review and says yes. ' +
        `Both servers over TLS on ${CONNECTIONS} kept connections, each a process of its own, asked by another on the same ` +
        `machine. ${ROUNDS} alternating runs of ${ROUND_MS / 1000} s. The bare server is ${ratio} times as fast as the webhook.`,
      table: [
        ['', 'a second, median (least-greatest)'],
        ['pure part', spread(runs.pure, 0, 'pods')],
        ['server of the webhook', spread(runs.webhook, 0, 'reviews')],
        ['bare express', spread(runs.express, 0, 'reviews')],
      ],
      goals: [],
    });
  } finally {
    await Promise.all([webhook.stop(), express.stop()]);
  }
}

if (!(await serveIfAsked())) {
  await main();
  process.exit();
}
