/**
 * The Redis half of `create`: from pods that answer to one cluster.
 *
 * 1. Refuse what must not be joined: nodes that know strangers, fresh nodes that hold keys (laws L2, FAILURES 1.35).
 * 2. Say that the cluster was formed, give slots and epochs, shorten the timeout. Slots first of all: a primary says `ok`
 *    only min(node-timeout, 5 s) after it got its first slot, so that clock must start as early as it can.
 *    SET-CONFIG-EPOCH is only accepted by a node that knows nobody, so it must come before the first MEET.
 * 3. MEET, along edges that reach everybody in few hops.
 * 4. REPLICATE, once a replica knows its primary.
 * 5. Wait until every node says ok, all views are one and all links are up.
 * 6. Put the timeout back. Last, because a node that was never told keeps a timeout that is right.
 */
import type { NodeAnswer } from '../model/observation.ts';
import type { Batch, Plan, Policy, Remark, Step, StepNode } from '../model/plan.ts';
import { ALL_SLOTS, intersectRanges, splitSlots, subtractRanges, unionRanges, type SlotRange } from '../model/slots.ts';
import { nodeTimeoutMs, type ClusterSpec } from '../model/spec.ts';
import type { ClusterNode, ClusterState } from '../model/state.ts';
import { assignShards, choosePrimaries, sharedHosts, type Place } from './placement.ts';

/** A node that answered. */
interface Member {
  readonly node: ClusterNode;
  readonly step: StepNode;
  readonly uid: string;
  readonly answer: NodeAnswer;
  readonly place: Place;
  /** Ids that it knows for good: itself included, handshakes left out. */
  readonly knows: ReadonlySet<string>;
}

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
  const refused =
    refuseSilent(state) ?? refuseStrangers(members, state) ?? refuseKeys(members, state) ?? refuseContested(state);
  if (refused !== null) return refused;

  const shards = layShards(members, spec);
  if (shards.length !== spec.masters) {
    return refuse(
      'shards-differ',
      `The pods' labels kubectl-redis.io/shard name ${shards.length} shards, and ${spec.masters} masters were asked for`,
      'Correct the labels or --masters',
    );
  }
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
  const steps = [assignSteps(shards, members, state), meetSteps(members), replicateSteps(shards)] as const;
  const [assign, meet, replicate] = steps;
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

function memberOf(node: ClusterNode): Member[] {
  if (node.pod === null || node.nodeId === null || node.reply?.kind !== 'answered') return [];
  const { answer } = node.reply;
  const known = answer.view.filter((other) => !other.flags.includes('handshake')).map((other) => other.nodeId);
  const place = { pod: node.pod.name, host: node.host, zone: node.zone };
  return [
    {
      node,
      step: { nodeId: node.nodeId, pod: node.pod.name },
      uid: node.pod.uid,
      answer,
      place,
      knows: new Set(known),
    },
  ];
}

function refuse(code: string, sentence: string, hint: string): Plan {
  return { kind: 'refused', code, sentence, hint };
}

function refuseSilent(state: ClusterState): Plan | null {
  const silent = state.nodes.find((node) => node.pod !== null && node.reply?.kind !== 'answered');
  if (silent === undefined) return null;
  const why = silent.unreachable === null ? 'no answer' : `${silent.unreachable.why}: ${silent.unreachable.detail}`;
  return refuse(
    'node-silent',
    `${silent.pod?.name} can't be asked (${why})`,
    `Look at it with kubectl describe pod ${silent.pod?.name} and kubectl logs ${silent.pod?.name}, then run the same command again`,
  );
}

/** Law L2: never join a node that knows anybody who is not one of our pods. */
function refuseStrangers(members: readonly Member[], state: ClusterState): Plan | null {
  const ours = new Set(members.map((member) => member.step.nodeId));
  for (const member of members) {
    const stranger = member.answer.view.find((other) => !ours.has(other.nodeId) && !other.flags.includes('handshake'));
    if (stranger === undefined) continue;
    const at = stranger.ip === '' ? 'an unknown address' : `${stranger.ip}:${stranger.port}`;
    return refuse(
      'foreign-node',
      `${member.step.pod} knows node ${stranger.nodeId.slice(0, 8)} at ${at}, which is no pod of ${state.cluster.name}`,
      `If that node is gone for good, run CLUSTER FORGET ${stranger.nodeId} on every node within a minute; if it belongs to another cluster, remove ${member.step.pod} and its volume`,
    );
  }
  return null;
}

/** A fresh node with keys would lose them as a replica, or strand them as a primary. */
function refuseKeys(members: readonly Member[], state: ClusterState): Plan | null {
  const full = members.find(
    (member) =>
      member.knows.size === 1 &&
      member.node.slots.length === 0 &&
      member.answer.info.keys > 0 &&
      member.answer.info.role === 'primary',
  );
  if (full === undefined) return null;
  return refuse(
    'node-not-empty',
    `${full.step.pod} holds ${full.answer.info.keys} keys and belongs to no cluster yet`,
    `Save what you need from it, run FLUSHALL on it, then run kubectl redis create ${state.cluster.name} again`,
  );
}

function refuseContested(state: ClusterState): Plan | null {
  const first = state.contested[0];
  if (first === undefined) return null;
  const owners = first.ownerIds.map((id) => id.slice(0, 8)).join(' and ');
  return refuse(
    'slots-contested',
    `Slots ${first.range.start}-${first.range.end} are claimed by ${owners}: joining them would delete the keys of one`,
    'Remove the pods that belong to another cluster, or their volumes, and run the same command again',
  );
}

function layShards(members: readonly Member[], spec: ClusterSpec): FormingShard[] {
  const byPod = new Map(members.map((member) => [member.step.pod, member]));
  const groups = groupByShard(members, spec);
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
  );
}

/** The member that owns slots, or else the one that others follow already. */
function fixedPrimary(members: readonly Member[]): string | null {
  const owner = members.find((member) => member.node.slots.length > 0);
  if (owner !== undefined) return owner.step.pod;
  const followed = members.find((member) => members.some((other) => other.node.primaryId === member.step.nodeId));
  return followed?.step.pod ?? null;
}

/** Slots that nobody claims in any view go to the shard that they are for; then epochs, all different, on nodes that know nobody. */
function assignSteps(shards: readonly FormingShard[], members: readonly Member[], state: ClusterState): Step[] {
  const claimed = members.reduce(
    (all, member) =>
      unionRanges(
        all,
        member.answer.view.flatMap((other) => other.slots),
      ),
    [] as SlotRange[],
  );
  const free = subtractRanges(ALL_SLOTS, claimed);
  const steps: Step[] = state.formed
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

/** Every node answered, says ok, knows everybody, sees every link up, and all replicas follow. */
export function isConverged(state: ClusterState): boolean {
  const members = state.nodes.filter((node) => node.pod !== null);
  if (state.views.length !== 1 || state.uncovered.length > 0 || state.nodes.length !== members.length) return false;
  return members.every((node) => {
    if (node.reply?.kind !== 'answered') return false;
    const { answer } = node.reply;
    const linked = answer.view.every((other) => other.linkUp || other.flags.includes('myself'));
    const following = answer.info.role === 'primary' || answer.info.primaryLinkUp === true;
    return answer.clusterInfo.state === 'ok' && answer.view.length === members.length && linked && following;
  });
}
