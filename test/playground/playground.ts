/** The playground as a whole: an API server, what acts behind it, three hosts in three zones, and the kubeconfig to reach it. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from './api/certificate.ts';
import { createRegistry } from './api/registry.ts';
import { startApiServer } from './api/server.ts';
import { createStore } from './api/store.ts';
import type { NewObject, Store } from './api/store.ts';
import { syncBudgets } from './controllers/budgets.ts';
import { PROVISIONER, syncClaims } from './controllers/claims.ts';
import { createRecorder } from './controllers/events.ts';
import { collectGarbage, syncNamespaces } from './controllers/garbage.ts';
import { schedule } from './controllers/scheduler.ts';
import { syncStatefulSets } from './controllers/stateful-sets.ts';
import type { ControllerDeps } from './controllers/stateful-sets.ts';
import { createKubelet } from './kubelet/kubelet.ts';
import { makeImage } from './kubelet/image.ts';
import { createVolumes } from './kubelet/volumes.ts';
import { takeBlock } from './network/addresses.ts';
import { createProxies } from './network/proxies.ts';

export interface Playground {
  /** Path of a kubeconfig file. */
  readonly kubeconfig: string;
  /** Everything of it: the kubeconfig, volumes, logs. */
  readonly directory: string;
  /** Ends all processes and removes the directory. */
  close(): Promise<void>;
}

export interface PlaygroundOptions {
  readonly onRequest?: (line: string) => void;
}

const API_PORT = 6443;
/** What is made side by side is looked at together, so that pods get their hosts in the order of their names. */
const SETTLE_MS = 20;

/** @throws {Error} with a sentence when this machine can't have one */
export async function startPlayground(options: PlaygroundOptions = {}): Promise<Playground> {
  if (process.platform !== 'linux')
    throw new Error('The playground needs Linux, where all of 127.0.0.0/8 is there without set-up.');
  const directory = await mkdtemp(join(tmpdir(), 'kubectl-redis-playground-'));
  const removeDirectory = (): Promise<void> => rm(directory, { recursive: true, force: true, maxRetries: 10 });
  try {
    const image = join(directory, 'image');
    await makeImage(image);
    return await takeBlock(async (block) => {
      const store = createStore();
      const registry = createRegistry({ store, newServiceIp: block.newServiceIp });
      const record = createRecorder(store);
      const volumes = createVolumes(store, directory);
      const kubelet = createKubelet({ store, volumes, record, newPodIp: block.newPodIp, image });
      const proxies = createProxies(store);
      const token = randomBytes(24).toString('hex');
      const certificate = await makeCertificate(block.apiServer);
      const { apiServer: address } = block;
      const server = await startApiServer({
        ...options,
        store,
        registry,
        certificate,
        token,
        address,
        port: API_PORT,
        readLog: kubelet.readLog,
      });
      furnish(store);
      const stop = reconcile({ store, registry, record, newServiceIp: block.newServiceIp }, [
        kubelet.sync,
        proxies.sync,
      ]);
      const kubeconfig = join(directory, 'kubeconfig');
      await writeFile(kubeconfig, kubeconfigOf(`https://${address}:${API_PORT}`, certificate.authority, token), {
        mode: 0o600,
      });
      return {
        kubeconfig,
        directory,
        close: async () => {
          stop();
          await server.close();
          await kubelet.close();
          proxies.close();
          await removeDirectory();
        },
      };
    });
  } catch (error) {
    await removeDirectory();
    throw error;
  }
}

/** After each change, and once more when nothing has changed for a while, all that acts looks at what there is. */
function reconcile(deps: ControllerDeps, more: readonly (() => void)[]): () => void {
  let due: NodeJS.Timeout | null = null;
  const acts = [syncNamespaces, collectGarbage, syncStatefulSets, syncClaims, schedule, syncBudgets];
  const run = (): void => {
    due = null;
    for (const act of acts) act(deps);
    for (const act of more) act();
  };
  const soon = (): void => void (due ??= setTimeout(run, SETTLE_MS));
  const forget = deps.store.onChange(soon);
  const timer = setInterval(soon, 5_000);
  soon();
  return () => {
    forget();
    clearInterval(timer);
    if (due !== null) clearTimeout(due);
  };
}

function furnish(store: Store): void {
  const put = (resource: string, object: object): void => void store.create(resource, object as NewObject);
  for (const name of ['default', 'kube-system']) {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, status: { phase: 'Active' } };
    put('namespaces', namespace);
  }
  for (const number of [1, 2, 3]) {
    const name = `host${number}`;
    const zone = `zone-${number}`;
    put('nodes', {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: { 'kubernetes.io/hostname': name, 'topology.kubernetes.io/zone': zone } },
      spec: {},
      status: {
        allocatable: { cpu: '64', memory: '256Gi', pods: '110' },
        capacity: { cpu: '64', memory: '256Gi', pods: '110' },
        conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }],
        nodeInfo: { kubeletVersion: 'v1.33.0-playground' },
      },
    });
  }
  put('storageclasses.storage.k8s.io', {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'directory', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    provisioner: PROVISIONER,
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'Immediate',
  });
}

/** JSON, which is YAML. */
function kubeconfigOf(server: string, authority: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'playground',
        cluster: { server, 'certificate-authority-data': Buffer.from(authority).toString('base64') },
      },
    ],
    users: [{ name: 'playground', user: { token } }],
    contexts: [{ name: 'playground', context: { cluster: 'playground', user: 'playground', namespace: 'default' } }],
    'current-context': 'playground',
  });
}
