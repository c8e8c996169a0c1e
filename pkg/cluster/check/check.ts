/**
 * ClusterState -> Problems. Pure. Checks the invariants I1-I13 and I15; I14, a write and a read through each Service, would
 * change data and is not for a command that only looks.
 *
 * One fault is one problem: checks run from the root causes to the consequences, each is given what was found before it,
 * and leaves out what that explains.
 */
import { compareNatural } from '../natural-order.ts';
import type { Observation } from '../model/observation.ts';
import type { Problem, Severity } from '../model/problem.ts';
import type { ClusterState } from '../model/state.ts';
import { checkAddresses } from './addresses.ts';
import { checkEmptyPrimaries, checkReplicaCounts, checkShape, checkShardLabels } from './balance.ts';
import { positionOf } from './codes.ts';
import { checkConfig, checkVersions } from './config.ts';
import { makeContext } from './context.ts';
import type { Check } from './context.ts';
import { checkLinks } from './links.ts';
import { checkDuplicateIds, checkGhosts, checkHandshakes, checkJoined, checkSplit } from './membership.ts';
import { checkFormed, checkOperation } from './operation.ts';
import { checkAppendOnly, checkVolumes } from './persistence.ts';
import { checkPlacement } from './placement.ts';
import { checkMissingPods, checkReadiness, checkTerminatingPods } from './pods.ts';
import { checkClusterState, checkFreshNodes, checkQuorum } from './quorum.ts';
import { checkReachability, checkSilence } from './reachability.ts';
import { checkReplication } from './replication.ts';
import { checkServices } from './services.ts';
import { checkContested, checkCoverage, checkOpenSlots, checkStrayKeys } from './slots.ts';
import { checkEpochs, checkViews } from './views.ts';

/** What can be said of pods that were never joined, too. */
const OF_PODS: readonly Check[] = [
  checkSilence,
  checkReachability,
  checkMissingPods,
  checkTerminatingPods,
  checkServices,
  checkOperation,
  checkFormed,
  checkDuplicateIds,
  checkVolumes,
  checkAppendOnly,
  checkConfig,
  checkVersions,
];

/** What needs a cluster. The order matters: a check is told only what was found before it. */
const OF_CLUSTERS: readonly Check[] = [
  checkFreshNodes,
  checkSplit,
  checkGhosts,
  checkJoined,
  checkHandshakes,
  checkAddresses,
  checkLinks,
  checkQuorum,
  checkReplication,
  checkOpenSlots,
  checkStrayKeys,
  checkCoverage,
  checkContested,
  checkViews,
  checkEpochs,
  checkReplicaCounts,
  checkEmptyPrimaries,
  checkShape,
  checkShardLabels,
  checkPlacement,
  checkClusterState,
];

const RANKS: Readonly<Record<Severity, number>> = { critical: 0, warning: 1, info: 2 };

/** All problems, the critical ones first, then in the order of a full repair (FAILURES). Empty = every invariant holds. */
export function check(state: ClusterState, observation: Observation): Problem[] {
  const context = makeContext(state, observation);
  const asked = context.answered.length > 0;
  const checks = [...OF_PODS, ...(asked && state.formed ? OF_CLUSTERS : []), checkReadiness];
  const found: Problem[] = [];
  for (const one of checks) found.push(...one(context, found));
  return found.sort(
    (a, b) =>
      RANKS[a.severity] - RANKS[b.severity] ||
      positionOf(a.code) - positionOf(b.code) ||
      compareNatural(a.nodes[0] ?? '', b.nodes[0] ?? ''),
  );
}
