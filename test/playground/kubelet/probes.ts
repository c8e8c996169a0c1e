/** Startup, readiness and liveness of a container, as the kubelet asks (https://kubernetes.io/docs/concepts/workloads/pods/probes/). */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Container, Probe } from '../api/objects.ts';
import { runInside } from './process.ts';
import type { Ran, Surroundings } from './process.ts';

export interface Probed {
  readonly container: Container;
  readonly around: Surroundings;
  readonly podIp: string;
  /** Aborts when the container ends. */
  readonly signal: AbortSignal;
  readonly onStarted: () => void;
  readonly onReady: (ready: boolean) => void;
  readonly onUnhealthy: (what: string, message: string) => void;
  /** It failed too often: the container is to be started again. */
  readonly onDead: (what: string) => void;
}

export function startProbes(probed: Probed): void {
  void watchOver(probed).catch((error: unknown) => {
    if (!probed.signal.aborted) console.error(error);
  });
}

async function watchOver(probed: Probed): Promise<void> {
  const { startupProbe, readinessProbe, livenessProbe } = probed.container;
  if (startupProbe !== undefined && !(await untilStarted(probed, startupProbe))) return;
  probed.onStarted();
  if (readinessProbe === undefined) probed.onReady(true);
  await Promise.all([
    readinessProbe === undefined ? null : watch(probed, readinessProbe, 'Readiness', (ok) => probed.onReady(ok)),
    livenessProbe === undefined
      ? null
      : watch(probed, livenessProbe, 'Liveness', (ok) => (ok ? undefined : probed.onDead('liveness'))),
  ]);
}

async function untilStarted(probed: Probed, probe: Probe): Promise<boolean> {
  let started = false;
  const stop = new AbortController();
  const signal = AbortSignal.any([probed.signal, stop.signal]);
  await watch({ ...probed, signal }, probe, 'Startup', (ok) => {
    started = ok;
    if (!ok) probed.onDead('startup');
    stop.abort();
  }).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  return started;
}

/** Tells each change from good to bad or back, once the threshold is reached; the first good answer counts at once. */
async function watch(probed: Probed, probe: Probe, what: string, tell: (ok: boolean) => void): Promise<void> {
  const { periodSeconds = 10, failureThreshold = 3, successThreshold = 1, initialDelaySeconds = 0 } = probe;
  let [successes, failures] = [0, 0];
  await delay(initialDelaySeconds * 1000, undefined, { signal: probed.signal });
  for (;;) {
    const next = delay(periodSeconds * 1000, undefined, { signal: probed.signal });
    // Awaited below; until then it may already have been aborted.
    next.catch(() => undefined);
    const { ok, output } = await ask(probed, probe);
    probed.signal.throwIfAborted();
    [successes, failures] = ok ? [successes + 1, 0] : [0, failures + 1];
    if (!ok) probed.onUnhealthy(what, `${what} probe failed: ${output}`);
    if (ok && successes === successThreshold) tell(true);
    if (!ok && failures === failureThreshold) tell(false);
    await next;
  }
}

function ask({ around, podIp, container }: Probed, { exec, tcpSocket, timeoutSeconds = 1 }: Probe): Promise<Ran> {
  if (exec !== undefined) return runInside(exec.command, around, timeoutSeconds * 1000);
  const wanted = tcpSocket?.port;
  const port = (container.ports ?? []).find(({ name }) => name === wanted)?.containerPort ?? Number(wanted);
  return new Promise((resolve) => {
    const socket = connect({ host: podIp, port, timeout: timeoutSeconds * 1000 });
    const end = (ok: boolean, output: string) => (): void => {
      socket.destroy();
      resolve({ ok, output });
    };
    socket.once('connect', end(true, '')).once('timeout', end(false, `dial tcp ${podIp}:${port}: i/o timeout`));
    socket.once('error', end(false, `dial tcp ${podIp}:${port}: connect: connection refused`));
  });
}
