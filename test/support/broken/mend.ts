/** Our `fix`, and redis-cli's, on a broken scene. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { check } from '../../../pkg/cluster/check/check.ts';
import { interpret } from '../../../pkg/cluster/interpret.ts';
import { NO_POLICY, type FixPlan, type FixPolicy, type Repair } from '../../../pkg/cluster/plan/fix/fix-plan.ts';
import { systemClock } from '../../../pkg/engine/clock.ts';
import { prepareFix, runFix } from '../../../pkg/engine/fix.ts';
import type { ObservePorts } from '../../../pkg/engine/observe.ts';
import type { Clock, KubePort, MoveLimits, RedisCommand, RedisPort } from '../../../pkg/engine/ports.ts';
import { dyingRun } from '../dying-port.ts';
import { createObjectStore } from '../fake-kube.ts';
import { POLITE } from '../move-cluster.ts';
import type { Scene } from './scene.ts';
import type { BrokenState } from './state.ts';

export const CLUSTER = { namespace: 'default', name: 'redis' };

export interface Mended {
  /** What it stopped with; null = it came to its end. */
  readonly error: unknown;
  /** Codes that it worked on. */
  readonly repaired: readonly string[];
  /** Titles of batches, in order. */
  readonly batches: readonly string[];
  /** What it would still do, and what it leaves with its reasons. */
  readonly plan: FixPlan;
  readonly elapsedMs: number;
}

export function policyOf(state: BrokenState): FixPolicy {
  return { ...NO_POLICY, ...state.consent };
}

/**
 * `fix`, killed at its `at`-th command that changes a node: before it is sent, or after it was sent and before its reply was read.
 *
 * @returns whether it was killed; if not, it came to its end before
 */
export async function mendKilled(
  scene: Scene,
  policy: FixPolicy,
  at: number,
  when: 'before' | 'after',
  as: MendAs = {},
): Promise<boolean> {
  const { run, changes } = dyingRun(scene.port, at, when, isChange);
  const { error } = await mend({ ...scene, port: { ...scene.port, run } }, policy, Infinity, as);
  if (error !== null && changes() < at) throw error as Error;
  return changes() >= at;
}

const READING = new Set(['MYID', 'NODES', 'INFO', 'LINKS', 'COUNTKEYSINSLOT', 'GETKEYSINSLOT', 'GET', 'LIST']);

/** Whether it may change something. */
export function isChange([name, word]: RedisCommand): boolean {
  return name !== 'INFO' && name !== 'ROLE' && name !== 'DBSIZE' && name !== 'TIME' && !READING.has(String(word));
}

/** Left out: polite, by a hasty clock, with a yes to all. */
export interface MendAs {
  readonly clock?: HastyClock;
  readonly limits?: MoveLimits;
  /** Codes that are left as they are. */
  readonly skip?: readonly string[];
  readonly consent?: (repair: Repair, plan: FixPlan) => Promise<boolean>;
}

/**
 * @param stopAfter batches until it is stopped, as if killed; left out: never
 */
export async function mend(scene: Scene, policy: FixPolicy, stopAfter = Infinity, as: MendAs = {}): Promise<Mended> {
  const ports = portsOf(scene, as.clock);
  const consent = as.consent === undefined ? {} : { consent: as.consent };
  const batches: string[] = [];
  const stop = new AbortController();
  const startedAt = performance.now();
  let error: unknown = null;
  let repaired: readonly string[] = [];
  try {
    const fixed = await runFix(ports, {
      cluster: CLUSTER,
      policy,
      mover: scene.port.mover,
      strays: scene.port.strays,
      limits: as.limits ?? POLITE,
      skip: new Set(as.skip),
      signal: stop.signal,
      podsTimeoutMs: 5_000,
      ...consent,
      report: (progress) => {
        if (progress.kind === 'batch') batches.push(progress.batch.title);
        if (progress.kind === 'step-done' && batches.length > stopAfter) stop.abort();
      },
    });
    repaired = fixed.repaired;
  } catch (caught) {
    error = caught;
  }
  const elapsedMs = performance.now() - startedAt;
  const { plan } = await prepareFix(ports, {
    cluster: CLUSTER,
    policy,
    mover: scene.port.mover,
    signal: new AbortController().signal,
  });
  return { error, repaired, batches, plan, elapsedMs };
}

/** Codes of what is wrong now. */
export async function codesOf(scene: Scene): Promise<string[]> {
  const observation = await scene.observe();
  return check(interpret(observation), observation).map((problem) => problem.code);
}

/** Kubernetes as the scene tells of it; leases and objects are kept in memory. */
export function portsOf(scene: Scene, clock: HastyClock = HASTY): ObservePorts {
  const kube = {
    ...createObjectStore(),
    namespace: CLUSTER.namespace,
    readFacts: (_: unknown, _signal: unknown, options?: { onPods?: (pods: Scene['kube']['pods']) => void }) => {
      options?.onPods?.(scene.kube.pods);
      return Promise.resolve(scene.kube);
    },
    listClusters: () => Promise.resolve([]),
    list: () => Promise.resolve([]),
    watchPods: () => Promise.resolve(),
    logTail: (pod: string) => Promise.resolve(scene.logs.get(pod) ?? []),
    whyNotReady: () => Promise.resolve(null),
    whyNoPod: () => Promise.resolve(null),
    close: () => undefined,
  } as unknown as KubePort;
  return { kube, redis: hurried(scene.port, clock.haste), clock };
}

/**
 * Servers do not hurry: what they hold back for so many node timeouts (a second vote, a second election) takes its real time. So they
 * are heard with a node timeout that is that much longer. As they answer it, it would be waited out in a quarter of it, and too early.
 */
function hurried(port: RedisPort, haste: number): RedisPort {
  const run: RedisPort['run'] = async (pod, commands, deadlineMs, fence) => {
    const replies = await port.run(pod, commands, deadlineMs, fence);
    return replies.map((reply, index) =>
      commands[index]?.join(' ') === 'CONFIG GET cluster-node-timeout' && Array.isArray(reply)
        ? [reply[0], String(Number(reply[1]) * haste)]
        : reply,
    );
  };
  return { ...port, run };
}

/** Four seconds pass in one: what `fix` waits for on purpose is mostly gossip, which is quick here. */
const HASTY = hastyClock(4);

export interface HastyClock extends Clock {
  readonly haste: number;
}

/** By which `haste` seconds pass in one. @param sleepless how much shorter sleeps are: what is looked at again and again costs most */
export function hastyClock(haste: number, sleepless = haste): HastyClock {
  return {
    haste,
    now: () => systemClock.now() * haste,
    monotonic: () => systemClock.monotonic() * haste,
    sleep: (milliseconds, signal) => systemClock.sleep(milliseconds / sleepless, signal),
  };
}

export interface CliMended {
  /** null = it was stopped, because it hung. */
  readonly exitCode: number | null;
  readonly lastLine: string;
  readonly elapsedMs: number;
}

const CLI_LIMIT_MS = 60_000;

/** `redis-cli --cluster fix`, with a yes to all that it asks. Valkey's own for Valkey. */
export async function mendByCli(scene: Scene, cli: string, via: number, limitMs = CLI_LIMIT_MS): Promise<CliMended> {
  const { address = '', port = 0 } = scene.servers[via] ?? {};
  const { password } = scene.options;
  const startedAt = performance.now();
  const running = spawn(cli, ['--cluster', 'fix', `${address}:${port}`, '--cluster-yes'], {
    env: { ...process.env, ...(password === null ? {} : { REDISCLI_AUTH: password }) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  running.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  running.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const timer = setTimeout(() => running.kill('SIGKILL'), limitMs);
  const [exitCode] = (await once(running, 'exit')) as [number | null];
  clearTimeout(timer);
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  return { exitCode, lastLine: lines.at(-1) ?? '', elapsedMs: performance.now() - startedAt };
}
