/** The Redis Clusters of a namespace or of all of them: ours, those that carry our label, and what looks like one. */
import { INJECTED_ANNOTATION } from '../cluster/model/labels.ts';
import type { ListedCluster } from '../engine/ports.ts';
import { AppError, reasonOf } from '../errors.ts';
import type { RawMeta, RawPod, RawService, RawWorkload } from './api-json.ts';
import type { RestClient } from './client.ts';
import { listAll } from './objects.ts';
import { looksLikeClusterMode } from './redis-container.ts';
import { CLUSTER_LABEL } from './selectors.ts';

/** Who completed pods that somebody else made. */
const BROUGHT: ReadonlySet<string> = new Set(['webhook', 'inject']);

/** @throws {AppError} `forbidden` when pods can't be listed; without the right to list other kinds, less is found. */
export async function listClusters(
  client: RestClient,
  namespace: string | null,
  onGap: (what: string, why: string) => void = () => undefined,
): Promise<readonly ListedCluster[]> {
  const list = <T>(apiVersion: string, kind: string, selector?: string): Promise<readonly T[]> =>
    listAll<T>(client, { apiVersion, kind, namespace }, { selector }).then((listed) => listed.items);
  const [pods, services, sets, deployments] = await Promise.all([
    list<RawPod>('v1', 'Pod', CLUSTER_LABEL),
    list<RawService>('v1', 'Service', CLUSTER_LABEL).catch(noneIfForbidden('services', onGap)),
    list<RawWorkload>('apps/v1', 'StatefulSet').catch(noneIfForbidden('statefulsets', onGap)),
    list<RawWorkload>('apps/v1', 'Deployment').catch(noneIfForbidden('deployments', onGap)),
  ]);
  return findClusters(pods, services, [...sets, ...deployments]);
}

/** The decision, apart from the asking. Pure. */
export function findClusters(
  pods: readonly RawPod[],
  services: readonly RawService[],
  workloads: readonly RawWorkload[],
): readonly ListedCluster[] {
  const found = new Map<string, ListedCluster>();
  const put = (namespace: string, name: string, origin: ListedCluster['origin'], more: number): void => {
    const key = `${namespace}/${name}`;
    const known = found.get(key);
    if (known === undefined) found.set(key, { namespace, name, origin, pods: more });
    else if (known.origin === origin || origin === 'labelled') found.set(key, { ...known, pods: known.pods + more });
  };
  // Pods that the webhook or `inject` completed have Services of ours, too.
  const isBrought = ({ metadata }: RawPod): boolean => BROUGHT.has(metadata?.annotations?.[INJECTED_ANNOTATION] ?? '');
  const keyOf = (metadata: RawMeta | undefined): string =>
    `${metadata?.namespace ?? ''}/${metadata?.labels?.[CLUSTER_LABEL] ?? ''}`;
  const brought = new Set(pods.filter(isBrought).map(({ metadata }) => keyOf(metadata)));
  for (const { metadata } of services) {
    const name = metadata?.labels?.[CLUSTER_LABEL];
    if (name !== undefined && !brought.has(keyOf(metadata))) put(metadata?.namespace ?? '', name, 'ours', 0);
  }
  for (const { metadata } of pods) {
    const name = metadata?.labels?.[CLUSTER_LABEL];
    if (name !== undefined) put(metadata?.namespace ?? '', name, 'labelled', 1);
  }
  for (const { workload, name } of foreignWorkloads(workloads)) {
    put(workload.metadata?.namespace ?? '', name, 'foreign', workload.status?.replicas ?? 0);
  }
  return [...found.values()].sort((a, b) => compare(a.namespace, b.namespace) || compare(a.name, b.name));
}

/**
 * Workloads in cluster mode that do not carry our label. Several workloads of one pod each that share an `app` label are
 * the nodes of one cluster, which then goes by that label.
 */
function foreignWorkloads(workloads: readonly RawWorkload[]): { workload: RawWorkload; name: string }[] {
  const foreign = workloads.filter(({ metadata, spec }) => {
    const template = spec?.template;
    const labels = { ...metadata?.labels, ...template?.metadata?.labels, ...template?.metadata?.annotations };
    return labels[CLUSTER_LABEL] === undefined && looksLikeClusterMode(template?.metadata, template?.spec);
  });
  const groupOf = (workload: RawWorkload): string | null => {
    const app = workload.spec?.template?.metadata?.labels?.['app'];
    return app === undefined || (workload.spec?.replicas ?? 1) > 1
      ? null
      : `${workload.metadata?.namespace ?? ''}/${app}`;
  };
  const sizes = new Map<string, number>();
  for (const workload of foreign) {
    const group = groupOf(workload);
    if (group !== null) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  }
  return foreign.map((workload) => {
    const group = groupOf(workload);
    const shared = group !== null && (sizes.get(group) ?? 0) > 1;
    return { workload, name: shared ? group.slice(group.indexOf('/') + 1) : (workload.metadata?.name ?? '') };
  });
}

function noneIfForbidden(what: string, onGap: (what: string, why: string) => void): (error: unknown) => readonly [] {
  return (error) => {
    if (!(error instanceof AppError) || error.code !== 'forbidden') throw error;
    onGap(what, error.cause === undefined ? error.message : reasonOf(error.cause));
    return [];
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
