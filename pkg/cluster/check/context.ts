/** What every check needs, computed once. */
import type { Observation } from '../model/observation.ts';
import type { Problem } from '../model/problem.ts';
import type { TroubleFacts } from '../model/reasons.ts';
import type { ClusterNode, ClusterState, Shard } from '../model/state.ts';
import { shortId } from '../interpret.ts';
import { readGossip } from '../interpret/gossip.ts';
import type { Gossip } from '../interpret/gossip.ts';
import { evidenceOf } from '../evidence/evidence.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { forgottenPrimaries } from '../evidence/forgotten.ts';
import { groupMembers } from '../evidence/groups.ts';
import type { Groups } from '../evidence/groups.ts';
import type { Member } from '../evidence/members.ts';
import type { MissingPod } from '../evidence/missing-pods.ts';

/** A node that has been up for less is not blamed for links that are not there yet. */
export const FRESH_SECONDS = 15;

export interface CheckContext {
  readonly state: ClusterState;
  readonly observation: Observation;
  readonly gossip: Gossip;
  readonly evidence: Evidence;
  readonly answered: readonly Member[];
  readonly byId: ReadonlyMap<string, ClusterNode>;
  readonly missing: readonly MissingPod[];
  /** Ids of primaries that only their replicas remember. */
  readonly forgotten: ReadonlySet<string>;
  /** Pod name, or the short id of a node without a pod. */
  readonly nameOf: (node: ClusterNode) => string;
  readonly nameOfId: (nodeId: string) => string;
  /** Surely not serving: a certain reason, or the majority says so. */
  readonly isDown: (node: ClusterNode) => boolean;
  readonly shardOf: (node: ClusterNode) => Shard | undefined;
  readonly groups: Groups;
  readonly isFresh: (nodeId: string) => boolean;
  /** Why it does not run or is not ready, where somebody looked. */
  readonly troubleOf: (pod: string) => TroubleFacts | undefined;
  /** `redis-cli` in a pod, as a command to type. */
  readonly redisCli: (pod: string, command: string) => string;
  readonly kubectl: (command: string) => string;
}

export type Check = (context: CheckContext, found: readonly Problem[]) => readonly Problem[];

/** @param replicaKeys see evidenceOf */
export function makeContext(
  state: ClusterState,
  observation: Observation,
  replicaKeys?: ReadonlyMap<string, number>,
): CheckContext {
  const gossip = readGossip(observation);
  const evidence = evidenceOf(state, observation.kube, replicaKeys);
  const answered = evidence.members;
  const byId = new Map<string, ClusterNode>();
  for (const node of state.nodes) if (node.nodeId !== null && !byId.has(node.nodeId)) byId.set(node.nodeId, node);
  const shards = new Map(
    state.shards.flatMap((shard) =>
      [...(shard.primary === null ? [] : [shard.primary]), ...shard.replicas].map((node) => [node, shard]),
    ),
  );
  const answers = new Map(answered.map((one) => [one.nodeId, one.answer]));
  const { namespace } = state.cluster;
  return {
    state,
    observation,
    gossip,
    evidence,
    answered,
    byId,
    missing: evidence.missing,
    forgotten: forgottenPrimaries(answered),
    nameOf: evidence.nameOf,
    nameOfId: (nodeId) => byId.get(nodeId)?.pod?.name ?? shortId(nodeId),
    isDown: evidence.isDown,
    shardOf: (node) => shards.get(node),
    groups: groupMembers(answered),
    isFresh: (nodeId) => (answers.get(nodeId)?.info.uptimeSeconds ?? FRESH_SECONDS) < FRESH_SECONDS,
    troubleOf: (pod) => observation.kube.troubles?.find((one) => one.pod === pod),
    redisCli: (pod, command) => `kubectl -n ${namespace} exec ${pod} -- redis-cli ${command}`,
    kubectl: (command) => `kubectl -n ${namespace} ${command}`,
  };
}
