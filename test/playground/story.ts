/** The main job as it is told: a playground, the built command line on it, a cluster client, a volume that is lost. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubePort } from '../../pkg/engine/ports.ts';
import { createRestClient } from '../../pkg/kube/client.ts';
import { loadKubeTarget } from '../../pkg/kube/config.ts';
import { createKubePort } from '../../pkg/kube/kube-port.ts';
import { openClusterClient } from './cluster-client.ts';
import type { ClusterClient } from './cluster-client.ts';
import { startPlayground } from './playground.ts';

/** Bundled programs lie two levels below the root, too. */
const CLI = fileURLToPath(new URL('../../dist/kubectl-redis.js', import.meta.url));
const NAME = 'redis';
const HEALED_WITHIN_MS = 60_000;

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Story {
  readonly kubeconfig: string;
  /** Runs the tool as `kubectl redis` would; `shown`: its output goes to the terminal as it comes. */
  redis(words: readonly string[], shown?: boolean): Promise<Ran>;
  /** A client of Service NAME. */
  openClient(): Promise<ClusterClient>;
  firstPrimary(): Promise<string>;
  losePod(pod: string): Promise<void>;
  loseClaim(pod: string): Promise<void>;
  /**
   * Seconds until the cluster is healthy, the pod a replica in it and all pods are ready; `tell` is called with each new
   * health. @throws when it takes more than a minute
   */
  untilHealed(pod: string, tell: (health: string, seconds: number) => void): Promise<number>;
  /** Ends everything, once. */
  close(): Promise<void>;
}

interface SeenShard {
  readonly primary: { readonly pod: string } | null;
  readonly replicas: readonly { readonly pod: string }[];
}

export async function openStory(): Promise<Story> {
  const playground = await startPlayground();
  const { kubeconfig } = playground;
  const target = loadKubeTarget({ kubeconfig });
  const kube = createKubePort(createRestClient(target), target.namespace);
  const running = new Set<ChildProcess>();
  let closing: Promise<void> | null = null;

  const redis: Story['redis'] = async (words, shown = false) => {
    const stdio = shown ? 'inherit' : 'pipe';
    const env = { ...process.env, KUBECONFIG: kubeconfig };
    const child = spawn(process.execPath, [CLI, ...words], { env, stdio: ['ignore', stdio, stdio] });
    running.add(child);
    let [stdout, stderr] = ['', ''];
    child.stdout?.on('data', (chunk) => (stdout += String(chunk)));
    child.stderr?.on('data', (chunk) => (stderr += String(chunk)));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    running.delete(child);
    return { code, stdout, stderr };
  };
  const document = async <T>(verb: string): Promise<T | null> => {
    const { code, stdout } = await redis([verb, NAME, '-o', 'json']);
    return code === 0 ? (JSON.parse(stdout) as T) : null;
  };
  const shards = async (): Promise<readonly SeenShard[]> =>
    (await document<{ readonly shards: readonly SeenShard[] }>('slots'))?.shards ?? [];

  return {
    kubeconfig,
    redis,
    openClient: async () => openClusterClient(await addressOf(kube)),
    firstPrimary: async () => (await shards())[0]?.primary?.pod ?? '',
    losePod: async (pod) => void (await kube.remove('v1', 'Pod', pod, { graceSeconds: 0 })),
    loseClaim: async (pod) => void (await kube.remove('v1', 'PersistentVolumeClaim', `data-${pod}`)),
    untilHealed: async (pod, tell) => {
      const from = performance.now();
      let last = '';
      for (;;) {
        const status = await document<{ readonly health: { readonly level: string; readonly sentence: string } }>(
          'status',
        );
        const seconds = (performance.now() - from) / 1000;
        const text = status === null ? last : `${status.health.level}: ${status.health.sentence}`;
        if (text !== last && closing === null) tell(text, seconds);
        last = text;
        const back = (await shards()).some(({ replicas }) => replicas.some((each) => each.pod === pod));
        const { pods } = await kube.readFacts({ namespace: kube.namespace, name: NAME });
        if (status?.health.level === 'healthy' && back && pods.every(({ ready }) => ready)) return seconds;
        if (seconds * 1000 > HEALED_WITHIN_MS) throw new Error(`not healthy again within ${HEALED_WITHIN_MS / 1000} s`);
        await delay(300);
      }
    },
    close: () => {
      closing ??= (async () => {
        for (const child of running) child.kill('SIGTERM');
        kube.close();
        await playground.close();
      })();
      return closing;
    },
  };
}

async function addressOf(kube: KubePort): Promise<string> {
  const service = (await kube.get('v1', 'Service', NAME)) as { spec?: { clusterIP?: string } } | null;
  return service?.spec?.clusterIP ?? '';
}
