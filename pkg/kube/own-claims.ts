/**
 * Which claims of a namespace are of a cluster, also those that no pod uses: the keys of slots without an owner may be there. Only this tool's
 * claims have its label, and names that tell their node; those of others are known by the workload that they were made for. Pure.
 */
import type { PodFacts } from '../cluster/model/observation.ts';
import { nodeOfClaim } from '../cluster/model/spec.ts';
import type { RawClaim, RawMeta, RawWorkload } from './api-json.ts';
import { CLUSTER_LABEL, isOfAnother } from './selectors.ts';

/** What is known of the namespace when its claims are looked through. */
export interface Namespace {
  readonly claims: readonly RawClaim[];
  /** null when they were not asked for. */
  readonly sets: readonly RawWorkload[] | null;
}

/**
 * Those that say so, that its pods mount, that `create` would have made, or whose name or labels are what the claims of its pods have.
 *
 * @param pods of the cluster
 */
export function ownClaims(cluster: string, pods: readonly PodFacts[], { claims, sets }: Namespace): RawClaim[] {
  const isLabelled = (meta: RawMeta | undefined): boolean => meta?.labels?.[CLUSTER_LABEL] === cluster;
  const owners = new Set(pods.map(({ owner }) => owner));
  const isOwn = ({ metadata, spec }: RawWorkload): boolean => {
    if (isLabelled(metadata) || isLabelled(spec?.template?.metadata)) return true;
    return owners.has(`StatefulSet/${metadata?.name ?? ''}`) && !isOfAnother(spec?.template?.metadata, cluster);
  };
  const all = sets ?? [];
  const ours = new Set([...pods.flatMap(stemsOfPod), ...all.filter(isOwn).flatMap(stemsOfSet)]);
  const others = new Set(all.filter((set) => !isOwn(set)).flatMap(stemsOfSet));
  const otherNames = new Set(all.filter((set) => !isOwn(set)).map(({ metadata }) => metadata?.name));
  const mounted = new Set(pods.flatMap((pod) => pod.claims));
  const isMounted = ({ metadata }: RawClaim): boolean => mounted.has(metadata?.name ?? '');
  const lookAlike = new Set(claims.filter(isMounted).flatMap(labelsOf));

  return claims.filter((claim) => {
    const { metadata } = claim;
    if (isLabelled(metadata) || isMounted(claim)) return true;
    if (isOfAnother(metadata, cluster)) return false;
    const name = metadata?.name ?? '';
    const node = nodeOfClaim(cluster, name);
    const stem = stemOf(name);
    // One that lost its label, or was restored without it; but not where a StatefulSet of somebody else has the name of the node.
    if ((node !== null && !otherNames.has(node)) || (stem !== null && ours.has(stem))) return true;
    return node === null && (stem === null || !others.has(stem)) && labelsOf(claim).some((each) => lookAlike.has(each));
  });
}

/** `redis-data-db-3` of TEMPLATE `redis-data` and pod `db-3`: all but the ordinal; null for a name without one. */
function stemOf(name: string): string | null {
  return /^(.+-)\d+$/.exec(name)?.[1] ?? null;
}

/** Of the claims that were made for the pod: whoever was made with another ordinal has the same, also where nothing makes such pods any more. */
function stemsOfPod({ name, claims }: PodFacts): string[] {
  return claims.filter((claim) => claim.endsWith(`-${name}`)).flatMap((claim) => stemOf(claim) ?? []);
}

function stemsOfSet({ metadata, spec }: RawWorkload): string[] {
  const templates = spec?.volumeClaimTemplates ?? [];
  return templates.map((template) => `${template.metadata?.name ?? ''}-${metadata?.name ?? ''}-`);
}

/** As one text, to compare; none where it has none, which would be those of everybody's claims. */
function labelsOf({ metadata }: RawClaim): string[] {
  const labels = Object.entries(metadata?.labels ?? {}).map((pair) => pair.join('='));
  return labels.length === 0 ? [] : [labels.sort().join()];
}
