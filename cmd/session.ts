/** Wires the ports as the global flags say. What talks to Redis and the tunnel are loaded when the first node is asked, not before. */
import { readFile } from 'node:fs/promises';
import type { Dialer } from '../pkg/engine/ports.ts';
import type { LoginSource, Redis } from '../pkg/redis/connect.ts';
import type { KeyConflict } from '../pkg/redis/move/conflicts.ts';
import type { PodFacts } from '../pkg/cluster/model/observation.ts';
import { CLUSTER_LABEL } from '../pkg/cluster/model/labels.ts';
import { AppError, usageError } from '../pkg/errors.ts';
import { createRestClient } from '../pkg/kube/client.ts';
import type { RestClient } from '../pkg/kube/client.ts';
import { IN_CLUSTER_CONTEXT, loadKubeTarget } from '../pkg/kube/config.ts';
import { createKubePort } from '../pkg/kube/kube-port.ts';
import { MAX_TUNNELS, type KubePort } from '../pkg/engine/ports.ts';
import type { Session } from './deps.ts';
import { timeoutMsOf } from './global-flags.ts';
import type { Globals } from './global-flags.ts';

interface RedisLogin {
  readonly username?: string;
  readonly password: string;
}

interface GivenLogin {
  readonly login: RedisLogin;
  readonly file: string;
}

/** @throws {AppError} for a kubeconfig or a password file that cannot be used. */
export async function openSession(
  globals: Globals,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Session> {
  const given = await readPasswordFile(globals);
  const target = loadKubeTarget({
    kubeconfig: globals.kubeconfig,
    context: globals.context,
    namespace: globals.namespace,
    as: globals.as,
    asGroups: globals['as-group'],
  });
  const early = createEarlyWork();
  const client = createRestClient(target, {
    requestTimeoutMs: timeoutMsOf(globals),
    onFirstRequest: () => early.begin(),
  });
  const direct = globals.connect === 'direct' || (globals.connect === 'auto' && isInsideCluster(env, target.context));
  const closers: (() => void)[] = [];
  const inNamespace = (namespace: string): Session => {
    const kube = createKubePort(client, namespace);
    const redis = lazyRedis(async () => {
      const [{ createRedisPort }, dial] = await Promise.all([
        import('../pkg/redis/connect.ts'),
        direct ? directDialer() : tunnelDialer(client, namespace),
      ]);
      return createRedisPort({
        dial,
        ...loginsOf(kube, given),
        maxOpen: direct ? Infinity : MAX_TUNNELS,
        way: direct ? 'connection' : 'tunnel',
        saveConflict,
      });
    });
    closers.push(() => redis.close());
    const prepare = (): void =>
      early.add(() => Promise.all([import('../pkg/redis/connect.ts'), direct ? directDialer() : loadTunnel()]));
    return { kube, redis, namespace, inNamespace, prepare, close: () => closeAll(closers, client) };
  };
  return inNamespace(target.namespace);
}

let conflicts: Promise<(conflict: KeyConflict) => Promise<void>> | null = null;

/** In one file for all moves of this process; hardly any has one. */
async function saveConflict(conflict: KeyConflict): Promise<void> {
  conflicts ??= import('./conflict-file.ts').then(({ conflictFile }) =>
    conflictFile(process.cwd(), new Date(), (text) => process.stderr.write(text)),
  );
  await (
    await conflicts
  )(conflict);
}

function closeAll(closers: readonly (() => void)[], client: RestClient): void {
  for (const close of closers) close();
  client.close();
}

interface EarlyWork {
  add(load: () => Promise<unknown>): void;
  begin(): void;
}

/** Loading code takes time of this process, which has none to spare before it turns to Kubernetes, and plenty while that answers. */
function createEarlyWork(): EarlyWork {
  const waiting: (() => Promise<unknown>)[] = [];
  let begun = false;
  // What can't be loaded is missed, and reported, by who needs it.
  const start = (load: () => Promise<unknown>): void => void load().catch(() => undefined);
  return {
    add: (load) => {
      if (begun) start(load);
      else waiting.push(load);
    },
    begin: () => {
      begun = true;
      for (const load of waiting.splice(0)) start(load);
    },
  };
}

const loadTunnel = () => import('../pkg/kube/tunnel.ts');

async function directDialer(): Promise<Dialer> {
  const { createDirectDialer } = await import('../pkg/redis/dial-direct.ts');
  return createDirectDialer();
}

async function tunnelDialer(client: RestClient, namespace: string): Promise<Dialer> {
  const { createTunnelDialer } = await loadTunnel();
  return createTunnelDialer(client, namespace);
}

/** Pod addresses can be reached from inside a pod of the same cluster; a kubeconfig there may well name another one. */
function isInsideCluster(env: Readonly<Record<string, string | undefined>>, context: string): boolean {
  return env['KUBERNETES_SERVICE_HOST'] !== undefined && context === IN_CLUSTER_CONTEXT;
}

/** A RedisPort, and what moves keys beside it, that loads the real one when it is first used. */
export function lazyRedis(load: () => Promise<Redis>): Redis {
  let port: Promise<Redis> | null = null;
  let closed = false;
  const get = (): Promise<Redis> => (port ??= load());
  return {
    ask: async (pod, options) => (await get()).ask(pod, options),
    run: async (...asked) => (await get()).run(...asked),
    mover: {
      move: async (...move) => (await get()).mover.move(...move),
      lacks: async (...asked) => (await get()).mover.lacks(...asked),
    },
    strays: { settle: async (...job) => (await get()).strays.settle(...job) },
    close: () => {
      if (closed) return;
      closed = true;
      port?.then(
        (loaded) => loaded.close(),
        () => undefined,
      );
    },
  };
}

async function readPasswordFile(globals: Globals): Promise<GivenLogin | null> {
  const file = globals['password-file'];
  if (file === undefined) {
    if (globals.username !== undefined) throw usageError('--username needs --password-file');
    return null;
  }
  const username = globals.username === undefined ? {} : { username: globals.username };
  try {
    // Files made with echo end in a line break that is no part of the password.
    const password = (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
    if (password !== '') return { login: { ...username, password }, file };
  } catch (error) {
    throw new AppError(`cannot read the password file ${file}`, { code: 'usage', exitCode: 2, cause: error });
  }
  throw usageError(`the password file ${file} is empty`);
}

interface Logins {
  readonly credentials: (pod: PodFacts) => Promise<RedisLogin | null>;
  readonly loginSource: (pod: PodFacts) => Promise<LoginSource>;
}

/** What a Secret gives: a password, or why there is none in words. */
type FromSecret = RedisLogin | string;

/** The given password, else that of Secret NAME-auth, read once for each name that the pods' cluster may go by. */
function loginsOf(kube: KubePort, given: GivenLogin | null): Logins {
  if (given !== null) {
    const { login, file } = given;
    const words = `the password of file ${file} was given`;
    const source = { user: login.username ?? 'default', secret: null, words };
    return { credentials: () => Promise.resolve(login), loginSource: () => Promise.resolve(source) };
  }
  const known = new Map<string, Promise<FromSecret>>();
  const fromSecret = (name: string): Promise<FromSecret> => {
    const found = known.get(name) ?? readSecret(kube, name);
    known.set(name, found);
    return found;
  };
  const find = async (pod: PodFacts): Promise<{ readonly login: RedisLogin; readonly secret: string } | string> => {
    let why = `no password was given: there is no Secret`;
    for (const [at, name] of secretNames(pod).entries()) {
      const found = await fromSecret(name);
      if (typeof found !== 'string') return { login: found, secret: name };
      if (at === 0) why = `no password was given: ${found}`;
    }
    return why;
  };
  return {
    credentials: async (pod) => {
      const found = await find(pod);
      return typeof found === 'string' ? null : found.login;
    },
    loginSource: async (pod) => {
      const found = await find(pod);
      if (typeof found === 'string') return { user: 'default', secret: null, words: found };
      return { user: 'default', secret: found.secret, words: `the password of Secret ${found.secret} was given` };
    },
  };
}

/** As readFacts finds the pods of a cluster: by our label, or by what usually ties pods to a name. */
function secretNames(pod: PodFacts): string[] {
  const own = pod.labels[CLUSTER_LABEL];
  const tied = [pod.labels['app.kubernetes.io/instance'], pod.labels['app'], pod.owner?.split('/').at(-1)];
  const names = own === undefined ? tied.filter((name) => name !== undefined) : [own];
  return [...new Set(names)].map((name) => `${name}-auth`);
}

/** Without the right to read Secrets: as if there were none, so that clusters without a password can be seen. */
async function readSecret(kube: KubePort, name: string): Promise<FromSecret> {
  try {
    const secret = await kube.get('v1', 'Secret', name);
    if (secret === null) return `there is no Secret ${name}`;
    const data = secret['data'];
    const encoded = typeof data === 'object' && data !== null && 'password' in data ? data.password : undefined;
    if (typeof encoded !== 'string') return `Secret ${name} has no key password`;
    return { password: Buffer.from(encoded, 'base64').toString('utf8') };
  } catch (error) {
    if (error instanceof AppError && error.code === 'forbidden') return `Secret ${name} may not be read`;
    throw error;
  }
}
