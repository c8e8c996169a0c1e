/** Reviews, and an API server in memory with Services that have addresses, pods, and races. */
import jsonPatch from 'fast-json-patch';
import { createMetrics } from '../../webhook/metrics.ts';
import { mutate, type MutateDeps } from '../../webhook/mutate.ts';
import type { IdentityKube } from '../../webhook/identity.ts';
import type { ReviewRequest } from '../../webhook/review.ts';
import type { KubeObject } from '../../pkg/engine/ports.ts';
import type { Json, Pod } from '../../pkg/pod/inject/pod-json.ts';
import { createObjectStore, type ObjectStore } from './fake-kube.ts';

export interface Cluster {
  readonly store: ObjectStore;
  readonly kube: IdentityKube;
  readonly deps: MutateDeps;
  /** Milliseconds since 1970; tests move it. */
  now: number;
  /** Requests that changed something. */
  readonly writes: string[];
  addPod(pod: Json, name: string): Promise<void>;
}

/**
 * Every request takes a turn of the event loop, so that requests of several admissions interleave. `remembers`: whether `writes` lists
 * them; of what is under load for an hour, the list would be all that grows.
 */
export function createCluster({ remembers = true }: { readonly remembers?: boolean } = {}): Cluster {
  const store = createObjectStore();
  const writes: string[] = [];
  let addresses = 0;
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const written = async <T>(what: string, object: KubeObject, write: () => Promise<T>): Promise<T> => {
    await turn();
    const result = await write();
    if (remembers) writes.push(`${what} ${object.kind}/${object.metadata.name}`);
    return result;
  };
  const withAddress = (object: KubeObject): KubeObject =>
    object.kind === 'Service'
      ? { ...object, spec: { clusterIP: `10.96.0.${++addresses}`, ...(object['spec'] as object) } }
      : object;
  const kube: IdentityKube = {
    get: async (version, kind, name) => {
      await turn();
      return store.get(version, kind, name);
    },
    list: async (...asked) => {
      await turn();
      return store.list(...asked);
    },
    create: (object) => written('create', object, () => store.create(withAddress(object))),
    replace: (object) => written('replace', object, () => store.replace(object)),
  };
  const cluster: Cluster = {
    store,
    kube,
    writes,
    now: Date.parse('2026-01-01T00:00:00Z'),
    deps: { kubeIn: () => kube, clock: { now: () => cluster.now } },
    addPod: async (pod, name) => {
      const metadata = { ...(pod['metadata'] as object), name };
      await store.create({ ...pod, apiVersion: 'v1', kind: 'Pod', metadata });
    },
  };
  return cluster;
}

let reviews = 0;

export function requestOf(object: unknown, change: Partial<ReviewRequest> = {}): ReviewRequest {
  return {
    uid: `review-${++reviews}`,
    namespace: 'shop',
    isNewPod: true,
    dryRun: false,
    name: null,
    object,
    ...change,
  };
}

export function bodyOf(object: unknown, change: Json = {}): Json {
  const request = {
    uid: `review-${++reviews}`,
    kind: { group: '', version: 'v1', kind: 'Pod' },
    namespace: 'shop',
    operation: 'CREATE',
    object,
    ...change,
  };
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request };
}

/** What is counted is not looked at. */
export const NO_METRICS = createMetrics();

/** Admits a pod as the API server would; the pod, or the code of the refusal. */
export async function admit(cluster: Cluster, pod: Json, change: Partial<ReviewRequest> = {}): Promise<Pod | string> {
  const { verdict } = await mutate(requestOf(pod, change), cluster.deps);
  if (verdict.kind !== 'injected') return verdict.code;
  return jsonPatch.applyPatch(structuredClone(pod), verdict.patch as never, true).newDocument as Pod;
}

/** Admits and, when it was not refused, makes the pod. */
export async function make(cluster: Cluster, pod: Json, name: string): Promise<string> {
  const admitted = await admit(cluster, pod);
  if (typeof admitted === 'string') return admitted;
  await cluster.addPod(admitted, name);
  return admitted.metadata.labels?.['name'] ?? '';
}

/** Of the record. */
export const dataOf = (cluster: Cluster): Record<string, string> =>
  cluster.store.objects.get('ConfigMap/redis-state')?.['data'] as Record<string, string>;

export async function setData(cluster: Cluster, data: Record<string, string>): Promise<void> {
  const config = cluster.store.objects.get('ConfigMap/redis-state');
  await cluster.store.apply({ ...(config as KubeObject), data: { ...dataOf(cluster), ...data } });
}
