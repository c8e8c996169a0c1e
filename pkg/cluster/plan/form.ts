/**
 * The Redis half of `create`: from pods that answer to one cluster.
 *
 * 1. Refuse what must not be joined: nodes that know strangers, fresh nodes that hold keys (laws L2, FAILURES 1.35). Nor are slots of a
 *    formed cluster given away whose keys may be on a volume that no pod uses.
 *    Slots that two fresh nodes were given are kept by one of them.
 * 2. Say that the cluster was formed, give slots and epochs, shorten the timeout. Slots first of all: a primary says `ok`
 *    only min(node-timeout, 5 s) after it got its first slot, so that clock must start as early as it can.
 *    SET-CONFIG-EPOCH is only accepted by a node that knows nobody, so it must come before the first MEET.
 * 3. MEET, along edges that reach everybody in few hops. Nodes that lost each other's addresses first: form-reconnect.ts.
 * 4. REPLICATE, once a replica knows its primary.
 * 5. Wait until every node says ok, all views are one and all links are up.
 * 6. Put the timeout back. Last, because a node that was never told keeps a timeout that is right.
 */
import type { Batch, Plan, Policy, Remark, Step } from '../model/plan.ts';
import { containsSlot, countSlots, intersectRanges, splitSlots, type SlotRange } from '../model/slots.ts';
import { nodeTimeoutMs, type ClusterSpec } from '../model/spec.ts';
import type { ClusterState } from '../model/state.ts';
import { reconnectNodeSteps, reconnectReplicaSteps, repointSteps } from './form-reconnect.ts';
import { memberOf, type Member, type Place } from '../evidence/members.ts';
import { freeSlots, refuse, refuseForming, refuseSecondOwner } from './form-members.ts';
import { yieldSteps } from './contested.ts';
import { assignShards, choosePrimaries, sharedHosts } from './placement.ts';

interface FormingShard {
  readonly name: string;
  readonly primary: Member;
  readonly replicas: readonly Member[];
  readonly slots: SlotRange;
}

/** While forming, in milliseconds: Redis waits at least 500 ms before it says ok, whatever the timeout. */
export function formingTimeoutMs(nodes: number): number {
  return nodes <= 30 ? 500 : 2_000;
}

export function planForming(state: ClusterState, spec: ClusterSpec, policy: Policy): Plan {
  const members = state.nodes.flatMap(memberOf);
  const refused = refuseForming(members, state);
  if (refused !== null) return refused;
  const yields = yieldSteps(members, state);
  if (yields.length > 0)
    return {
      kind: 'batches',
      batches: [{ title: 'settle who has slots that two were given', steps: yields }],
      remarks: [],
    };

  const groups = groupByShard(members, spec);
  const shards = layShards(members, spec, groups);
  if (groups.size !== spec.masters || shards.length !== spec.masters) {
    return refuse(
      'shards-differ',
      `The pods' labels kubectl-redis.io/shard name ${groups.size} shards, and ${spec.masters} masters were asked for`,
      'Correct the labels or --masters',
    );
  }
  const second = refuseSecondOwner(shards, state, spec);
  if (second !== null) return second;
  const remarks: Remark[] = sharedHosts(
    shards.map((shard) => ({
      shard: shard.name,
      members: [shard.primary, ...shard.replicas].map((member) => member.place),
    })),
  ).map((pair) => ({
    code: 'same-host',
    sentence: `${pair.pods[0]} and ${pair.pods[1]} of shard ${pair.shard} are both on host ${pair.host}`,
  }));

  const converged = isConverged(state);
  const again = [reconnectReplicaSteps(members), reconnectNodeSteps(members)] as const;
  const replicate = [...replicateSteps(shards), ...repointSteps(members)];
  const steps = [assignSteps(shards, members, state), meetSteps(members), replicate, ...again] as const;
  const [assign, meet] = steps;
  const forming = steps.some((batch) => batch.length > 0);
  const batches: Batch[] = [];
  if (!converged || forming) {
    // Never on a cluster that serves: only while it has slots to give away and not one key.
    const idle =
      assign.some((step) => step.kind === 'add-slots') && members.every((member) => member.answer.info.keys === 0);
    const speed =
      policy.fastForming && idle
        ? timeoutSteps(members, formingTimeoutMs(members.length), 'nodes agree sooner; put back when they do')
        : [];
    if (assign.length + speed.length > 0) batches.push({ title: 'assign slots', steps: [...assign, ...speed] });
    if (again[0].length > 0) batches.push({ title: 'lead the replicas to their primaries', steps: again[0] });
    if (again[1].length > 0) batches.push({ title: 'lead the nodes to each other', steps: again[1] });
    if (meet.length > 0) batches.push({ title: 'join the nodes', steps: meet });
    if (replicate.length > 0) batches.push({ title: 'attach the replicas', steps: replicate });
    const pods = members.map((member) => member.step.pod);
    batches.push({
      title: 'wait until all nodes agree',
      steps: [{ kind: 'await-convergence', pods, reason: 'every node ok, one view, all links up' }],
    });
  }
  const restore = restoreSteps(members);
  if (restore.length > 0) batches.push({ title: 'put the timeout back', steps: restore });
  return batches.length === 0 ? { kind: 'nothing', remarks } : { kind: 'batches', batches, remarks };
}

function layShards(
  members: readonly Member[],
  spec: ClusterSpec,
  groups: ReadonlyMap<string, readonly Place[]>,
): FormingShard[] {
  const byPod = new Map(members.map((member) => [member.step.pod, member]));
  const primaries = choosePrimaries(
    [...groups].map(([shard, places]) => ({
      shard,
      members: places,
      fixed: fixedPrimary(places.flatMap((place) => byPod.get(place.pod) ?? [])),
    })),
  );
  const borders = splitSlots(spec.masters);
  return [...groups].flatMap(([name, places], index) => {
    const all = places.flatMap((place) => byPod.get(place.pod) ?? []);
    const primary = byPod.get(primaries.get(name) ?? '');
    const slots = borders[index];
    if (primary === undefined || slots === undefined) return [];
    return [{ name, primary, replicas: all.filter((member) => member !== primary), slots }];
  });
}

/** By label where every node has one (our pods); else by what has been formed already and by hosts. */
function groupByShard(members: readonly Member[], spec: ClusterSpec): Map<string, readonly Place[]> {
  if (members.every((member) => member.node.shardLabel !== null)) {
    const groups = new Map<string, Place[]>();
    for (const member of members) {
      const label = member.node.shardLabel ?? '';
      groups.set(label, [...(groups.get(label) ?? []), member.place]);
    }
    return new Map([...groups].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })));
  }
  return assignShards(
    members.map((member) => member.place),
    spec.masters,
    spec.replicas,
    attachedPods(members, spec.masters),
  );
}

/**
 * Shards that exist already: who owns slots or is followed, and who follows. Each stands at the position whose slots it
 * owns, so that a run that was killed between two primaries gives the others what is left.
 */
function attachedPods(members: readonly Member[], masters: number): string[][] {
  const borders = splitSlots(masters);
  const shards: string[][] = borders.map(() => []);
  const heads = members
    .map((head) => ({ head, followers: members.filter((other) => other.node.primaryId === head.step.nodeId) }))
    .filter(({ head, followers }) => head.node.slots.length > 0 || followers.length > 0)
    .sort((a, b) => firstSlot(a.head) - firstSlot(b.head));
  for (const { head, followers } of heads) {
    const own = borders.findIndex((border, at) => shards[at]?.length === 0 && containsSlot([border], firstSlot(head)));
    const at = own >= 0 ? own : shards.findIndex((shard) => shard.length === 0);
    shards[at >= 0 ? at : shards.length] = [head, ...followers].map((member) => member.step.pod);
  }
  return shards;
}

function firstSlot(member: Member): number {
  return member.node.slots[0]?.start ?? Infinity;
}

/** The member that owns slots, or else the one that others follow already. */
function fixedPrimary(members: readonly Member[]): string | null {
  const owners = members.filter((member) => member.node.slots.length > 0);
  // As `scale` sees it: of two the one that has more.
  const [owner] = owners.toSorted((a, b) => countSlots(b.node.slots) - countSlots(a.node.slots));
  if (owner !== undefined) return owner.step.pod;
  const followed = members.find((member) => members.some((other) => other.node.primaryId === member.step.nodeId));
  return followed?.step.pod ?? null;
}

/** Slots that nobody claims in any view go to the shard that they are for; then epochs, all different, on nodes that know nobody. */
function assignSteps(shards: readonly FormingShard[], members: readonly Member[], state: ClusterState): Step[] {
  const free = freeSlots(members);
  const steps: Step[] =
    state.formedMark || (state.formed && state.origin === 'foreign')
      ? []
      : [{ kind: 'mark-formed', reason: 'from here on an empty volume is a lost one' }];
  shards.forEach((shard, index) => {
    const ranges = intersectRanges([shard.slots], free);
    if (ranges.length > 0)
      steps.push({ kind: 'add-slots', node: shard.primary.step, ranges, reason: `shard ${shard.name}` });
    const { knows, answer } = shard.primary;
    if (knows.size === 1 && answer.view.length === 1 && answer.clusterInfo.myEpoch === 0 && members.length > 1) {
      steps.push({
        kind: 'set-config-epoch',
        node: shard.primary.step,
        epoch: index + 1,
        reason: 'epochs of primaries must differ',
      });
    }
  });
  return steps;
}

/**
 * MEET edges at distances 1, 2, 4 … around the ring of nodes: log2(n) hops from anybody to anybody, and gossip does the rest.
 * An edge of which one end knows the other is not needed any more.
 */
function meetSteps(members: readonly Member[]): Step[] {
  const steps: Step[] = [];
  const done = new Set<string>();
  for (let distance = 1; distance < members.length; distance *= 2) {
    members.forEach((member, index) => {
      const other = members[(index + distance) % members.length];
      if (other === undefined || other === member || done.has(`${other.uid} ${member.uid}`)) return;
      done.add(`${member.uid} ${other.uid}`);
      if (member.knows.has(other.step.nodeId) || other.knows.has(member.step.nodeId)) return;
      steps.push({
        kind: 'meet',
        node: member.step,
        other: other.step,
        otherUid: other.uid,
        reason: `${member.step.pod} does not know ${other.step.pod}`,
      });
    });
  }
  return steps;
}

function replicateSteps(shards: readonly FormingShard[]): Step[] {
  return shards.flatMap((shard) =>
    shard.replicas
      .filter((replica) => replica.node.primaryId !== shard.primary.step.nodeId)
      .map((replica): Step => ({
        kind: 'replicate',
        node: replica.step,
        primary: shard.primary.step,
        reason: `shard ${shard.name}`,
      })),
  );
}

function timeoutSteps(members: readonly Member[], milliseconds: number, reason: string): Step[] {
  return members
    .filter((member) => Number(member.answer.config?.['cluster-node-timeout'] ?? milliseconds) > milliseconds)
    .map((member): Step => ({ kind: 'set-node-timeout', node: member.step, milliseconds, reason }));
}

/** Only from the very value that forming sets: a timeout that somebody chose is theirs. */
function restoreSteps(members: readonly Member[]): Step[] {
  const short = formingTimeoutMs(members.length);
  const milliseconds = nodeTimeoutMs(members.length);
  return members
    .filter((member) => member.answer.config?.['cluster-node-timeout'] === String(short))
    .map((member): Step => ({
      kind: 'set-node-timeout',
      node: member.step,
      milliseconds,
      reason: 'it was short while forming',
    }));
}

/** A node that was found again counts as failed for up to two timeouts more. */
function isSuspect({ flags }: { readonly flags: readonly string[] }): boolean {
  return flags.includes('fail') || flags.includes('fail?');
}

/**
 * Every node answered, says ok, knows everybody, sees every link up, and all replicas follow.
 *
 * The owner of an open slot they need not agree about: who imports it holds on to the node that it names, also when that one's replica
 * has taken over (clusterUpdateSlotsConfigWith of Redis), until the move ends.
 */
export function isConverged(state: ClusterState): boolean {
  const members = state.nodes.filter((node) => node.pod !== null);
  const agreed = state.views.length > 0 && state.views.every(({ onlyOpenSlots }) => onlyOpenSlots);
  if (!agreed || state.uncovered.length > 0 || state.nodes.length !== members.length) return false;
  return members.every((node) => {
    if (node.reply?.kind !== 'answered') return false;
    const { answer } = node.reply;
    const linked = answer.view.every((other) => other.flags.includes('myself') || (other.linkUp && !isSuspect(other)));
    const following = answer.info.role === 'primary' || answer.info.primaryLinkUp === true;
    return answer.clusterInfo.state === 'ok' && answer.view.length === members.length && linked && following;
  });
}
