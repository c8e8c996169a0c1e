/**
 * Everything that Kubernetes knows of one cluster: first the pods, because who asks them takes longest, then the rest in one
 * round of lists that run side by side.
 *
 * Pods without our label are found by what usually ties them to a name; that takes a third round.
 */
import type { ClusterRef, KubeFacts, PodFacts } from '../cluster/model/observation.ts';
import type { FactsOptions, FactsPart } from '../engine/ports.ts';
import { AppError, reasonOf } from '../errors.ts';
import type { RawClaim, RawConfig, RawHost, RawLease, RawMeta, RawPod, RawService, RawWorkload } from './api-json.ts';
import type { RestClient } from './client.ts';
import {
  claimFacts,
  configFacts,
  hostFacts,
  operationFacts,
  podFacts,
  serviceFacts,
  statefulSetFacts,
} from './facts.ts';
import { getOne, listAll } from './objects.ts';
import { ownClaims } from './own-claims.ts';
import { looksLikeRedis } from './redis-container.ts';
import { CLUSTER_LABEL, isOfAnother, labelsText, selectorText } from './selectors.ts';

type Gap = KubeFacts['gaps'][number];

/** How one reading asks: where, for what, and where missing rights are written down. */
interface Reading {
  readonly client: RestClient;
  readonly cluster: ClusterRef;
  readonly signal: AbortSignal | undefined;
  readonly leaveOut: readonly FactsPart[];
  readonly gaps: Gap[];
}

/** What the first round brought, as the API says it. */
interface Seen {
  readonly services: readonly RawService[];
  /** null when they were not asked for. */
  readonly sets: readonly RawWorkload[] | null;
  readonly hosts: readonly RawHost[];
  readonly claims: readonly RawClaim[];
  readonly config: RawConfig | null;
  readonly state: RawConfig | null;
  readonly lease: RawLease | null;
}

/**
 * @throws {AppError} when the pods can't be listed or the server can't be reached. Any other missing right is a gap.
 */
export async function readFacts(
  client: RestClient,
  cluster: ClusterRef,
  signal?: AbortSignal,
  options: FactsOptions = {},
): Promise<KubeFacts> {
  const reading: Reading = { client, cluster, signal, leaveOut: options.leaveOut ?? [], gaps: [] };
  const labelled = await listPods(reading, `${CLUSTER_LABEL}=${cluster.name}`);
  if (labelled.length > 0) options.onPods?.(labelled);
  const seen = await readAround(reading);
  const pods = labelled.length > 0 ? labelled : await findPods(reading, seen);
  if (labelled.length === 0) options.onPods?.(pods);
  return { pods: withGoingClaims(pods, seen), ...ownFacts(cluster.name, pods, seen), gaps: reading.gaps };
}

async function readAround(reading: Reading): Promise<Seen> {
  const { name } = reading.cluster;
  const [services, sets, hosts, claims, config, state, lease] = await Promise.all([
    listOf<RawService>(reading, null, 'v1', 'Service', 'services'),
    listOf<RawWorkload>(reading, 'statefulSets', 'apps/v1', 'StatefulSet', 'statefulsets'),
    listOf<RawHost>(reading, 'hosts', 'v1', 'Node', 'nodes'),
    listOf<RawClaim>(reading, 'claims', 'v1', 'PersistentVolumeClaim', 'persistentvolumeclaims'),
    oneOf<RawConfig>(reading, 'config', 'v1', 'ConfigMap', 'configmaps', `${name}-config`),
    oneOf<RawConfig>(reading, 'config', 'v1', 'ConfigMap', 'configmaps', `${name}-state`),
    oneOf<RawLease>(reading, 'operation', 'coordination.k8s.io/v1', 'Lease', 'leases', `${name}-operation`),
  ]);
  const asked = reading.leaveOut.includes('statefulSets') ? null : sets;
  return { services, sets: asked, hosts, claims, config, state, lease };
}

async function listOf<T>(
  reading: Reading,
  part: FactsPart | null,
  apiVersion: string,
  kind: string,
  what: string,
): Promise<readonly T[]> {
  if (part !== null && reading.leaveOut.includes(part)) return [];
  const address = { apiVersion, kind, namespace: reading.cluster.namespace };
  return orGap(
    reading,
    what,
    [],
    async () => (await listAll<T>(reading.client, address, { signal: reading.signal })).items,
  );
}

async function oneOf<T>(
  reading: Reading,
  part: FactsPart,
  apiVersion: string,
  kind: string,
  what: string,
  name: string,
): Promise<T | null> {
  if (reading.leaveOut.includes(part)) return null;
  const address = { apiVersion, kind, namespace: reading.cluster.namespace, name };
  return orGap<T | null>(reading, what, null, () => getOne<T>(reading.client, address, reading.signal));
}

async function orGap<T>(reading: Reading, what: string, otherwise: T, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'forbidden') throw error;
    const why = error.cause === undefined ? error.message : reasonOf(error.cause);
    if (!reading.gaps.some((gap) => gap.what === what)) reading.gaps.push({ what, why });
    return otherwise;
  }
}

/** The API server deletes a claim when no pod uses it any more (finalizer `kubernetes.io/pvc-protection`). */
function withGoingClaims(pods: readonly PodFacts[], { claims }: Seen): readonly PodFacts[] {
  const going = claims.flatMap(({ metadata }) =>
    metadata?.deletionTimestamp === undefined ? [] : (metadata.name ?? []),
  );
  return pods.map((pod) => {
    const goingClaim = pod.claims.find((name) => going.includes(name));
    return goingClaim === undefined ? pod : { ...pod, goingClaim };
  });
}

/** Of everything in the namespace, what belongs to the cluster. */
function ownFacts(name: string, pods: readonly PodFacts[], seen: Seen): Omit<KubeFacts, 'pods' | 'gaps'> {
  const owners = new Set(pods.map((pod) => pod.owner));
  const labelled = (meta: RawMeta | undefined): boolean => meta?.labels?.[CLUSTER_LABEL] === name;
  const mine = (meta: RawMeta | undefined): boolean => labelled(meta) || isNodeName(meta?.name, name);
  return {
    services: seen.services.filter((each) => mine(each.metadata)).map(serviceFacts),
    statefulSets: (seen.sets ?? [])
      .filter(({ metadata }) => mine(metadata) || owners.has(`StatefulSet/${metadata?.name ?? ''}`))
      .filter(({ metadata, spec }) => labelled(metadata) || !isOfAnother(spec?.template?.metadata, name))
      .map(statefulSetFacts),
    hosts: seen.hosts.map(hostFacts),
    claims: ownClaims(name, pods, seen).map(claimFacts),
    config: seen.config === null ? null : (seen.config.data ?? {}),
    configFacts: seen.config === null ? null : configFacts(seen.config),
    // One of that name that is somebody else's says nothing of this cluster.
    state: labelled(seen.state?.metadata) ? (seen.state?.data ?? {}) : null,
    operation: operationFacts(seen.lease),
  };
}

/** NAME, or NAME-1, NAME-2 …: what `create` calls its objects. Somebody else's may be in the way under such a name. */
function isNodeName(objectName: string | undefined, cluster: string): boolean {
  if (objectName === undefined || !objectName.startsWith(cluster)) return false;
  return /^(-[1-9]\d*)?$/.test(objectName.slice(cluster.length));
}

/** Redis pods that a selector finds; finished ones (of a Job, say) are none. */
async function listPods(
  { client, cluster, signal }: Reading,
  selector: string,
  keep: (pod: RawPod) => boolean = () => true,
): Promise<readonly PodFacts[]> {
  const address = { apiVersion: 'v1', kind: 'Pod', namespace: cluster.namespace };
  const listed = await listAll<RawPod>(client, address, { selector, signal });
  const isOne = (pod: RawPod): boolean =>
    pod.status?.phase !== 'Succeeded' && !isOfAnother(pod.metadata, cluster.name) && keep(pod);
  return listed.items.filter(isOne).map(podFacts);
}

/** For clusters that do not carry our label: the first of the usual ties that leads to any Redis pod. */
async function findPods(reading: Reading, seen: Seen): Promise<readonly PodFacts[]> {
  const { namespace, name } = reading.cluster;
  const address = { apiVersion: 'apps/v1', kind: 'StatefulSet', namespace, name };
  const set =
    seen.sets === null
      ? await getOne<RawWorkload>(reading.client, address, reading.signal).catch(nullIfForbidden)
      : seen.sets.find((each) => each.metadata?.name === name);
  const service = seen.services.find((each) => each.metadata?.name === name);
  const selectors = [
    selectorText(set?.spec?.selector),
    `app.kubernetes.io/instance=${name}`,
    labelsText(service?.spec?.selector),
    `app=${name}`,
  ].filter((each) => each !== null);
  const found = await Promise.all(
    [...new Set(selectors)].map((selector) =>
      listPods(reading, selector, (pod) => looksLikeRedis(pod.metadata, pod.spec)),
    ),
  );
  return found.find((pods) => pods.length > 0) ?? [];
}

function nullIfForbidden(error: unknown): null {
  if (error instanceof AppError && error.code === 'forbidden') return null;
  throw error;
}
