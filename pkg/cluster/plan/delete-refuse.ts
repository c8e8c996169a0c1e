/** What `delete` does not begin, and does not go on with. */
import { evidenceOf, type Evidence } from '../evidence/evidence.ts';
import { lossOfFollowers, lossOfStopping, type NextStart } from '../evidence/persistence.ts';
import { isAgreed, joinLosses, lossFlag, type Loss } from '../model/loss.ts';
import type { KubeFacts } from '../model/observation.ts';
import type { Plan } from '../model/plan.ts';
import { formatRanges } from '../model/slots.ts';
import type { ClusterNode, ClusterState } from '../model/state.ts';
import { compareNatural } from '../natural-order.ts';
import type { DeleteInput } from './delete.ts';
import { refuse } from './form-members.ts';

/** A workload that people brought, or a pod of theirs without one: it runs nodes of the cluster, and `delete` does not stop it. */
export interface OtherWorkload {
  readonly kind: string;
  readonly name: string;
  /** Pods of it that there are. */
  readonly pods: readonly string[];
}

/** Asked before the first write and before every batch. */
export function refuseDelete({ cluster, owned, others, purge, strays, loss, agreedLoss }: DeleteInput): Plan | null {
  const [other] = others.toSorted((a, b) => compareNatural(a.name, b.name));
  if (other !== undefined) {
    const rest = others.length - 1;
    const what = `${other.kind} ${other.name}${rest === 0 ? '' : ` and ${rest} more`}`;
    return refuse(
      'nodes-of-others',
      `${what} ${rest === 0 ? 'runs' : 'run'} nodes of ${cluster.name} and ${rest === 0 ? 'was' : 'were'} not made by kubectl redis create: without the objects that delete removes they would be no cluster any more`,
      `First kubectl delete ${other.kind.toLowerCase()} ${other.name} -n ${cluster.namespace}${rest === 0 ? '' : ' and the others'} (claims stay unless its persistentVolumeClaimRetentionPolicy says otherwise; what its pods keep in themselves goes); then the same command`,
    );
  }
  if (purge) return null;
  const claim = owned.find(({ kind, goesWith }) => kind === 'PersistentVolumeClaim' && goesWith !== undefined);
  if (claim !== undefined)
    return refuse(
      'claims-go-too',
      `PersistentVolumeClaim ${claim.name} goes with ${claim.goesWith}, so its data would not be kept`,
      'Set persistentVolumeClaimRetentionPolicy.whenDeleted of the StatefulSets to Retain; or delete with --purge-data',
    );
  if (strays !== null) return strays;
  if (loss === null || isAgreed(loss, agreedLoss)) return null;
  return refuse('needs-consent', `delete would lose ${loss.sentence}`, `To agree: ${lossFlag(loss.slots)}`);
}

/**
 * Keys that nobody keeps on disk, or only a replica that the next start would not let lead, and that are gone when their nodes have
 * stopped; null = none that is known of.
 * @param config of the record; null = not known
 */
export function lossOfDelete(
  state: ClusterState,
  kube: KubeFacts,
  config: Readonly<Record<string, string>> | null,
): Loss | null {
  const evidence = evidenceOf(state, kube);
  const next: NextStart = { config, live: {} };
  const sets = new Set(kube.statefulSets.map(({ name }) => `StatefulSet/${name}`));
  // Where the workload has gone its pods are being stopped, and may be silent before they are seen to be.
  const isRun = ({ pod }: ClusterNode): boolean =>
    pod !== null && (pod.owner?.startsWith('StatefulSet/') !== true || sets.has(pod.owner));
  const isStopping = (node: ClusterNode): boolean =>
    node.pod === null ? hasLostWorkload(node, evidence) : node.pod.terminating || !isRun(node);
  const losses = state.shards.flatMap((shard) => {
    const own = shard.primary !== null && isRun(shard.primary) ? lossOfStopping(shard, evidence, next) : null;
    return own ?? lossOfFollowers(shard, evidence, next, isStopping) ?? [];
  });
  const [unheard] = state.nodes.filter(
    (node) => isRun(node) && node.slots.length === 0 && node.reply?.kind !== 'answered',
  );
  // Whose slots are not known may be those of a node that can't be asked.
  if (unheard !== undefined && state.uncovered.length > 0) {
    const owner = { name: '?', slots: state.uncovered, primary: unheard, replicas: [] };
    const loss = lossOfStopping(owner, evidence, next);
    if (loss !== null)
      losses.push({
        ...loss,
        keys: null,
        sentence: `an unknown number of keys of slots ${formatRanges(state.uncovered)}: nodes that can't be asked may keep none on disk`,
      });
  }
  return joinLosses(losses);
}

/** Nothing would make the pod of a node without one, or of one of those that it may be: it has been stopped in order. */
function hasLostWorkload(node: ClusterNode, { missing }: Pick<Evidence, 'missing'>): boolean {
  const own = missing.find((one) => one.node === node);
  if (own !== undefined) return !own.workload;
  return missing.some((one) => one.node === null && !one.workload);
}
