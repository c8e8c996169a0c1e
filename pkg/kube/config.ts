/**
 * Which API server to talk to, as whom, and in which namespace: kubeconfig files as kubectl reads them, or the service
 * account of the pod that we run in.
 *
 * Only KubeConfig is taken from the client library: its generated API classes cost most of a second to load.
 */
import { existsSync, readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import type { Cluster, Context, User } from '@kubernetes/client-node';
import { AppError } from '../errors.ts';
import { systemCode } from './system-code.ts';

/** The kubectl flags that choose a cluster and a user. */
export interface KubeFlags {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly namespace?: string | undefined;
  /** User to impersonate, or `system:serviceaccount:NAMESPACE:NAME`. */
  readonly as?: string | undefined;
  readonly asGroups?: readonly string[] | undefined;
}

/** Where and as whom. */
export interface KubeTarget {
  readonly config: Pick<KubeConfig, 'applyToHTTPSOptions'>;
  /** URL of the API server, without a slash at the end. */
  readonly server: string;
  readonly proxyUrl: string | null;
  readonly context: string;
  readonly namespace: string;
  readonly impersonate: { readonly user: string; readonly groups: readonly string[] } | null;
}

/** What the process's surroundings say; tests pass their own. */
export interface KubeSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Put before /var/run/secrets/…; '' outside of tests. */
  readonly inClusterRoot: string;
}

/** The context of the pod that we run in, where no kubeconfig says otherwise. */
export const IN_CLUSTER_CONTEXT = 'in-cluster';

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * Reads what the flags, $KUBECONFIG, ~/.kube/config or the pod's service account say, in this order.
 * @throws {AppError} `kubeconfig-missing`, `kubeconfig-unreadable`, `kubeconfig-invalid`, `context-unknown`, `usage`
 */
export function loadKubeTarget(
  flags: KubeFlags,
  around: KubeSurroundings = { env: process.env, home: homedir(), inClusterRoot: '' },
): KubeTarget {
  if (flags.as === undefined && (flags.asGroups?.length ?? 0) > 0) {
    throw new AppError('--as-group needs --as', { code: 'usage', exitCode: 2, hint: 'Add --as USER.' });
  }
  const config = readConfig(flags, around);
  const context = chooseContext(config, flags.context);
  const cluster = config.getCluster(context.cluster);
  if (cluster === null || config.getUser(context.user) === null) {
    const lacks = cluster === null ? `cluster "${context.cluster}"` : `user "${context.user}"`;
    throw new AppError(`context "${context.name}" names ${lacks}, which the kubeconfig does not have`, {
      code: 'kubeconfig-invalid',
      hint: 'See: kubectl config view',
    });
  }
  config.setCurrentContext(context.name);
  const as = flags.as ?? config.getUser(context.user)?.impersonateUser;
  return {
    config,
    server: cluster.server.replace(/\/+$/, ''),
    proxyUrl: cluster.proxyUrl ?? null,
    context: context.name,
    namespace:
      flags.namespace ?? (context.namespace === undefined || context.namespace === '' ? 'default' : context.namespace),
    impersonate: typeof as === 'string' && as !== '' ? { user: as, groups: flags.asGroups ?? [] } : null,
  };
}

function readConfig(flags: KubeFlags, around: KubeSurroundings): KubeConfig {
  if (flags.kubeconfig !== undefined) return joinConfigs([readFile(flags.kubeconfig, 'must')]);
  const listed = (around.env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  const files = listed.length > 0 ? listed : [join(around.home, '.kube', 'config')];
  const found = files.map((file) => readFile(file, 'may')).filter((config) => config !== null);
  if (found.length > 0) return joinConfigs(found);
  const inPod = readServiceAccount(around);
  if (inPod !== null) return inPod;
  throw new AppError(
    `no kubeconfig: ${files.join(', ')} ${files.length > 1 ? 'do' : 'does'} not exist or ${files.length > 1 ? 'are' : 'is'} empty`,
    {
      code: 'kubeconfig-missing',
      hint: 'Name one with --kubeconfig FILE or KUBECONFIG, or make one as your Kubernetes provider says.',
    },
  );
}

/** The service account of the pod that we run in (https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/). */
function readServiceAccount(around: KubeSurroundings): KubeConfig | null {
  const host = around.env['KUBERNETES_SERVICE_HOST'] ?? '';
  const directory = `${around.inClusterRoot}${SERVICE_ACCOUNT}`;
  const tokenFile = `${directory}/token`;
  if (host === '' || !existsSync(tokenFile)) return null;
  const namespaceFile = `${directory}/namespace`;
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [
      {
        name: 'in-cluster',
        caFile: `${directory}/ca.crt`,
        server: `https://${isIPv6(host) ? `[${host}]` : host}:${around.env['KUBERNETES_SERVICE_PORT'] ?? '443'}`,
        skipTLSVerify: false,
      },
    ],
    // The library reads the file again every minute: the token in it is replaced now and then.
    users: [{ name: 'service-account', authProvider: { name: 'tokenFile', config: { tokenFile } } }],
    contexts: [
      {
        name: IN_CLUSTER_CONTEXT,
        cluster: 'in-cluster',
        user: 'service-account',
        ...(existsSync(namespaceFile) ? { namespace: readFileSync(namespaceFile, 'utf8').trim() } : {}),
      },
    ],
    currentContext: IN_CLUSTER_CONTEXT,
  });
  return config;
}

function readFile(file: string, need: 'must'): KubeConfig;
function readFile(file: string, need: 'may'): KubeConfig | null;
function readFile(file: string, need: 'must' | 'may'): KubeConfig | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const missing = systemCode(error) === 'ENOENT';
    if (missing && need === 'may') return null;
    throw new AppError(`cannot read kubeconfig ${file}`, {
      code: missing ? 'kubeconfig-missing' : 'kubeconfig-unreadable',
      cause: error,
      hint: missing ? 'Check the path after --kubeconfig.' : "Check the file's owner and rights.",
    });
  }
  // kubectl takes an empty file (KUBECONFIG=/dev/null) for one that is not there.
  if (text.trim() === '' && need === 'may') return null;
  const config = new KubeConfig();
  try {
    config.loadFromString(text);
    config.makePathsAbsolute(dirname(file));
  } catch (error) {
    throw new AppError(`${file} is not a kubeconfig`, {
      code: 'kubeconfig-invalid',
      cause: error,
      hint: `See: kubectl config view --kubeconfig ${file}`,
    });
  }
  return config;
}

/** As kubectl merges: the first file that has a name wins, and so does the first current context. */
function joinConfigs(configs: readonly KubeConfig[]): KubeConfig {
  const joined = new KubeConfig();
  joined.loadFromOptions({
    clusters: firstOfEachName(configs.flatMap((config) => config.clusters)).map(allowPlainHttp),
    users: firstOfEachName(configs.flatMap((config) => config.users)).map(tellExecPlugin),
    contexts: firstOfEachName(configs.flatMap((config) => config.contexts)),
    currentContext: configs.map((config) => config.currentContext).find((name) => (name ?? '') !== '') ?? '',
  });
  return joined;
}

function firstOfEachName<T extends { readonly name: string }>(all: readonly T[]): T[] {
  const byName = new Map<string, T>();
  for (const one of all) if (!byName.has(one.name)) byName.set(one.name, one);
  return [...byName.values()];
}

/** The library refuses http:// unless TLS checks are off; kubectl does not, and `kubectl proxy` speaks nothing else. */
function allowPlainHttp(cluster: Cluster): Cluster {
  return cluster.server.startsWith('http:') ? { ...cluster, skipTLSVerify: true } : cluster;
}

interface ExecSection {
  readonly apiVersion?: string;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
}

/** Credential plugins read the API version that is wanted from KUBERNETES_EXEC_INFO, which the library does not set. */
function tellExecPlugin(user: User): User {
  const exec = user.exec as ExecSection | null | undefined;
  if (exec === null || exec === undefined || exec.apiVersion === undefined) return user;
  const info = { apiVersion: exec.apiVersion, kind: 'ExecCredential', spec: { interactive: false } };
  const env = [...(exec.env ?? []), { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }];
  return { ...user, exec: { ...exec, env } };
}

function chooseContext(config: KubeConfig, wanted: string | undefined): Context {
  const name = wanted ?? config.getCurrentContext();
  const context = config.getContexts().find((each) => each.name === name);
  if (context !== undefined) return context;
  const names = config.getContexts().map((each) => each.name);
  const there = names.length === 0 ? 'The kubeconfig has no contexts.' : `There are: ${names.join(', ')}.`;
  const none = (name ?? '') === '';
  throw new AppError(none ? 'the kubeconfig has no current context' : `the kubeconfig has no context "${name}"`, {
    code: 'context-unknown',
    hint: `${there} Choose one with --context NAME.`,
  });
}
