/**
 * The acknowledged-write checker, for tests of what may not lose a write: a pod beside the cluster that writes all the while,
 * through the client library that people use.
 */
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';
import { ANNOUNCE_ANNOTATION, CLUSTER_LABEL } from '../../../pkg/cluster/model/labels.ts';
import type { KubeObject } from '../../../pkg/engine/ports.ts';
import { until, type ClusterEnv } from '../cluster-env.ts';
import type { Verdict } from './ledger.ts';
import type { Answer, CheckerSettings, ClientSettings, Phase } from './protocol.ts';

/** Any image with Node 20. */
const NODE_IMAGE = process.env['E2E_NODE_IMAGE'] ?? 'local/node:20';
const PROGRAM = fileURLToPath(new URL('./program.ts', import.meta.url));
const HTTP_PORT = 8080;
const ANSWER_MS = 180_000;
const REDIS_PORT = 6379;

/** ioredis' defaults, but for `socketTimeout`: without one, a client waits for minutes for a host that is gone. */
export const CLIENT: ClientSettings = { connectTimeout: 2_000, socketTimeout: 2_000, slotsRefreshTimeout: 1_000 };

export interface CheckerOptions {
  /** Name of the Redis cluster, in the namespace of `env`. */
  readonly cluster: string;
  /** Kubernetes host to run on; left out, any. Not one that the test takes away. */
  readonly host?: string;
  readonly writers?: number;
  readonly pauseMs?: number;
  /** Replicas that must have a write before it counts as replicated; 1 when left out. */
  readonly copies?: number;
  readonly client?: Partial<ClientSettings>;
}

export interface WriteChecker {
  /** Figures since the last mark. */
  phase(): Promise<Phase>;
  /** The same, and begins a new phase. */
  mark(): Promise<Phase>;
  /**
   * Holds the writers, reads back every key since the start, lets them write on. A key at fault is told once.
   * @throws when a key can't be read
   */
  verify(): Promise<Verdict>;
}

/** Starts it and resolves when every writer of a first phase has had an acknowledgement. */
export async function startWriteChecker(env: ClusterEnv, options: CheckerOptions): Promise<WriteChecker> {
  const settings: CheckerSettings = {
    startNodes: await startNodes(env, options.cluster),
    writers: options.writers ?? 6,
    pauseMs: options.pauseMs ?? 20,
    copies: options.copies ?? 1,
    waitMs: 200,
    client: { ...CLIENT, ...options.client },
    httpPort: HTTP_PORT,
  };
  const name = `checker-${options.cluster}`;
  await env.kube.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    data: { 'checker.mjs': await bundle() },
  });
  await env.kube.create(checkerPod(name, settings, options.host ?? null));
  const { client } = env.connect({}, { requestTimeoutMs: ANSWER_MS });
  const askOnce = (path: string): Promise<unknown> =>
    client.json({
      method: 'GET',
      path: `/api/v1/namespaces/${env.namespace}/pods/${name}:${HTTP_PORT}/proxy/${path}`,
      asked: { verb: 'get', resource: 'pods/proxy', namespace: env.namespace, name },
      repeatable: false,
    });
  const ask = async <T extends Answer>(path: string): Promise<T> => {
    // Where hosts are cut and joined, the API server may have no route to the checker's for a moment: it has heard nothing then.
    const { answer } = await until(
      () =>
        askOnce(path).then(
          (said) => ({ answer: said, unheard: null }),
          (error: unknown) => {
            if (!/dial tcp/.test(String((error as Error).cause))) throw error;
            return { answer: null, unheard: error };
          },
        ),
      ({ unheard }) => unheard === null,
      60_000,
    );
    if (typeof answer === 'object' && answer !== null && 'failed' in answer) throw new Error(String(answer.failed));
    return answer as T;
  };
  const checker: WriteChecker = { phase: () => ask('phase'), mark: () => ask('mark'), verify: () => ask('verify') };
  await until(
    () => checker.phase().catch(() => null),
    (phase) => phase !== null && phase.acked > 5 * settings.writers,
    60_000,
  );
  await checker.mark();
  return checker;
}

/** What every pod announces: its node's address for ever, whoever made the pod and the Service. */
async function startNodes(env: ClusterEnv, cluster: string): Promise<readonly string[]> {
  const pods = await env.kube.list('v1', 'Pod', { selector: `${CLUSTER_LABEL}=${cluster}` });
  return pods.map(({ metadata }) => `${metadata.annotations?.[ANNOUNCE_ANNOTATION] ?? ''}:${REDIS_PORT}`);
}

async function bundle(): Promise<string> {
  const built = await build({
    entryPoints: [PROGRAM],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // ioredis is CommonJS and requires Node's modules.
    banner: { js: "import{createRequire as r}from'node:module';const require=r(import.meta.url);" },
  });
  return built.outputFiles[0]?.text ?? '';
}

function checkerPod(name: string, settings: CheckerSettings, host: string | null): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      ...(host === null ? {} : { nodeName: host }),
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      volumes: [{ name: 'program', configMap: { name } }],
      containers: [
        {
          name: 'checker',
          image: NODE_IMAGE,
          imagePullPolicy: 'IfNotPresent',
          command: ['node', '/program/checker.mjs'],
          env: [{ name: 'CHECKER_SETTINGS', value: JSON.stringify(settings) }],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          volumeMounts: [{ name: 'program', mountPath: '/program' }],
        },
      ],
    },
  };
}
