/** The webhook as objects of an API server in memory, for tests of what installs it and what looks at it. */
import type { KubeObject, KubePort } from '../../pkg/engine/ports.ts';
import { renew, renewalPolicy } from '../../webhook/certificate/renewal.ts';
import { SECRET_NAME } from '../../webhook/settings.ts';
import { createObjectStore } from './fake-kube.ts';

export const IMAGE = 'docker.io/library/kubectl-redis-webhook:0.1.0';
export const NAMESPACE = 'kubectl-redis-system';
export const OPTIONS = {
  namespace: NAMESPACE,
  image: IMAGE,
  imagePullPolicy: null,
  certManager: false,
  matchConditions: true,
} as const;

const LABELS = { 'app.kubernetes.io/name': 'kubectl-redis-webhook', 'app.kubernetes.io/managed-by': 'kubectl-redis' };

/** An API server in memory. Pods become ready, and the server publishes itself, when they are first looked at. */
export function cluster(): { store: ReturnType<typeof createObjectStore>; kube: KubePort } {
  const store = createObjectStore();
  const unused = (): never => {
    throw new Error('not used');
  };
  const apply: KubePort['apply'] = async (object, options) =>
    options?.dryRun === true
      ? { ...object, metadata: { ...object.metadata, annotations: { 'kubectl-redis.io/injected': 'webhook' } } }
      : store.apply(object);
  const line = {
    time: 1,
    msg: 'admission',
    namespace: 'shop',
    node: 'redis-1',
    result: 'denied',
    code: 'name-taken',
    sentence: 'no',
  };
  const kube: KubePort = {
    ...store,
    namespace: 'kubectl-redis-system',
    apply,
    list: async (version, kind, options) =>
      kind === 'Pod'
        ? [{ apiVersion: 'v1', kind, metadata: { name: 'p', labels: LABELS } }]
        : store.list(version, kind, options),
    logTail: async () => ['no JSON', JSON.stringify({ msg: 'else' }), JSON.stringify(line)],
    evict: unused,
    readFacts: unused,
    listClusters: unused,
    watchPods: unused,
    whyNotReady: async () => null,
    whyNoPod: unused,
    close: () => undefined,
  };
  return { store, kube };
}

export async function makeReady({ store }: ReturnType<typeof cluster>, now: number): Promise<void> {
  const state = await renew(null, now, renewalPolicy(['x.svc']));
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  const bundle = encode(state.authorities[0]?.cert ?? '');
  const data = { 'tls.crt': encode(state.leaf.cert), 'ca.crt': bundle };
  await store.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: SECRET_NAME, labels: LABELS }, data });
  const deployment = store.objects.get('Deployment/kubectl-redis-webhook') as KubeObject;
  await store.apply({ ...deployment, status: { replicas: 2, updatedReplicas: 2, readyReplicas: 2 } });
  const configuration = store.objects.get('MutatingWebhookConfiguration/kubectl-redis-webhook') as KubeObject;
  const webhooks = (configuration['webhooks'] as object[]).map((each) => ({
    ...each,
    clientConfig: { caBundle: bundle },
  }));
  await store.apply({ ...configuration, webhooks });
}
