/**
 * A namespace of its own for a test that needs a Kubernetes: the one of $E2E_KUBECONFIG. What the playground can do, too, is
 * `describeCore`; what needs a real one (kubectl, images, hosts that crash) is `describeCluster`, or `testCluster` in the
 * middle of others. Where there is none of the kind, tests are skipped, so that the runner counts them.
 */
import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { describe, test } from '@jest/globals';
import type { Dialer, KubeObject, KubePort } from '../../pkg/engine/ports.ts';
import { createRestClient } from '../../pkg/kube/client.ts';
import type { RestClient, RestOptions } from '../../pkg/kube/client.ts';
import { loadKubeTarget } from '../../pkg/kube/config.ts';
import type { KubeFlags } from '../../pkg/kube/config.ts';
import { createKubePort } from '../../pkg/kube/kube-port.ts';
import { removeObject } from '../../pkg/kube/objects.ts';
import { createTunnelDialer } from '../../pkg/kube/tunnel.ts';

const KUBECONFIG = process.env['E2E_KUBECONFIG'] ?? '';

export const hasCluster = KUBECONFIG !== '';

/** Set by test/run where the kubeconfig is that of test/playground. */
export const onPlayground = process.env['E2E_PLAYGROUND'] === '1';

/** Scenarios that run unchanged on the playground and on a real Kubernetes. */
export const describeCore = hasCluster ? describe : describe.skip;
/** Scenarios that need a real Kubernetes. */
export const describeCluster = hasCluster && !onPlayground ? describe : describe.skip;
/** One test among `core` ones that needs a real Kubernetes. */
export const testCluster = onPlayground ? test.skip : test;

export interface ClusterEnv {
  readonly namespace: string;
  readonly kubeconfig: string;
  readonly client: RestClient;
  readonly kube: KubePort;
  readonly dial: Dialer;
  /** The same cluster as somebody else: `{ as: 'nobody' }`, another namespace. */
  connect(flags: KubeFlags, options?: RestOptions): { readonly client: RestClient; readonly kube: KubePort };
  /** Deletes the namespace without waiting for its end, and closes all connections. */
  close(): Promise<void>;
}

/** Makes the namespace; `labels` may ask for a PodSecurity level. */
export async function openClusterEnv(labels: Readonly<Record<string, string>> = {}): Promise<ClusterEnv> {
  const namespace = `e2e-${randomBytes(4).toString('hex')}`;
  const clients: RestClient[] = [];
  const connect = (flags: KubeFlags, options: RestOptions = {}): { client: RestClient; kube: KubePort } => {
    const around = { env: {}, home: homedir(), inClusterRoot: '' };
    const target = loadKubeTarget({ kubeconfig: KUBECONFIG, namespace, ...flags }, around);
    const client = createRestClient(target, options);
    clients.push(client);
    return { client, kube: createKubePort(client, target.namespace) };
  };
  const { client, kube } = connect({});
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } });
  // Pods are refused until the controller has made this account.
  await until(
    () => kube.get('v1', 'ServiceAccount', 'default'),
    (account) => account !== null,
    30_000,
  );
  return {
    namespace,
    kubeconfig: KUBECONFIG,
    client,
    kube,
    dial: createTunnelDialer(client, namespace),
    connect,
    close: async () => {
      await removeObject(client, { apiVersion: 'v1', kind: 'Namespace', namespace: null, name: namespace });
      for (const each of clients) each.close();
    },
  };
}

/** Asks again every 100 ms until `good`. @throws {Error} with the last answer when the deadline passes. */
export async function until<T>(ask: () => Promise<T>, good: (answer: T) => boolean, deadlineMs: number): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (good(answer)) return answer;
    if (performance.now() > end) throw new Error(`not so after ${deadlineMs} ms: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export interface PodShape {
  readonly name: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly cpu?: string;
  readonly claim?: string;
}

/** A pod of one container `redis`, that ends at once when it is deleted. */
export function podObject(shape: PodShape): KubeObject {
  const claim = shape.claim === undefined ? [] : [{ name: 'data', persistentVolumeClaim: { claimName: shape.claim } }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: shape.name, labels: { ...shape.labels } },
    spec: {
      terminationGracePeriodSeconds: 0,
      volumes: claim,
      containers: [
        {
          name: 'redis',
          image: shape.image ?? process.env['E2E_IMAGE'] ?? 'local/redis:7',
          imagePullPolicy: 'IfNotPresent',
          ...(shape.command === undefined ? {} : { command: shape.command }),
          ports: [{ name: 'redis', containerPort: 6379 }],
          volumeMounts: claim.map((volume) => ({ name: volume.name, mountPath: '/data' })),
          ...(shape.cpu === undefined ? {} : { resources: { requests: { cpu: shape.cpu } } }),
          readinessProbe: { tcpSocket: { port: 6379 }, periodSeconds: 1 },
        },
      ],
    },
  };
}
