/**
 * A laptop: `rebalance` in a process of its own, on the way to the API server and to the nodes that it is given. See
 * laptop.ts.
 */
import { systemClock } from '../../../pkg/engine/clock.ts';
import { ownIdentity, type SystemFiles } from '../../../pkg/engine/lease/identity.ts';
import { prepareRebalance, runRebalance } from '../../../pkg/engine/rebalance.ts';
import type { Clock, MoveLimits } from '../../../pkg/engine/ports.ts';
import { AppError, reasonOf } from '../../../pkg/errors.ts';
import { createRestClient } from '../../../pkg/kube/client.ts';
import { createKubePort } from '../../../pkg/kube/kube-port.ts';
import { createRedisPort } from '../../../pkg/redis/connect.ts';
import { createDirectDialer } from '../../../pkg/redis/dial-direct.ts';

export interface LaptopOrder {
  readonly server: { readonly url: string; readonly authority: string; readonly token: string };
  /** Where it reaches each pod. */
  readonly ports: Readonly<Record<string, number>>;
  /** Its clock is so much ahead, in milliseconds. */
  readonly aheadMs: number;
  readonly files: SystemFiles;
  readonly weights: readonly string[];
  readonly limits: MoveLimits;
}

/** One a line, on stdout. */
export type LaptopNews =
  | { readonly kind: 'trouble'; readonly sentence: string }
  | { readonly kind: 'moving'; readonly keys: number }
  | { readonly kind: 'end'; readonly code: string; readonly message: string };

const order = JSON.parse(process.argv[2] ?? '') as LaptopOrder;
const say = (news: LaptopNews): void => void process.stdout.write(`${JSON.stringify(news)}\n`);
const clock: Clock = { ...systemClock, now: () => Date.now() + order.aheadMs };
const client = createRestClient({
  config: {
    applyToHTTPSOptions: (options) => {
      Object.assign(options, {
        ca: order.server.authority,
        headers: { Authorization: `Bearer ${order.server.token}` },
      });
      return Promise.resolve();
    },
  },
  server: order.server.url,
  proxyUrl: null,
  context: 'laptop',
  namespace: 'default',
  impersonate: null,
});
const direct = createDirectDialer();
const redis = createRedisPort({
  dial: (pod, signal) => direct({ ...pod, ip: '127.0.0.1', port: order.ports[pod.name] ?? 0 }, signal),
  credentials: () => Promise.resolve(null),
});
const ports = { kube: createKubePort(client, 'default'), redis, clock, identity: ownIdentity(order.files) };
const { signal } = new AbortController();
try {
  const cluster = { namespace: 'default', name: 'redis' };
  const asked = { cluster, by: 'slots', weights: order.weights, thresholdPercent: 0, signal } as const;
  const prepared = await prepareRebalance(ports, { ...asked, isThere: () => Promise.resolve() });
  await runRebalance(ports, {
    prepared,
    mover: redis.mover,
    limits: order.limits,
    parallel: 10,
    signal,
    report: (progress) => {
      if (progress.kind === 'trouble') say({ kind: 'trouble', sentence: progress.sentence });
      if (progress.kind === 'moving') say({ kind: 'moving', keys: progress.progress.keys });
    },
  });
  say({ kind: 'end', code: 'done', message: '' });
} catch (error) {
  const code = error instanceof AppError ? error.code : 'bug';
  say({ kind: 'end', code, message: reasonOf(error) });
}
process.stdout.write('', () => process.exit(0));
