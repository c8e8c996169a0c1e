/** What `restart` does not begin, and does not go on with (laws L13 and L14). */
import type { Candidate } from '../evidence/candidates.ts';
import { evidenceOf, type Evidence } from '../evidence/evidence.ts';
import {
  evictsAlready,
  limitAtStart,
  limitNow,
  limitOf,
  lossOfLimit,
  lossOfLimitOfHeir,
  type MemoryLimit,
} from '../evidence/eviction.ts';
import { goesWithPod, lossOfStopping, type NextStart } from '../evidence/persistence.ts';
import { listNames } from '../model/list-names.ts';
import { isAgreed, joinLosses, keysInWords, lossFlag, type Loss } from '../model/loss.ts';
import { straysOf } from '../evidence/strays.ts';
import { isUnread, type KubeFacts, type StatefulSetFacts } from '../model/observation.ts';
import type { Plan } from '../model/plan.ts';
import { normalizeRanges, subtractRanges, type SlotRanges } from '../model/slots.ts';
import { nodeName, ordinalOfNode, ordinalsOf, type ClusterSpec } from '../model/spec.ts';
import { scaleCommand } from '../model/scale-command.ts';
import type { ClusterNode, ClusterState, Shard } from '../model/state.ts';
import { memberOf, type Member } from '../evidence/members.ts';
import { refuse } from './form-members.ts';
import { refuseIncompleteHeir, refuseIncompletePrimary } from './refuse-heir.ts';
import { reads } from './server-version.ts';
import { isDead, isGuarded } from './pod-life.ts';
import type { RestartInput } from './restart.ts';
import { isToRestart, type RestartTarget } from './restart-goal.ts';
import { outlineRestart } from './restart-outline.ts';
import { refuseObjects } from './refuse-record.ts';
import { refuseUnsound } from './scale-refuse.ts';

/**
 * The first reason, or null. Asked before anything is written, and again before every batch: what is refused has touched nothing.
 * Pods of the goal in which no server runs do not count as silent: that they start again is what the restart is for.
 */
export function refuseRestart(input: RestartInput): Plan | null {
  const { state, kube, target, recorded } = input;
  if (!kube.pods.some((pod) => isToRestart(target, pod, kube))) return refuseLoss(input);
  const older = refuseObjects(state, kube);
  if (older !== null) return older;
  const { name } = state.cluster;
  if (recorded?.scaling != null)
    return refuse(
      'scale-unfinished',
      `A change of the shape of ${name} was begun and is not finished`,
      `${scaleCommand(name, recorded)} goes on with it; then restart`,
    );
  const counts = (node: ClusterNode): boolean =>
    node.pod === null || !isDead(node.pod) || !isToRestart(target, node.pod, kube);
  // Where no server runs at all nobody can be asked, and no pod that is replaced takes anything away.
  const unsound = noServerRuns(state, kube) ? null : refuseUnsound(state, state.nodes.flatMap(memberOf), counts);
  if (unsound !== null) return unsound;
  const incomplete = refuseIncompletePrimary(state);
  if (incomplete !== null) return incomplete;
  if (state.openSlots.length > 0)
    return refuse(
      'slots-open',
      `${state.openSlots.length} slots of ${name} are being moved`,
      `kubectl redis status ${name} says between whom; kubectl redis fix ${name} finishes what nobody moves any more`,
    );
  return refuseStrays(state) ?? refusePods(input) ?? refuseLoss(input) ?? refuseAlone(input) ?? refuseNoHeir(input);
}

/**
 * Templates that are rendered start pods, all at once, and what their servers must not be older than is known when they run. Asked before
 * anything is waited for: nobody brings those pods back.
 */
export function refuseStopped({ kube, recorded }: RestartInput): Plan | null {
  if (recorded === null || isUnread(kube, 'statefulsets')) return null;
  const { name } = recorded.cluster;
  const nodes = ordinalsOf(recorded).map((ordinal) => nodeName(name, ordinal));
  const gone = nodes.filter((node) => !kube.statefulSets.some((set) => set.name === node));
  // (Where none is left the cluster was deleted, which is told below; those of a change that was begun are made by `scale`.)
  if (gone.length > 0 && kube.statefulSets.length > 0 && recorded.scaling === null) {
    const [sets, are, their] =
      gone.length === 1 ? ['StatefulSet', 'is', 'its pod'] : ['StatefulSets', 'are', 'their pods'];
    return refuse(
      'objects-missing',
      `${sets} ${listNames(gone)} of ${name} ${are} missing: nobody would make ${their} again`,
      `kubectl redis create ${name} makes what is missing; then restart`,
    );
  }
  const asleep = nodes.filter((node) => kube.statefulSets.some((set) => set.name === node && set.replicas === 0));
  const [first] = asleep;
  const isAll = kube.pods.length === 0 && asleep.length === kube.statefulSets.length;
  if (first === undefined && !isAll) return null;
  const others = asleep.length > 1 ? ` and ${asleep.length - 1} more` : '';
  return refuse(
    'stopped',
    isAll ? `${name} is stopped: it has no pods` : `StatefulSet ${first}${others} of ${name} is scaled to 0`,
    `kubectl redis create ${name} starts ${isAll ? 'it' : 'what is stopped'}; then restart`,
  );
}

/** Not even one that only we can't reach: no pod runs, or its guard has not started the server. */
export function noServerRuns(state: ClusterState, { pods }: KubeFacts): boolean {
  return pods.length > 0 && pods.every((pod) => isDead(pod) || isGuarded(state, pod.name));
}

/** Where replicas restart too, who is in step is asked when they have. */
function refuseNoHeir({ state, kube, target }: RestartInput): Plan | null {
  const evidence = evidenceOf(state, kube);
  for (const { primary, order, handsOver } of outlineRestart(state, kube, target)) {
    const node = state.nodes.find(({ pod }) => pod !== null && pod.name === primary);
    if (node === undefined || !handsOver || order.length > 1) continue;
    const { best } = evidence.successionOf(node);
    if (best?.standing !== 'in-step') return noHeir(node, best, evidence, state);
  }
  return null;
}

/** @param best of its replicas, none of which is in step */
export function noHeir(
  primary: ClusterNode,
  best: Candidate | null,
  evidence: Pick<Evidence, 'nameOf' | 'successionOf'>,
  state: ClusterState,
): Plan {
  const incomplete = best === null ? null : refuseIncompleteHeir({ primary, heir: best.node }, evidence, state);
  return (
    incomplete ??
    refuse(
      'not-in-step',
      `No replica of ${evidence.nameOf(primary)} is in step with it, so none may lead while it restarts`,
      `kubectl redis nodes ${state.cluster.name} shows their links; wait until one is up`,
    )
  );
}

function refuseLoss(input: RestartInput): Plan | null {
  const loss = lossOfRestart(input);
  if (loss === null || isAgreed(loss, input.agreedLoss)) return null;
  return refuse('needs-consent', `A restart would lose ${loss.sentence}`, `To agree: ${lossFlag(loss.slots)}`);
}

/** Shards whose only node is to restart: away for as long as that takes. */
function refuseAlone({ state, kube, target, agreedAway }: RestartInput): Plan | null {
  const alone = aloneShards(state, kube, target);
  const first = alone.find(({ slots }) => subtractRanges(slots, agreedAway).length > 0);
  if (first === undefined) return null;
  return refuse(
    'last-copy',
    `${first.primary?.pod?.name ?? '?'} alone holds shard ${first.name}: its slots are away while it restarts`,
    `A replica first: kubectl redis scale ${state.cluster.name} --replicas 1; or agree with --yes`,
  );
}

/**
 * What shards without a replica lose because their only node keeps nothing on disk that its next start reads; and what servers would evict
 * under a memory limit that they are told, or that they start with.
 */
export function lossOfRestart({
  state,
  kube,
  target,
  recorded,
}: Pick<RestartInput, 'state' | 'kube' | 'target' | 'recorded'>): Loss | null {
  const evidence = evidenceOf(state, kube);
  const spec = target.spec ?? recorded;
  const next: NextStart = { config: spec?.config ?? null, live: target.live };
  const stopped = aloneShards(state, kube, target).flatMap((shard) => lossOfStopping(shard, evidence, next) ?? []);
  const restarts = new Set(outlineRestart(state, kube, target).map(({ name }) => name));
  const told = 'maxmemory' in target.live || 'maxmemory-policy' in target.live;
  const evicted = state.shards.flatMap((shard) => {
    const now = limitNow(shard.primary);
    if (now === null) return [];
    const lossAt = (limit: MemoryLimit, where: string): Loss | null =>
      evictsAlready(now, limit) ? null : lossOfLimit(shard, evidence, limit, where);
    const live = told ? lossAt(limitOf(target.live, now), 'with that limit it') : null;
    if (live !== null) return [live];
    if (spec === null || !restarts.has(shard.name)) return [];
    return lossAt(limitAtStart(spec, shard.primary?.pod ?? null), 'after its start, as recorded, it') ?? [];
  });
  return joinLosses([...stopped, ...evicted, ...handed(state, kube, target)]);
}

/** What those would evict who take over as they are: a replica that restarts too starts with what is recorded. */
function handed(state: ClusterState, kube: KubeFacts, target: RestartTarget): Loss[] {
  const evidence = evidenceOf(state, kube);
  const alone = outlineRestart(state, kube, target).filter(({ order, handsOver }) => handsOver && order.length === 1);
  return alone.flatMap(({ primary }) => {
    const node = state.nodes.find(({ pod }) => pod !== null && pod.name === primary);
    const heir = node === undefined ? null : evidence.successionOf(node).best;
    if (node === undefined || heir === null) return [];
    return lossOfLimitOfHeir(node, heir.node, evidence.nameOf) ?? [];
  });
}

/** Those whose only node restarts. */
function aloneShards(state: ClusterState, kube: KubeFacts, target: RestartTarget): Shard[] {
  const names = new Set(
    outlineRestart(state, kube, target).flatMap(({ name, slotsAway }) => (slotsAway > 0 ? [name] : [])),
  );
  return state.shards.filter(({ name }) => names.has(name));
}

export function slotsAway(state: ClusterState, kube: KubeFacts, target: RestartTarget): SlotRanges {
  return normalizeRanges(aloneShards(state, kube, target).flatMap(({ slots }) => slots));
}

/**
 * What this run rendered is not there any more: whoever applies an older manifest every few minutes would win in the end, and a pod that is
 * restarted meanwhile comes up as it was. Only what a pod is started with counts: nobody is asked about marks and scripts.
 */
export function refusePutBack({ kube, rendered, staleSettings }: RestartInput, recorded: ClusterSpec): Plan | null {
  const { name } = recorded.cluster;
  const set = rendered.templates ? kube.statefulSets.find((one) => isOfOtherImage(one, recorded)) : undefined;
  const config = rendered.config && staleSettings ? kube.configFacts : undefined;
  if (set === undefined && config === undefined) return null;
  const what =
    set === undefined
      ? `ConfigMap ${name}-config back to other settings`
      : `StatefulSet ${set.name} back to ${set.image}`;
  const who = (set?.writer ?? config?.writer)?.manager ?? 'Somebody';
  return refuse(
    'put-back',
    `${who} has put ${what} after it was rendered: a pod that is restarted now would come up as before`,
    `Change it where it comes from (kubectl redis create ${name} --dry-run prints what to commit), then run the same command again`,
  );
}

function isOfOtherImage({ name, image }: StatefulSetFacts, spec: ClusterSpec): boolean {
  const ordinal = ordinalOfNode(spec.cluster.name, name);
  return ordinal !== null && ordinalsOf(spec).includes(ordinal) && image !== spec.image;
}

/** Some servers delete at their start what lies in slots that they do not own. Who did not count may hold some. */
export function refuseStrays(state: ClusterState): Plan | null {
  const found = state.nodes.map((node) => ({ name: node.pod?.name ?? '', strays: straysOf(node) }));
  const { name: cluster } = state.cluster;
  const hint = `kubectl redis fix ${cluster} brings keys and owners together; kubectl redis check ${cluster} says more`;
  for (const { name, strays } of found) {
    if (typeof strays !== 'number') continue;
    const sentence = `${name} holds ${keysInWords(strays)} in slots that it does not own: its next start may delete them`;
    return refuse('stray-keys', sentence, hint);
  }
  for (const { name, strays } of found) {
    if (typeof strays !== 'string') continue;
    const sentence = `${name} did not count the keys of its slots (${strays}): it may hold some of slots that it does not own, and its next start may delete them`;
    return refuse(
      'keys-not-counted',
      sentence,
      'Run it again when it is less busy, or let its user count them (CLUSTER COUNTKEYSINSLOT)',
    );
  }
  return null;
}

function refusePods({ kube, target, state }: RestartInput): Plan | null {
  const pods = kube.pods.filter((pod) => isToRestart(target, pod, kube));
  const { name } = state.cluster;
  const bare = pods.find((pod) => pod.owner?.startsWith('StatefulSet/') !== true);
  if (bare !== undefined) {
    const owner = bare.owner === null ? 'no controller' : bare.owner;
    return refuse(
      'not-of-a-stateful-set',
      `${bare.name} belongs to ${owner}: its successor would be another pod, of another name`,
      'Restart it with what made it, one pod at a time; kubectl redis failover moves the role away first',
    );
  }
  const empty = pods.find(goesWithPod);
  if (empty === undefined) return null;
  const where = empty.goingClaim === undefined ? 'in the pod' : `on claim ${empty.goingClaim}, which is being deleted`;
  return refuse(
    'no-volume',
    `${empty.name} of ${name} keeps its data ${where}: its successor would be an empty node`,
    `Each node needs another that keeps its keys meanwhile: a primary hands its role to a replica in step first (kubectl redis failover), and only then kubectl delete pod, of one replica at a time, where a guard brings it back; kubectl redis check ${name} shows when it is in step again`,
  );
}

/** Law L14: what takes over must not be older than what wrote the data. */
export function refuseOlder(heir: Member, primary: Member): Plan | null {
  const [now, then] = [primary.answer.info, heir.answer.info];
  if (reads(then, now)) return null;
  return refuse(
    'older-server',
    `${heir.step.pod} runs ${then.product} ${then.version}, and its primary ${primary.step.pod} runs ${now.product} ${now.version}: the older one can't take over`,
    'Give an --image with that version or a later one',
  );
}
