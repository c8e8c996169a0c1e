/**
 * The program of the webhook's image: wires settings, Kubernetes, certificates and the server, and ends when it is told to. As a
 * thread of itself it judges large reviews.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, Worker } from 'node:worker_threads';
import { pino, type Logger } from 'pino';
import { systemClock } from '../pkg/engine/clock.ts';
import type { KubePort } from '../pkg/engine/ports.ts';
import { EXIT, reasonOf } from '../pkg/errors.ts';
import { createRestClient, type RestClient } from '../pkg/kube/client.ts';
import { loadKubeTarget } from '../pkg/kube/config.ts';
import { createKubePort } from '../pkg/kube/kube-port.ts';
import { createApp, createHealthApp } from './app.ts';
import { validityOf } from './certificate/authority.ts';
import { keepCertificates, type KeeperDeps, type Shown } from './certificate/keeper.ts';
import { renewalPolicy } from './certificate/renewal.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { judge, type JudgeDeps } from './judge.ts';
import { createLargeReviews, HEAP_MB, serveLarge } from './large.ts';
import { mutate } from './mutate.ts';
import type { SeenRecord } from './record.ts';
import { createRecent } from './recent.ts';
import { keepRounds } from './rounds.ts';
import { settleClaims } from './identity.ts';
import { createSettler } from './settler.ts';
import { createTurns } from './turns.ts';
import { startServer, type RunningServer } from './server.ts';
import { readSettings, serverNames, type Settings } from './settings.ts';

/** Shorter than the ten seconds that the API server waits for a verdict. */
const KUBE_TIMEOUT_MS = 4_000;
/** Until no proxy sends anybody here any more. */
const DRAIN_MS = 5_000;
const GRACE_MS = 10_000;
const DAY_MS = 24 * 60 * 60_000;

interface Running {
  server: RunningServer | null;
  shown: Shown | null;
}

async function main(log: Logger, settings: Settings): Promise<void> {
  const client = connectToKubernetes();
  const metrics = createMetrics();
  const stop = new AbortController();
  const running: Running = { server: null, shown: null };
  const whyNotReady = (): string | null => {
    if (stop.signal.aborted) return 'stopping';
    return running.server === null ? 'no certificate yet' : null;
  };
  const { kubeIn, judging } = judgingWith(client, log, stop.signal);
  const large = createLargeReviews({
    start: () => new Worker(new URL(import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } }),
  });
  const app = createApp({ ...judging, judgeLarge: large.judge, metrics, log, whyNotReady });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  const healthApp = createHealthApp({ metrics, whyNotReady });
  const health = await startServer(healthApp, { port: settings.healthPort, certificate: null });
  log.info({ namespace: settings.namespace, port: settings.port }, 'starting');
  await keepRounds({
    keep: () => keepCertificates(keeperOf(settings, kubeIn(settings.namespace))),
    clock: systemClock,
    show: async (next) => {
      running.shown = next;
      running.server ??= await startServer(app, { port: settings.port, certificate: next.leaf });
      running.server.useCertificate(next.leaf);
      log.info({ until: new Date(validityOf(next.leaf.cert).notAfter).toISOString() }, 'certificate');
    },
    onRound: (failure) => afterRound(failure, running.shown, { metrics, log }),
    signal: stop.signal,
  });
  log.info('stopping');
  await delay(DRAIN_MS);
  await Promise.all([running.server?.close(GRACE_MS), health.close(0)]);
  await large.close();
  client.close();
}

/** What both threads judge with. */
function judgingWith(
  client: RestClient,
  log: Logger,
  signal: AbortSignal,
): { kubeIn: (namespace: string) => KubePort; judging: JudgeDeps } {
  const kubeIn = (namespace: string): KubePort => createKubePort(client, namespace);
  const { admitted } = createSettler({
    settle: (cluster) => settleClaims(kubeIn(cluster.namespace), systemClock, cluster, signal),
    clock: systemClock,
    signal,
    onFailure: (error) => log.warn({ failure: reasonOf(error) }, 'claims could not be settled'),
  });
  const { inTurn } = createTurns(() => performance.now());
  const recent = createRecent<SeenRecord>(() => performance.now());
  const admit: JudgeDeps['mutate'] = (request) =>
    mutate(request, { kubeIn, clock: systemClock, inTurn, recent, onAdmitted: admitted });
  return { kubeIn, judging: { mutate: admit, stopwatch: () => performance.now() } };
}

const connectToKubernetes = (): RestClient =>
  createRestClient(loadKubeTarget({}), { requestTimeoutMs: KUBE_TIMEOUT_MS });

function keeperOf(settings: Settings, kube: KubePort): KeeperDeps {
  const { secretName, configurationName, ownCertificates } = settings;
  const policy = renewalPolicy(serverNames(settings));
  return { kube, clock: systemClock, policy, secretName, configurationName, own: ownCertificates };
}

function afterRound(
  failure: string | null,
  now: Shown | null,
  to: { readonly metrics: Metrics; readonly log: Logger },
): void {
  if (failure !== null) to.log.error({ failure }, 'certificates could not be looked after');
  if (now === null) return;
  const daysLeft = (cert: string): number => (validityOf(cert).notAfter - systemClock.now()) / DAY_MS;
  const leaf = daysLeft(now.leaf.cert);
  to.metrics.certificates({ leaf, authority: now.bundle === '' ? leaf : daysLeft(now.bundle) });
}

const log = pino();
try {
  const settings = readSettings(process.env);
  log.level = settings.logLevel;
  if (parentPort === null) {
    await main(log, settings);
  } else {
    const { judging } = judgingWith(connectToKubernetes(), log, new AbortController().signal);
    serveLarge(parentPort, (body) => judge(body, judging));
  }
} catch (error) {
  log.fatal({ why: reasonOf(error) }, 'ended');
  process.exitCode = EXIT.failed;
}
