/** One container of a pod: started, probed, started again when it ends, stopped with its hook and its grace. */
import type { ChildProcess } from 'node:child_process';
import { appendFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { timestamp } from '../api/objects.ts';
import type { Container, ContainerState, ContainerStatus, PodSpec } from '../api/objects.ts';
import { killGroup, runInside, startMain } from './process.ts';
import type { Exit, Surroundings } from './process.ts';
import { startProbes } from './probes.ts';

export interface ContainerDeps {
  readonly container: Container;
  readonly command: readonly string[];
  readonly around: Surroundings;
  readonly podIp: string;
  readonly restartPolicy: NonNullable<PodSpec['restartPolicy']>;
  readonly onChange: () => void;
  readonly record: (type: 'Normal' | 'Warning', reason: string, message: string) => void;
}

export interface RunningContainer {
  status(): ContainerStatus;
  /** How it ended, once it will not be started again; null before. */
  over(): Exit | null;
  logFile(previous: boolean): string;
  /** Hook, SIGTERM, and SIGKILL when the grace is over. Called again with less grace, it ends sooner. */
  stop(graceMs: number): Promise<void>;
}

const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 300_000;
/** What ran for so long is not in a crash loop. */
const CALM_AFTER_MS = 600_000;

export function runContainer(deps: ContainerDeps): RunningContainer {
  const { container, around } = deps;
  const { name } = container;
  let state: ContainerState = { waiting: { reason: 'ContainerCreating' } };
  let lastState: ContainerState = {};
  let [ready, started, restarts, crashes] = [false, false, 0, 0];
  let final: Exit | null = null;
  let child: ChildProcess | null = null;
  const stopping = new AbortController();
  const logFile = (run: number): string => join(around.directory, `${name}-${run}.log`);
  const become = (next: ContainerState): void => {
    state = next;
    if (next.running === undefined) [ready, started] = [false, false];
    deps.onChange();
  };

  const runOnce = async (): Promise<Exit> => {
    const main = startMain(deps.command, around, logFile(restarts));
    child = main.child;
    const startedAt = timestamp();
    deps.record('Normal', 'Started', `Started container ${name}`);
    const end = new AbortController();
    become({ running: { startedAt } });
    startProbes({
      container,
      around,
      podIp: deps.podIp,
      signal: end.signal,
      onStarted: () => {
        started = true;
        deps.onChange();
      },
      onReady: (now) => {
        ready = now;
        deps.onChange();
      },
      onUnhealthy: (_, message) => deps.record('Warning', 'Unhealthy', message),
      onDead: (what) => {
        deps.record('Normal', 'Killing', `Container ${name} failed ${what} probe, will be restarted`);
        killGroup(main.child);
      },
    });
    const exit = await main.ended;
    end.abort();
    child = null;
    const reason = exit.code === 0 ? 'Completed' : 'Error';
    const terminated = { exitCode: exit.code, signal: exit.signal, reason, startedAt, finishedAt: timestamp() };
    become({ terminated });
    return exit;
  };
  const runForEver = async (): Promise<void> => {
    for (;;) {
      const from = Date.now();
      const exit = await runOnce();
      const again = deps.restartPolicy === 'Always' || (deps.restartPolicy === 'OnFailure' && exit.code !== 0);
      if (!again || stopping.signal.aborted) {
        final = exit;
        deps.onChange();
        return;
      }
      crashes = Date.now() - from > CALM_AFTER_MS ? 0 : crashes + 1;
      lastState = state;
      if (crashes > 1) await pauseAfterCrash();
      if (stopping.signal.aborted) return void (final = exit);
      restarts += 1;
    }
  };
  const pauseAfterCrash = async (): Promise<void> => {
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (crashes - 2), LONGEST_PAUSE_MS);
    deps.record('Warning', 'BackOff', `Back-off restarting failed container ${name}`);
    const message = `back-off ${pauseMs / 1000}s restarting failed container=${name}`;
    become({ waiting: { reason: 'CrashLoopBackOff', message } });
    await delay(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
  };
  const running = runForEver();
  const hookOnce = once((graceMs: number) => runHook(deps, graceMs));

  return {
    status: () => ({
      name,
      image: container.image,
      imageID: '',
      ready,
      started,
      restartCount: restarts,
      state,
      lastState,
    }),
    over: () => final,
    logFile: (previous) => logFile(previous ? restarts - 1 : restarts),
    stop: async (graceMs) => {
      const until = Date.now() + graceMs;
      stopping.abort();
      const kill = setTimeout(() => child !== null && killGroup(child), graceMs);
      if (child !== null && graceMs > 0) await Promise.race([hookOnce(graceMs), running]);
      child?.kill('SIGTERM');
      if (child !== null && Date.now() >= until) killGroup(child);
      await running;
      clearTimeout(kill);
    },
  };
}

function once<T>(work: (given: number) => Promise<T>): (given: number) => Promise<T> {
  let begun: Promise<T> | null = null;
  return (given) => (begun ??= work(given));
}

/** What the hook says goes to the container's log, which in a container would be the output of process 1. */
async function runHook({ container, around, record }: ContainerDeps, graceMs: number): Promise<void> {
  const hook = container.lifecycle?.preStop?.exec;
  if (hook === undefined) return;
  const said = around.env['KUBECTL_REDIS_LOG'] ?? '';
  const { ok, output } = await runInside(hook.command, around, graceMs);
  if (!ok) record('Warning', 'FailedPreStopHook', output);
  const text = await readFile(said, 'utf8').catch(() => '');
  if (text !== '') await appendFile(join(around.directory, `${container.name}-0.log`), text);
  await rm(said, { force: true });
}
