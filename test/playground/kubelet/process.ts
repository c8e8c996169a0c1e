/** Processes of containers: commands of this machine with the container's paths put in, ended as a group, never left behind. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Container } from '../api/objects.ts';

/** What a process of a container sees. */
export interface Surroundings {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  /** Path in the container -> path on this machine. */
  readonly paths: ReadonlyMap<string, string>;
}

/** Ends a process when this one does, however it ends: there where util-linux is. */
const WITH_PARENT = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true'], { stdio: 'ignore' }).status === 0;

/** The scripts of our pods find their volumes by these, because their paths differ from a container's. */
const VARIABLES: Readonly<Record<string, (path: string) => readonly [string, string]>> = {
  '/etc/redis': (path) => ['KUBECTL_REDIS_CONFIG_DIR', path],
  '/var/lib/redis': (path) => ['KUBECTL_REDIS_DATA_DIR', path],
  '/tmp': (path) => ['KUBECTL_REDIS_RUN_DIR', path],
  '/etc/redis-auth': (path) => ['KUBECTL_REDIS_AUTH_FILE', `${path}/password`],
};

export interface Place {
  readonly podName: string;
  readonly namespace: string;
  readonly podIp: string;
  readonly image: string;
  readonly directory: string;
  readonly paths: ReadonlyMap<string, string>;
}

export function surroundingsOf(container: Container, place: Place): Surroundings {
  const mapped = [...place.paths].flatMap(([path, real]) => {
    const variable = VARIABLES[path];
    return variable === undefined ? [] : [variable(real)];
  });
  return {
    directory: place.directory,
    paths: place.paths,
    env: {
      PATH: `${place.image}:${process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin'}`,
      HOSTNAME: place.podName,
      HOME: place.directory,
      POD_IP: place.podIp,
      KUBECTL_REDIS_HOST: place.podIp,
      KUBECTL_REDIS_LOG: `${place.directory}/hook.log`,
      ...Object.fromEntries(mapped),
      // What says a path says one of the container.
      ...Object.fromEntries(
        (container.env ?? []).map((each) => [each.name, translate(valueOf(each, place) ?? '', place.paths)]),
      ),
    },
  };
}

/** null = it comes from where the playground has nothing. */
export function valueOf(
  { value = '', valueFrom }: NonNullable<Container['env']>[number],
  { podName, namespace, podIp }: Pick<Place, 'podName' | 'namespace' | 'podIp'>,
): string | null {
  if (valueFrom === undefined) return value;
  const fields = new Map([
    ['metadata.name', podName],
    ['metadata.namespace', namespace],
    ['status.podIP', podIp],
  ]);
  return fields.get(valueFrom.fieldRef?.fieldPath ?? '') ?? null;
}

/** A word of a command line, with the paths of the container replaced by those of this machine. */
function translate(word: string, paths: ReadonlyMap<string, string>): string {
  const longest = [...paths].sort(([a], [b]) => b.length - a.length);
  const found = longest.find(([path]) => word === path || word.startsWith(`${path}/`));
  return found === undefined ? word : found[1] + word.slice(found[0].length);
}

function start(command: readonly string[], around: Surroundings, output: 'pipe' | number): ChildProcess {
  const words = command.map((word) => translate(word, around.paths));
  const [program = 'false', ...args] = WITH_PARENT ? ['setpriv', '--pdeathsig', 'KILL', '--', ...words] : words;
  return spawn(program, args, {
    cwd: around.directory,
    env: around.env,
    stdio: ['ignore', output, output],
    detached: true,
  });
}

/** SIGKILL to the process and all that it started. */
export function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All are gone already.
  }
}

export interface Exit {
  readonly code: number;
  readonly signal: number;
}

const SIGNALS: Readonly<Record<string, number>> = { SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15, SIGABRT: 6 };

/** The main process of a container; what it started ends with it. */
export function startMain(
  command: readonly string[],
  around: Surroundings,
  logFile: string,
): { readonly child: ChildProcess; readonly ended: Promise<Exit> } {
  const log = openSync(logFile, 'a');
  const child = start(command, around, log);
  closeSync(log);
  const ended = new Promise<Exit>((resolve) => {
    child.once('error', () => resolve({ code: 127, signal: 0 }));
    child.once('exit', (code, signal) => {
      killGroup(child);
      const number = SIGNALS[signal ?? ''] ?? 0;
      resolve({ code: code ?? 128 + number, signal: number });
    });
  });
  return { child, ended };
}

export interface Ran {
  readonly ok: boolean;
  readonly output: string;
}

/** A command in the container: a probe, a hook. */
export function runInside(command: readonly string[], around: Surroundings, timeoutMs: number): Promise<Ran> {
  const child = start(command, around, 'pipe');
  let output = '';
  const take = (chunk: unknown): void => {
    if (output.length < 4096) output += String(chunk);
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      output = `command timed out after ${timeoutMs / 1000} s`;
      killGroup(child);
    }, timeoutMs);
    const end = (ok: boolean): void => {
      clearTimeout(timer);
      resolve({ ok, output: output.trim() });
    };
    child.once('error', (error) => {
      output = error.message;
      end(false);
    });
    child.once('exit', (code) => end(code === 0));
  });
}
