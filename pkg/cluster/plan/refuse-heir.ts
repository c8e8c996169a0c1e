/**
 * Who takes over may have fewer keys than its primary although it has heard all (evidence/lacking-keys), or may be told to keep less: then it
 * evicts keys as soon as it leads (law L4).
 */
import type { Candidate } from '../evidence/candidates.ts';
import { copyAnew } from '../evidence/copy-anew.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { lossOfLimitOfHeir } from '../evidence/eviction.ts';
import { incompletePrimaries, type IncompletePrimary } from '../evidence/lacking-keys.ts';
import { failoverCommand } from '../model/failover-command.ts';
import { nameOfNode } from '../model/list-names.ts';
import { isAgreed, keysInWords } from '../model/loss.ts';
import type { Plan } from '../model/plan.ts';
import type { SlotRanges } from '../model/slots.ts';
import type { ClusterNode, ClusterState } from '../model/state.ts';
import { refuse } from './form-members.ts';

type Refused = Extract<Plan, { kind: 'refused' }>;

interface HandOver {
  readonly primary: ClusterNode;
  readonly heir: ClusterNode;
}

/** For hand-overs that nobody asked for by name: they cost nothing but what was agreed to. */
export function refuseHeir(
  handOver: HandOver,
  evidence: Pick<Evidence, 'nameOf' | 'successionOf'>,
  state: ClusterState,
  agreedLoss: SlotRanges = [],
): Plan | null {
  return refuseIncompleteHeir(handOver, evidence, state) ?? refuseEvictingHeir(handOver, evidence, state, agreedLoss);
}

/**
 * A primary that was emptied and leads: whatever restarts, moves or removes what it leads, and its replicas, ends the only copies of its keys.
 */
export function refuseIncompletePrimary(state: ClusterState): Refused | null {
  const [first] = incompletePrimaries(state);
  return first === undefined ? null : leadsIncomplete(first, state);
}

function leadsIncomplete({ primary, holder, lacks }: IncompletePrimary, { cluster }: ClusterState): Refused {
  const [lead, has] = [nameOfNode(primary), nameOfNode(holder)];
  return {
    kind: 'refused',
    code: 'primary-incomplete',
    sentence: `${lead} leads with ${keysInWords(primary.keys)}, and ${has}, which follows it, has ${keysInWords(lacks)} more: they would be gone when it copies ${lead} anew`,
    hint: `${failoverCommand(cluster, holder)} lets it lead; then run the same command again`,
  };
}

/** Of all replicas: the one that goes may be the only one that has all keys of its shard. */
export function refuseIncompleteReplicas(
  state: ClusterState,
  evidence: Pick<Evidence, 'nameOf' | 'successionOf'>,
): Refused | null {
  for (const primary of state.nodes.filter(({ role }) => role === 'primary')) {
    const lacking = evidence.successionOf(primary).candidates.find(({ lacksKeys }) => lacksKeys > 0);
    const refused =
      lacking === undefined ? null : refuseIncompleteHeir({ primary, heir: lacking.node }, evidence, state);
    if (refused !== null) return refused;
  }
  return null;
}

/** Its primary would hand over keys that nobody has then. It is no loss to agree to: a replica that copies anew has them all. */
export function refuseIncompleteHeir(
  { primary, heir }: HandOver,
  { nameOf, successionOf }: Pick<Evidence, 'nameOf' | 'successionOf'>,
  state: ClusterState,
): Refused | null {
  const emptied = incompletePrimaries(state).find((one) => one.primary === primary);
  if (emptied !== undefined) return emptied.holder === heir ? null : leadsIncomplete(emptied, state);
  const candidate = successionOf(primary).candidates.find(({ node }) => node === heir);
  if (candidate === undefined || !isIncomplete(candidate)) return null;
  const [name, old] = [nameOf(heir), nameOf(primary)];
  return {
    kind: 'refused',
    code: 'replica-incomplete',
    sentence: `${name} has ${keysInWords(candidate.keys)}, and ${old}, which it follows, ${keysInWords(primary.keys)}: it would lead without the rest`,
    hint: `${copyAnew(state, name)}; then run the same command again`,
  };
}

/** What is only on its way will be there. */
function isIncomplete({ standing, member }: Candidate): boolean {
  const info = member?.answer.info;
  return standing === 'incomplete' || (standing === 'unsynced' && info?.primaryLinkUp === true && !info.syncInProgress);
}

function refuseEvictingHeir(
  { primary, heir }: HandOver,
  { nameOf }: Pick<Evidence, 'nameOf'>,
  { cluster }: ClusterState,
  agreedLoss: SlotRanges,
): Plan | null {
  const loss = lossOfLimitOfHeir(primary, heir, nameOf);
  if (loss === null || isAgreed(loss, agreedLoss)) return null;
  return refuse(
    'heir-evicts',
    `${nameOf(heir)} would take over from ${nameOf(primary)}, and that would lose ${loss.sentence}`,
    `Give it the limit that its primary has: kubectl redis fix ${cluster.name} configures nodes alike; then run the same command again`,
  );
}
