/**
 * A cluster whose record is gone: everything that said what it was made with was deleted. `create` takes what is typed now for it, but only
 * what the templates were rendered from: their annotation is a hash of it. So nothing is guessed. Pure.
 */
import { MANAGED_BY, MANAGED_BY_LABEL, SHARD_LABEL, SPEC_HASH_ANNOTATION } from '../model/labels.ts';
import type { ClusterRef, KubeFacts, StatefulSetFacts } from '../model/observation.ts';
import type { AntiAffinity } from '../model/plan.ts';
import { ordinalOfNode, specHash, type ClusterSpec } from '../model/spec.ts';
import { DEFAULT_STORAGE, type GivenSpec } from './create-spec.ts';

/** Shapes that a template may have been rendered in: a cluster may have been scaled since. */
const MOST_MASTERS = 100;
const MOST_REPLICAS = 5;
const AFFINITIES: readonly AntiAffinity[] = ['hard', 'soft', 'off'];

/** StatefulSets that `create` made. */
export function ownSets({ statefulSets }: Pick<KubeFacts, 'statefulSets'>, { name }: ClusterRef): StatefulSetFacts[] {
  return statefulSets.filter(
    (set) => set.templateLabels[MANAGED_BY_LABEL] === MANAGED_BY && ordinalOfNode(name, set.name) !== null,
  );
}

/** null where what is typed is not what the templates were rendered from. */
export function recoverSpec(kube: KubeFacts, cluster: ClusterRef, given: GivenSpec): ClusterSpec | null {
  const sets = ownSets(kube, cluster);
  const [first] = sets;
  if (first === undefined) return null;
  const hashes = new Set(sets.map((set) => set.templateAnnotations[SPEC_HASH_ANNOTATION]));
  for (const antiAffinity of given.antiAffinity === null ? AFFINITIES : [given.antiAffinity]) {
    const spec = typedSpec(cluster, given, first.image, antiAffinity);
    const possible = new Set(shapes().map((shape) => specHash({ ...spec, ...shape })));
    if ([...hashes].every((hash) => hash !== undefined && possible.has(hash)))
      return { ...spec, ...shapeOf(cluster, sets) };
  }
  return null;
}

function typedSpec(cluster: ClusterRef, given: GivenSpec, image: string, antiAffinity: AntiAffinity): ClusterSpec {
  const { imagePullPolicy, storageClass, memory, cpu } = given;
  return {
    cluster,
    imagePullPolicy,
    storageClass,
    memory,
    cpu,
    antiAffinity,
    masters: 0,
    replicas: 0,
    nodes: null,
    scaling: null,
    restarted: null,
    image: given.image ?? image,
    storage: given.storage ?? DEFAULT_STORAGE,
    config: given.config ?? {},
    auth: given.auth ?? false,
    networkPolicy: given.networkPolicy ?? false,
  };
}

function shapes(): Pick<ClusterSpec, 'masters' | 'replicas'>[] {
  const all = [];
  for (let masters = 3; masters <= MOST_MASTERS; masters++)
    for (let replicas = 0; replicas <= MOST_REPLICAS; replicas++) all.push({ masters, replicas });
  return all;
}

/** Nodes and shards as the templates label them. */
function shapeOf(
  { name }: ClusterRef,
  sets: readonly StatefulSetFacts[],
): Pick<ClusterSpec, 'masters' | 'replicas' | 'nodes'> {
  const nodes: Record<string, string> = {};
  const sizes = new Map<string, number>();
  for (const set of sets) {
    const shard = set.templateLabels[SHARD_LABEL] ?? '';
    nodes[String(ordinalOfNode(name, set.name) ?? 0)] = shard;
    sizes.set(shard, (sizes.get(shard) ?? 0) + 1);
  }
  return { masters: sizes.size, replicas: Math.min(...sizes.values()) - 1, nodes };
}
