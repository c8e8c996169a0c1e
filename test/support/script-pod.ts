/**
 * What a pod of ours runs, as processes of this machine: the scripts of pkg/pod/scripts in a shell, with directories in
 * place of the volumes and a loopback address in place of the pod's.
 *
 * Shells: dash and busybox ash, with busybox' own tools. Servers: redis-server from the PATH, and one for each directory in
 * $REDIS_SERVER_EXTRA (separated by colons), which holds redis-server and redis-cli or valkey-server and valkey-cli.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { nodeName, shardOf, type ClusterSpec } from '../../pkg/cluster/model/spec.ts';
import { renderNodeTable } from '../../pkg/cluster/model/node-table.ts';
import { configMap } from '../../pkg/pod/config-map.ts';
import { askOnce } from './one-command.ts';
import { poll } from './redis-server.ts';
import { specOf } from './spec.ts';

export type Shell = 'dash' | 'busybox ash';

export interface Flavour {
  readonly shell: Shell;
  /** Put in front of the PATH; null = the system's redis-server. */
  readonly serverDir: string | null;
  readonly toString: () => string;
}

export const SYSTEM: Flavour = flavour('dash', null);

/** Both shells with the system's server, and dash with each further server. */
export const FLAVOURS: readonly Flavour[] = [
  SYSTEM,
  flavour('busybox ash', null),
  ...(process.env['REDIS_SERVER_EXTRA'] ?? '')
    .split(':')
    .filter((dir) => dir !== '')
    .map((dir) => flavour('dash', dir)),
];

function flavour(shell: Shell, serverDir: string | null): Flavour {
  return { shell, serverDir, toString: () => `${shell}, ${serverDir === null ? 'system' : basename(serverDir)}` };
}

export interface PodOptions {
  readonly flavour: Flavour;
  readonly ordinal?: number;
  readonly address: string;
  readonly port: number;
  readonly spec?: Partial<ClusterSpec>;
  readonly formed?: boolean;
  /** Of all nodes, by ordinal; its own is not needed. */
  readonly addresses?: ReadonlyMap<number, string>;
  readonly password?: string;
  /** Keys of Secret NAME-auth, where they are not just the password. */
  readonly secret?: Readonly<Record<string, string>>;
  /** null = the environment names no address, as in the YAML of `--dry-run`. */
  readonly announceIp?: string | null;
  /** Of an older version: its pods know no NAME-state, and what is recorded is in NAME-config. */
  readonly oldTemplate?: boolean;
  /** The table, where it is not that of the addresses. */
  readonly nodes?: string;
  /** Further variables, PATH included. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Result {
  readonly code: number;
  readonly output: string;
  readonly elapsedMs: number;
}

export interface ScriptPod {
  readonly root: string;
  readonly dataDir: string;
  readonly runDir: string;
  readonly configDir: string;
  readonly address: string;
  readonly port: number;
  /** Everything that start.sh and the server printed so far. */
  log(): string;
  pid(): number;
  /** Runs start.sh; does not wait for anything. With these variables besides. */
  start(more?: Readonly<Record<string, string>>): void;
  /** Resolves when the server answers PING and has loaded its data: until then it says LOADING to almost everything. */
  ready(): Promise<void>;
  /** Exit code or signal, once it has ended. */
  ended(withinMs?: number): Promise<number | string>;
  /** Signals the process (start.sh, or the server after it); resolves when it has gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  run(script: 'probe.sh' | 'stop.sh', ...args: string[]): Promise<Result>;
  /** What redis-cli would print. */
  cli(...args: string[]): Promise<string>;
  setFormed(formed: string | null): Promise<void>;
  setTable(nodes: string | null): Promise<void>;
  setCleared(at: string | null): Promise<void>;
  setNamespace(namespace: string): Promise<void>;
  /** Empties the volume. */
  loseVolume(): Promise<void>;
  remove(): Promise<void>;
}

/** Busybox' tools as commands, so that the scripts meet its awk, sed, timeout and flock. */
async function busyboxApplets(root: string): Promise<string> {
  const dir = join(root, 'bin');
  await mkdir(dir);
  await promisify(execFile)('busybox', ['--install', '-s', dir]).catch((error: unknown) => {
    throw new Error('These tests need busybox: apt-get install busybox', { cause: error });
  });
  return dir;
}

async function environmentOf(options: PodOptions, root: string): Promise<Record<string, string>> {
  const { flavour, address, port } = options;
  const announceIp = options.announceIp === undefined ? address : options.announceIp;
  const path = [
    ...(flavour.serverDir === null ? [] : [flavour.serverDir]),
    ...(flavour.shell === 'busybox ash' ? [await busyboxApplets(root)] : []),
    process.env['PATH'] ?? '/usr/bin:/bin',
  ].join(':');
  return {
    PATH: path,
    KUBECTL_REDIS_CLUSTER: 'redis',
    KUBECTL_REDIS_NAMESPACE: 'default',
    KUBECTL_REDIS_NODE: String(options.ordinal ?? 1),
    KUBECTL_REDIS_CONFIG_DIR: join(root, 'config'),
    ...(options.oldTemplate === true ? {} : { KUBECTL_REDIS_STATE_DIR: join(root, 'config', 'state') }),
    KUBECTL_REDIS_DATA_DIR: join(root, 'data'),
    KUBECTL_REDIS_RUN_DIR: join(root, 'run'),
    KUBECTL_REDIS_AUTH_FILE: join(root, 'auth', 'password'),
    KUBECTL_REDIS_PORT: String(port),
    KUBECTL_REDIS_HOST: address,
    KUBECTL_REDIS_LOG: join(root, 'stop.log'),
    ...(announceIp === null ? {} : { KUBECTL_REDIS_ANNOUNCE_IP: announceIp }),
    ...options.env,
  };
}

async function writeVolumes(options: PodOptions, root: string): Promise<void> {
  for (const dir of ['config', 'config/state', 'data', 'run']) await mkdir(join(root, dir));
  const spec = specOf(options.spec);
  const own = { ...spec, config: { bind: options.address, ...spec.config } };
  // (Written again below. On the commit of test/findings no ConfigMap is made without.)
  const rendered = configMap(own, { formed: false, nodes: [] });
  for (const [file, text] of Object.entries(rendered['data'] as Record<string, string>)) {
    await writeFile(join(root, 'config', file), text);
  }
  const announced = options.announceIp === undefined ? options.address : options.announceIp;
  const addresses = new Map(options.addresses);
  if (announced !== null) addresses.set(options.ordinal ?? 1, announced);
  await writeRecord(options, root, {
    formed: `${options.formed ?? false}\n`,
    nodes: options.nodes ?? tableOf(spec, addresses),
  });
  const secret = options.secret ?? (options.password === undefined ? {} : { password: options.password });
  await mkdir(join(root, 'auth'));
  for (const [key, value] of Object.entries(secret)) await writeFile(join(root, 'auth', key), value);
}

/** Of the nodes whose addresses are known. */
function tableOf(spec: ClusterSpec, addresses: ReadonlyMap<number, string>): string {
  const lines = [...addresses].map(([ordinal, address]) => {
    return { ordinal, node: nodeName(spec.cluster.name, ordinal), address, shard: shardOf(spec, ordinal) };
  });
  return renderNodeTable(lines);
}

/** As the volume of a pod has it: NAME-state in a directory of its own, and over what NAME-config says. null = no such key. */
async function writeRecord(
  { oldTemplate = false }: Pick<PodOptions, 'oldTemplate'>,
  root: string,
  files: Readonly<Record<string, string | null>>,
): Promise<void> {
  const directories = oldTemplate ? ['config'] : ['config', 'config/state'];
  for (const [name, text] of Object.entries(files)) {
    for (const directory of directories) {
      const file = join(root, directory, name);
      await (text === null ? rm(file, { force: true }) : writeFile(file, text));
    }
  }
}

/** Directories and files of a pod; nothing runs yet. */
export async function makePod(options: PodOptions): Promise<ScriptPod> {
  const root = await mkdtemp(join(tmpdir(), 'script-pod-'));
  await writeVolumes(options, root);
  const env = await environmentOf(options, root);
  const shell: [string, ...string[]] = options.flavour.shell === 'dash' ? ['dash'] : ['busybox', 'ash'];
  const [command, ...before] = shell;
  const script = (name: string): string[] => [...before, join(root, 'config', name)];
  let child: ChildProcess | null = null;
  let log = '';
  let end: number | string | null = null;
  const killAtExit = (): void => void child?.kill('SIGKILL');
  process.setMaxListeners(0);
  process.once('exit', killAtExit);

  const pod: ScriptPod = {
    root,
    dataDir: join(root, 'data'),
    runDir: join(root, 'run'),
    configDir: join(root, 'config'),
    address: options.address,
    port: options.port,
    log: () => log,
    pid: () => child?.pid ?? -1,
    start: (more = {}) => {
      log = '';
      end = null;
      child = spawn(command, script('start.sh'), {
        env: { ...env, ...more },
        cwd: root,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      child.stdout?.on('data', (chunk) => (log += String(chunk)));
      child.stderr?.on('data', (chunk) => (log += String(chunk)));
      // Not `exit`: then the last output may be missing.
      child.once('close', (code, signal) => (end = code ?? signal));
    },
    ready: () =>
      poll(`a server at ${options.address}:\n${log}`, 20_000, async () => {
        if (child?.exitCode !== null) throw new Error(`start.sh ended: ${log}`);
        return /^(?!LOADING)[A-Z]{3}/.test(await pod.cli('ping')) ? true : null;
      }).then(() => undefined),
    ended: (withinMs = 10_000) => poll('the end of start.sh', withinMs, async () => end),
    kill: async (signal) => {
      if (child === null || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill(signal);
      await gone;
    },
    signal: (signal) => void child?.kill(signal),
    run: (name, ...args) => runToEnd(command, [...script(name), ...args], env),
    cli: (...args) => askOnce({ host: options.address, port: options.port, password: options.password }, args),
    setFormed: (formed) => writeRecord(options, root, { formed }),
    setTable: (nodes) => writeRecord(options, root, { nodes }),
    setCleared: (cleared) => writeRecord(options, root, { cleared }),
    setNamespace: (namespace) => writeRecord(options, root, { namespace }),
    loseVolume: async () => {
      await rm(join(root, 'data'), { recursive: true });
      await mkdir(join(root, 'data', 'lost+found'), { recursive: true });
    },
    remove: async () => {
      await pod.kill('SIGKILL');
      process.removeListener('exit', killAtExit);
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  return pod;
}

function runToEnd(command: string, args: readonly string[], env: Record<string, string>): Promise<Result> {
  const from = performance.now();
  return new Promise((resolve, reject) => {
    execFile(command, [...args], { env, timeout: 30_000 }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') return reject(error);
      const code = error === null ? 0 : Number(error.code);
      return resolve({ code, output: stdout + stderr, elapsedMs: performance.now() - from });
    });
  });
}

/** Text of the configuration that the server was given. */
export function renderedConf(pod: ScriptPod): Promise<string> {
  return readFile(join(pod.runDir, 'redis.conf'), 'utf8');
}

/** Resolves when the guard has logged a line that fits. */
export async function guardSays(pod: ScriptPod, pattern: RegExp, withinMs = 10_000): Promise<string> {
  const said = (): string | null =>
    pod
      .log()
      .split('\n')
      .find((line) => line.startsWith('guard:') && pattern.test(line)) ?? null;
  return poll(`a line like ${pattern}`, withinMs, async () => said()).catch((error: unknown) => {
    throw new Error(`No line like ${pattern} in:\n${pod.log()}`, { cause: error });
  });
}
