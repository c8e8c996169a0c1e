/**
 * What can be said of a cluster's nodes for certain, what is unknown, and by whom: made once for an observation, and asked by everybody who
 * decides. Pure.
 */
import type { KubeFacts } from '../model/observation.ts';
import { joinLosses, type Loss } from '../model/loss.ts';
import type { ClusterNode, ClusterState } from '../model/state.ts';
import { candidatesFor } from './candidates.ts';
import { witnessesOf, type Witness } from './death.ts';
import { isSeenDown } from './down.ts';
import { lossOfLimitOfHeir } from './eviction.ts';
import { isHeardByMost, lifeOf, type Life, type LifeFacts } from './life.ts';
import { majorityOf, type Majority } from './majority.ts';
import { memberOf, type Member } from './members.ts';
import { findMissingPods, type MissingPod } from './missing-pods.ts';
import { lossOfLeading, successionOf, type Succession } from './succession.ts';
import type { Candidate } from './candidates.ts';

export interface Evidence {
  readonly members: readonly Member[];
  readonly missing: readonly MissingPod[];
  readonly majority: Majority;
  readonly lifeOf: (node: ClusterNode) => Life;
  /** It serves nobody: it is dead, loads, or can't be asked and most others have it down. */
  readonly isDown: (node: ClusterNode) => boolean;
  readonly successionOf: (primary: ClusterNode) => Succession;
  /** What would be lost if the replica led in its primary's place without the primary's word; null = nothing that is known of. */
  readonly lossOf: (succession: Succession, candidate: Candidate) => Loss | null;
  /** Who says that the primary is dead, and who does not. */
  readonly witnessesOf: (primary: ClusterNode, replica: Member) => readonly Witness[];
  /** Nodes with a pod, or one that is missing, of which nobody knows keys, marks, roles and epochs. */
  readonly silent: readonly ClusterNode[];
  /** The pod that it has, or had, by name; else the short id. */
  readonly nameOf: (node: ClusterNode) => string;
}

const NO_KEYS: ReadonlyMap<string, number> = new Map();

/** @param replicaKeys keys that replicas count in the slots of their primary, by node id, where somebody counted */
export function evidenceOf(
  state: ClusterState,
  kube: KubeFacts,
  replicaKeys: ReadonlyMap<string, number> = NO_KEYS,
): Evidence {
  const members = state.nodes.flatMap(memberOf);
  const missing = findMissingPods(state, kube);
  const tied = new Map(missing.map(({ pod, node }) => [node, pod]));
  const nameOf = (node: ClusterNode): string => node.pod?.name ?? tied.get(node) ?? node.nodeId?.slice(0, 8) ?? '?';
  const facts: LifeFacts = { state, kube, members, missing, nameOf };
  const lifeOfNode = remembered((node: ClusterNode) => lifeOf(node, facts));
  const isHeard = remembered((node: ClusterNode) => isHeardByMost(node, facts));
  const isDown = (node: ClusterNode): boolean => isSurelyDown(node, lifeOfNode(node));
  const majority = majorityOf(state.nodes, lifeOfNode, isDown, isHeard);
  return {
    members,
    missing,
    majority,
    lifeOf: lifeOfNode,
    isDown,
    successionOf: (primary) =>
      successionOf(primary, lifeOfNode(primary), candidatesFor(primary, { nodes: state.nodes, members, replicaKeys })),
    lossOf: (succession, candidate) => {
      const evicted = lossOfLimitOfHeir(succession.primary, candidate.node, nameOf);
      const losses = [lossOfLeading(succession, candidate, nameOf), evicted];
      return joinLosses(losses.filter((loss) => loss !== null));
    },
    witnessesOf: (primary, replica) =>
      witnessesOf(primary, replica, { life: lifeOfNode(primary), members, majority, nameOf }),
    silent: state.nodes.filter((node) => node.reply?.kind !== 'answered'),
    nameOf,
  };
}

function isSurelyDown(node: ClusterNode, life: Life): boolean {
  switch (life.kind) {
    case 'answers':
      return false;
    case 'dead':
      return true;
    case 'runs':
      // Of one that only refuses us the others know best.
      return node.unreachable?.why === 'loading' || isSeenDown(node.gossip?.flags ?? []);
    case 'unknown':
      return isSeenDown(node.gossip?.flags ?? []);
    default:
      return life satisfies never;
  }
}

function remembered<T extends object, R>(compute: (of: T) => R): (of: T) => R {
  const known = new Map<T, R>();
  return (of) => {
    const before = known.get(of);
    if (before !== undefined || known.has(of)) return before as R;
    const result = compute(of);
    known.set(of, result);
    return result;
  };
}
