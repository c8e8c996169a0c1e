/**
 * Real servers for tests and benches: N processes, each on its own loopback address and all on the same port, as pods are.
 * Linux only, where all of 127.0.0.0/8 is there without set-up.
 *
 * The binary is $REDIS_SERVER, else redis-server from the PATH.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PodFacts } from '../../pkg/cluster/model/observation.ts';
import type { Dialer } from '../../pkg/engine/ports.ts';
import { createDirectDialer } from '../../pkg/redis/dial-direct.ts';
import { freeAddresses } from './loopback.ts';

export interface RedisServerOptions {
  /** Default 1. */
  readonly count?: number;
  /** Default $REDIS_SERVER, else `redis-server`. One for all, or for each by its index. */
  readonly binary?: string | ((index: number) => string);
  /** Default 7000; the bus port is 10000 more. */
  readonly port?: number;
  /** Instead of a block of free ones of 127.0.0.0/8; then ports count up from `port`. */
  readonly addresses?: readonly string[];
  /** Default true. */
  readonly cluster?: boolean;
  /** cluster-node-timeout; default 2000. */
  readonly nodeTimeoutMs?: number;
  /** requirepass and masterauth. */
  readonly password?: string;
  /** Further directives of redis.conf for all, or for each by its index: `['appendonly', 'yes']`. */
  readonly config?: readonly Directive[] | ((index: number) => readonly Directive[]);
}

export type Directive = readonly [name: string, ...values: string[]];

export interface RedisServer {
  readonly index: number;
  readonly pod: PodFacts;
  readonly address: string;
  readonly port: number;
  /** Its working directory: nodes.conf, data, server.log. */
  readonly dir: string;
  /** Of the process that runs now; -1 while there is none. */
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** SIGKILL, also when it is frozen; resolves when it has gone. Its directory stays. */
  stop(): Promise<void>;
  /**
   * Again, in the same directory at the same address. Resolves when it takes connections.
   * @param more directives for this one time, after all others
   */
  start(more?: readonly Directive[]): Promise<void>;
}

export interface RedisServers {
  readonly servers: readonly RedisServer[];
  readonly dial: Dialer;
  /** Ends all and removes their directories. */
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 60_000;

/** Starts all side by side and waits until each answers PING (with anything: LOADING and NOAUTH are answers). */
export async function startRedisServers(options: RedisServerOptions = {}): Promise<RedisServers> {
  const port = options.port ?? 7000;
  const count = options.addresses?.length ?? options.count ?? 1;
  const addresses = options.addresses ?? (await freeAddresses(count, port));
  const root = await mkdtemp(join(tmpdir(), 'redis-test-'));
  const servers = addresses.map((address, index) => {
    const own = options.addresses === undefined ? port : port + index;
    return createServerHandle(index, address, own, join(root, String(index)), options);
  });
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
    await rm(root, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await Promise.all(servers.map((server) => server.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  return { servers, dial: createDirectDialer(), stop };
}

/** Calls `attempt` every `intervalMs` until it gives something else than null; its errors count as null. */
export async function poll<T>(
  what: string,
  deadlineMs: number,
  attempt: () => Promise<T | null>,
  intervalMs = 20,
): Promise<T> {
  const until = performance.now() + deadlineMs;
  let last: unknown = null;
  while (performance.now() < until) {
    try {
      const result = await attempt();
      if (result !== null) return result;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
  throw new Error(`Not within ${deadlineMs} ms: ${what}`, last === null ? undefined : { cause: last });
}

function createServerHandle(
  index: number,
  address: string,
  port: number,
  dir: string,
  options: RedisServerOptions,
): RedisServer {
  let child: ChildProcess | null = null;
  const killAtExit = (): void => void child?.kill('SIGKILL');
  return {
    index,
    pod: fakePod(index, address, port),
    address,
    port,
    dir,
    get pid() {
      return child?.pid ?? -1;
    },
    kill: (signal) => void child?.kill(signal),
    stop: async () => {
      process.removeListener('exit', killAtExit);
      const stopping = child;
      child = null;
      if (stopping === null || stopping.exitCode !== null || stopping.signalCode !== null) return;
      const gone = once(stopping, 'exit');
      if (stopping.kill('SIGKILL')) await gone;
    },
    start: async (more = []) => {
      await mkdir(dir, { recursive: true });
      const started = spawn(
        binaryOf(options, index),
        [...argumentsFor(index, address, port, options), ...asArguments(more)],
        {
          cwd: dir,
          stdio: 'ignore',
        },
      );
      child = started;
      process.setMaxListeners(0);
      process.once('exit', killAtExit);
      await untilReady(started, address, port, dir);
    },
  };
}

/** @throws when the process ends before, with its log. */
async function untilReady(child: ChildProcess, address: string, port: number, dir: string): Promise<void> {
  let failure: Error | null = null;
  child.once('error', (error) => (failure = error));
  await poll(`redis-server at ${address}:${port} takes connections`, READY_WITHIN_MS, async () => {
    if (failure !== null || child.exitCode !== null) return 'ended';
    return (await answersPing(address, port)) ? 'ready' : null;
  });
  if (failure !== null) throw failure;
  if (child.exitCode === null) return;
  const log = await readFile(join(dir, 'server.log'), 'utf8').catch(() => 'no log');
  throw new Error(`redis-server ended: ${log}`);
}

function binaryOf({ binary }: RedisServerOptions, index: number): string {
  const named = typeof binary === 'function' ? binary(index) : binary;
  return named ?? process.env['REDIS_SERVER'] ?? 'redis-server';
}

function argumentsFor(index: number, address: string, port: number, options: RedisServerOptions): string[] {
  const extra = typeof options.config === 'function' ? options.config(index) : (options.config ?? []);
  const directives: readonly Directive[] = [
    ['port', String(port)],
    ['bind', address],
    ['protected-mode', 'no'],
    ['daemonize', 'no'],
    ['save', ''],
    // The default of 5 s is for replicas that arrive one by one.
    ['repl-diskless-sync-delay', '0'],
    ['logfile', 'server.log'],
    ...(options.cluster === false ? [] : clusterDirectives(address, options)),
    ...(options.password === undefined
      ? []
      : ([
          ['requirepass', options.password],
          ['masterauth', options.password],
        ] as const)),
    ...extra,
  ];
  return asArguments(directives);
}

function asArguments(directives: readonly Directive[]): string[] {
  return directives.flatMap(([name, ...values]) => [`--${name}`, ...values]);
}

function clusterDirectives(address: string, options: RedisServerOptions): Directive[] {
  return [
    // A server on loopback reaches the others from 127.0.0.1, where they would look for it.
    ['cluster-announce-ip', address],
    ['cluster-enabled', 'yes'],
    ['cluster-config-file', 'nodes.conf'],
    ['cluster-node-timeout', String(options.nodeTimeoutMs ?? 2000)],
  ];
}

/** What Kubernetes would say of it: three hosts, taken in turn. */
export function fakePod(index: number, address: string, port: number): PodFacts {
  const name = `redis-${index + 1}`;
  return {
    name: `${name}-0`,
    uid: `uid-${address}-${port}`,
    ip: address,
    host: `host-${(index % 3) + 1}`,
    phase: 'Running',
    ready: true,
    terminating: false,
    container: { name: 'redis', image: 'redis', state: 'running', reason: null, restarts: 0 },
    port,
    labels: { app: 'redis', name, 'kubectl-redis.io/cluster': 'redis' },
    annotations: {},
    claims: [`data-${name}-0`],
    ephemeralData: false,
    createdAt: '2026-01-01T00:00:00Z',
    owner: `StatefulSet/${name}`,
  };
}

function answersPing(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 });
    const end = (answered: boolean) => (): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', end(true)).once('error', end(false)).once('timeout', end(false)).once('close', end(false));
  });
}
