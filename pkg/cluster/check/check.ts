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
import { checkAnnounced } from './announce.ts';
import { checkEmptyPrimaries, checkReplicaCounts, checkShape, checkShardLabels } from './balance.ts';
import { positionOf } from './codes.ts';
import { checkConfig, checkVersions } from './config.ts';
import { checkFunctions } from './functions.ts';
import { makeContext } from './context.ts';
import type { Check } from './context.ts';
import { isForming } from '../evidence/forming.ts';
import { checkImages, checkOutdatedPods, checkUnfinishedRestart } from './images.ts';
import { checkLinks } from './links.ts';
import { checkDuplicateIds, checkGhosts, checkHandshakes, checkJoined, checkSplit } from './membership.ts';
import { checkMemoryLimits } from './memory-limit.ts';
import { checkCounted } from './not-counted.ts';
import { checkOlderData } from './older-data.ts';
import { checkOlderRecord } from './older-record.ts';
import { checkOpenDoors } from './open-doors.ts';
import { checkOperation, whileSlotsMove } from './operation.ts';
import { checkOverwritten } from './overwritten.ts';
import { checkAppendOnly, checkGoingClaims, checkVolumes } from './persistence.ts';
import { checkSharedClaims } from './shared-claim.ts';
import { checkSharedAddresses } from './shared-address.ts';
import { checkPlacement } from './placement.ts';
import { checkMissingPods, checkPodsBeyond, checkReadiness, checkTerminatingPods } from './pods.ts';
import { checkClusterState, checkFreshNodes, checkQuorum } from './quorum.ts';
import { checkReachability, checkSilence } from './reachability.ts';
import { checkFormed, checkObjectsThere, checkState, checkUnusedLines, checkUnusedVolumes } from './record.ts';
import { checkReplication } from './replication.ts';
import { checkNodeLabels, checkServices } from './services.ts';
import { checkContested, checkCoverage, checkOpenSlots, checkStrayKeys } from './slots.ts';
import { checkEpochs, checkViews } from './views.ts';
import { checkWrites } from './writes.ts';

/** What can be said of pods that were never joined, too. */
const OF_PODS: readonly Check[] = [
  checkSilence,
  checkReachability,
  checkPodsBeyond,
  checkNodeLabels,
  checkMissingPods,
  checkUnusedLines,
  checkTerminatingPods,
  checkSharedClaims,
  checkServices,
  checkOperation,
  checkFormed,
  checkState,
  checkObjectsThere,
  checkOlderRecord,
  checkOverwritten,
  checkDuplicateIds,
  checkSharedAddresses,
  checkVolumes,
  checkGoingClaims,
  checkAppendOnly,
  checkConfig,
  checkVersions,
  checkImages,
  checkOutdatedPods,
  checkUnfinishedRestart,
  checkMemoryLimits,
  checkOpenDoors,
];

/** What needs a cluster. The order matters: a check is told only what was found before it. */
const OF_CLUSTERS: readonly Check[] = [
  checkSplit,
  checkFreshNodes,
  checkGhosts,
  checkJoined,
  checkHandshakes,
  checkQuorum,
  checkOpenSlots,
  checkStrayKeys,
  checkCoverage,
  checkUnusedVolumes,
  checkContested,
  checkWrites,
  checkCounted,
  checkOlderData,
];

/** What can be judged only where each pod is one node of one cluster. */
const OF_WHOLE_CLUSTERS: readonly Check[] = [
  checkAddresses,
  checkAnnounced,
  checkLinks,
  checkReplication,
  checkViews,
  checkEpochs,
  checkShardLabels,
  checkReplicaCounts,
  checkShape,
  checkEmptyPrimaries,
  checkPlacement,
  checkFunctions,
  checkClusterState,
];

const IDENTITY_CODES: ReadonlySet<string> = new Set(['duplicate-node-id', 'clusters-split', 'address-shared']);

const RANKS: Readonly<Record<Severity, number>> = { critical: 0, warning: 1, info: 2 };

/**
 * All problems, one for each fault, the critical ones first, then in the order of a full repair. Empty = every invariant holds. Views
 * tell many of one code as one (fold.ts); planners must see each.
 */
export function check(state: ClusterState, observation: Observation): Problem[] {
  const context = makeContext(state, observation);
  const found: Problem[] = [];
  const run = (checks: readonly Check[]): void => {
    for (const one of checks) found.push(...one(context, found));
  };
  run(OF_PODS);
  if (context.answered.length > 0 && !isForming(state)) {
    run(OF_CLUSTERS);
    if (!found.some((problem) => IDENTITY_CODES.has(problem.code))) run(OF_WHOLE_CLUSTERS);
  }
  run([checkReadiness]);
  return whileSlotsMove(state, found).sort(
    (a, b) =>
      RANKS[a.severity] - RANKS[b.severity] ||
      positionOf(a.code) - positionOf(b.code) ||
      compareNatural(a.nodes[0] ?? '', b.nodes[0] ?? ''),
  );
}
