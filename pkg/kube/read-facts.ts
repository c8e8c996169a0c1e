/**
 * Everything that Kubernetes knows of one cluster, in one round of lists that run side by side.
 *
 * Pods without our label are found by what usually ties them to a name; that takes a second round.
 */
import type { ClusterRef, KubeFacts, PodFacts } from '../cluster/model/observation.ts';
import type { FactsPart } from '../engine/ports.ts';
import { AppError, reasonOf } from '../errors.ts';
import type { RawClaim, RawHost, RawLease, RawMeta, RawPod, RawService, RawWorkload } from './api-json.ts';
import type { RestClient } from './client.ts';
import { claimFacts, hostFacts, operationFacts, podFacts, serviceFacts, statefulSetFacts } from './facts.ts';
import { getOne, listAll } from './objects.ts';
import { looksLikeRedis } from './redis-container.ts';
import { CLUSTER_LABEL, labelsText, selectorText } from './selectors.ts';

export interface FactsOptions {
  readonly leaveOut?: readonly FactsPart[];
}

type Gap = KubeFacts['gaps'][number];

/**
 * @throws {AppError} when the pods can't be listed or the server can't be reached. Any other missing right is a gap.
 */
export async function readFacts(
  client: RestClient,
  cluster: ClusterRef,
  signal?: AbortSignal,
  options: FactsOptions = {},
): Promise<KubeFacts> {
  const { namespace, name } = cluster;
  const gaps: Gap[] = [];
  const wanted = (part: FactsPart): boolean => options.leaveOut?.includes(part) !== true;
  const orGap = async <T>(what: string, otherwise: T, ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'forbidden') throw error;
      gaps.push({ what, why: error.cause === undefined ? error.message : reasonOf(error.cause) });
      return otherwise;
    }
  };
  const list = <T>(apiVersion: string, kind: string): Promise<readonly T[]> =>
    listAll<T>(client, { apiVersion, kind, namespace }, { signal }).then((listed) => listed.items);
  const listOrGap = <T>(part: FactsPart | 'services', what: string, apiVersion: string, kind: string) =>
    part === 'services' || wanted(part)
      ? orGap<readonly T[]>(what, [], () => list<T>(apiVersion, kind))
      : Promise.resolve([]);
  const getOrGap = <T>(part: FactsPart, what: string, apiVersion: string, kind: string, suffix: string) =>
    wanted(part)
      ? orGap<T | null>(what, null, () =>
          getOne<T>(client, { apiVersion, kind, namespace, name: `${name}-${suffix}` }, signal),
        )
      : Promise.resolve(null);

  const [labelled, services, sets, hosts, claims, config, lease] = await Promise.all([
    listPods(client, namespace, `${CLUSTER_LABEL}=${name}`, signal),
    listOrGap<RawService>('services', 'services', 'v1', 'Service'),
    listOrGap<RawWorkload>('statefulSets', 'statefulsets', 'apps/v1', 'StatefulSet'),
    listOrGap<RawHost>('hosts', 'nodes', 'v1', 'Node'),
    listOrGap<RawClaim>('claims', 'persistentvolumeclaims', 'v1', 'PersistentVolumeClaim'),
    getOrGap<{ readonly data?: Record<string, string> }>('config', 'configmaps', 'v1', 'ConfigMap', 'config'),
    getOrGap<RawLease>('operation', 'leases', 'coordination.k8s.io/v1', 'Lease', 'operation'),
  ]);
  const pods =
    labelled.length > 0
      ? labelled
      : await findPods(client, cluster, { services, sets: wanted('statefulSets') ? sets : null }, signal);
  const mounted = new Set(pods.flatMap((pod) => pod.claims));
  const mine = (meta: RawMeta | undefined): boolean =>
    meta?.labels?.[CLUSTER_LABEL] === name || isNodeName(meta?.name, name);
  const owners = new Set(pods.map((pod) => pod.owner));
  return {
    pods,
    services: services.filter((each) => mine(each.metadata)).map(serviceFacts),
    statefulSets: sets
      .filter((each) => mine(each.metadata) || owners.has(`StatefulSet/${each.metadata?.name ?? ''}`))
      .map(statefulSetFacts),
    hosts: hosts.map(hostFacts),
    claims: claims
      .filter((each) => each.metadata?.labels?.[CLUSTER_LABEL] === name || mounted.has(each.metadata?.name ?? ''))
      .map(claimFacts),
    config: config === null ? null : (config.data ?? {}),
    operation: operationFacts(lease),
    gaps,
  };
}

/** NAME, or NAME-1, NAME-2 …: what `create` calls its objects. Somebody else's may be in the way under such a name. */
function isNodeName(objectName: string | undefined, cluster: string): boolean {
  if (objectName === undefined || !objectName.startsWith(cluster)) return false;
  return /^(-[1-9]\d*)?$/.test(objectName.slice(cluster.length));
}

/** Redis pods that a selector finds; finished ones (of a Job, say) are none. */
async function listPods(
  client: RestClient,
  namespace: string,
  selector: string,
  signal: AbortSignal | undefined,
  keep: (pod: RawPod) => boolean = () => true,
): Promise<readonly PodFacts[]> {
  const listed = await listAll<RawPod>(client, { apiVersion: 'v1', kind: 'Pod', namespace }, { selector, signal });
  return listed.items.filter((pod) => pod.status?.phase !== 'Succeeded' && keep(pod)).map(podFacts);
}

interface Seen {
  readonly services: readonly RawService[];
  /** null when they were not asked for. */
  readonly sets: readonly RawWorkload[] | null;
}

/** For clusters that do not carry our label: the first of the usual ties that leads to any Redis pod. */
async function findPods(
  client: RestClient,
  { namespace, name }: ClusterRef,
  seen: Seen,
  signal: AbortSignal | undefined,
): Promise<readonly PodFacts[]> {
  const address = { apiVersion: 'apps/v1', kind: 'StatefulSet', namespace, name };
  const set =
    seen.sets === null
      ? await getOne<RawWorkload>(client, address, signal).catch(nullIfForbidden)
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
      listPods(client, namespace, selector, signal, (pod) => looksLikeRedis(pod.metadata, pod.spec)),
    ),
  );
  return found.find((pods) => pods.length > 0) ?? [];
}

function nullIfForbidden(error: unknown): null {
  if (error instanceof AppError && error.code === 'forbidden') return null;
  throw error;
}
