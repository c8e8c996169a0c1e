/**
 * Replicas that could lead in a primary's place, the best first: what each has of the primary's data, by its own word and by when the
 * others last heard the primary.
 *
 * A replica whose link was up until the primary was last heard has all that the primary told anybody. One that lost its link before that
 * lacks what was written since; how long that was is the difference of two ages, each by the clock of the node that tells it. One that
 * was started since, or that can't be asked, tells nothing.
 */
import { compareNatural } from '../natural-order.ts';
import { keysLacking } from './lacking-keys.ts';
import type { ServerInfo } from '../model/observation.ts';
import type { ClusterNode } from '../model/state.ts';
import type { Member } from './members.ts';

/**
 * From best to worst. `incomplete`: it has heard as much as another node, and has fewer keys: somebody wrote to it, or it evicted keys by itself.
 * `unsynced`: it never had the primary's data, or has no key of it.
 */
export const STANDINGS = ['in-step', 'behind', 'incomplete', 'unknown', 'unsynced'] as const;
export type Standing = (typeof STANDINGS)[number];

export interface Candidate {
  readonly node: ClusterNode;
  /** null: it can't be asked. */
  readonly member: Member | null;
  readonly standing: Standing;
  /** Seconds of writes that it lacks, at most as far as is known; null = nobody can tell. 0 where it is in step. */
  readonly lacksSeconds: number | null;
  /** Bytes that it lacks; null = nobody can tell. */
  readonly lacksBytes: number | null;
  /** Keys that it lacks without being behind; 0 = none is known of. */
  readonly lacksKeys: number;
  /** Position in the primary's history; null where it says nothing, as after a restart. */
  readonly offset: number | null;
  /** Keys of the primary's slots; null = not known. */
  readonly keys: number | null;
}

/** Above this, a failover would lose a noticeable amount of writes; below, it may be that nodes were asked at different moments. */
export const LAG_LIMIT_BYTES = 10 * 1024 * 1024;
/** Ages are whole seconds in INFO. */
const SAME_MOMENT_SECONDS = 1;

export interface CandidateFacts {
  readonly nodes: readonly ClusterNode[];
  readonly members: readonly Member[];
  /** Keys that replicas count in the slots of their primary, by node id; of one that is not there, what DBSIZE says is taken. */
  readonly replicaKeys: ReadonlyMap<string, number>;
}

export function candidatesFor(primary: ClusterNode, facts: CandidateFacts): Candidate[] {
  const byNode = new Map(facts.members.map((member) => [member.node, member]));
  return facts.nodes
    .filter((node) => node.role === 'replica' && node.primaryId !== null && node.primaryId === primary.nodeId)
    .map((node) => candidateOf(node, byNode.get(node) ?? null, primary, facts))
    .toSorted(byRank);
}

function candidateOf(node: ClusterNode, member: Member | null, primary: ClusterNode, facts: CandidateFacts): Candidate {
  if (member === null)
    return {
      node,
      member,
      standing: 'unknown',
      lacksSeconds: null,
      lacksBytes: null,
      lacksKeys: 0,
      offset: null,
      keys: null,
    };
  const { info } = member.answer;
  const keys = facts.replicaKeys.get(member.nodeId) ?? info.keys;
  const lacksSeconds = lackOf(info, primary, member, facts);
  const lacksKeys = keysLacking(info, holdersFor(primary, facts));
  return {
    node,
    member,
    standing: standingOf({ lacksSeconds, lacksKeys, keys }, member, primary, facts),
    lacksSeconds,
    lacksBytes: node.lagBytes,
    lacksKeys,
    // A server that was started with its data begins to count anew.
    offset: hasHistory(info) ? info.replicationOffset : null,
    keys,
  };
}

/** Its link is up, or was since it started: only then does its offset mean anything. */
function hasHistory(info: ServerInfo): boolean {
  return (info.primaryLinkUp === true && !info.syncInProgress) || info.primaryLinkDownSeconds !== null;
}

function lackOf(info: ServerInfo, primary: ClusterNode, member: Member, facts: CandidateFacts): number | null {
  if (info.syncInProgress) return null;
  if (info.primaryLinkUp === true) return 0;
  const lostSeconds = info.primaryLinkDownSeconds;
  if (lostSeconds === null) return null;
  if (primary.reply?.kind === 'answered') return lostSeconds;
  const heardMs = lastHeardMs(primary, facts);
  if (heardMs === null) return null;
  const seconds = Math.max(0, lostSeconds - heardMs / 1000);
  return seconds <= SAME_MOMENT_SECONDS ? 0 : Math.ceil(seconds);
}

/** How long ago anybody heard it; null = nobody says. Who still has a link to it has just heard it. */
function lastHeardMs(primary: ClusterNode, { members }: CandidateFacts): number | null {
  const ages = members.flatMap(({ answer, nodeId }): number[] => {
    const line = answer.view.find((one) => one.nodeId === primary.nodeId);
    if (line === undefined || nodeId === primary.nodeId || answer.lastHeardMs === undefined) return [];
    const heard = answer.lastHeardMs[line.nodeId];
    if (heard !== undefined) return [heard];
    return line.linkUp ? [0] : [];
  });
  return ages.length === 0 ? null : Math.min(...ages);
}

/** The primary and its other replicas, where they answer. */
function holdersFor(primary: ClusterNode, { members }: CandidateFacts): ServerInfo[] {
  return members
    .filter(({ node }) => node === primary || (node.primaryId !== null && node.primaryId === primary.nodeId))
    .map(({ answer }) => answer.info);
}

function standingOf(
  { lacksSeconds, lacksKeys, keys }: { lacksSeconds: number | null; lacksKeys: number; keys: number },
  { answer, node }: Member,
  primary: ClusterNode,
  { members }: CandidateFacts,
): Standing {
  const { info } = answer;
  if (isOfAnother(info, primary, members)) return 'unsynced';
  // Alone without keys in a cluster that has some: it copied a node that came back empty, or never had any.
  const primaryKeys = primary.keys;
  const lonely = keys === 0 && (primaryKeys ?? 1) > 0 && members.some((member) => member.answer.info.keys > 0);
  if (lonely) return 'unsynced';
  if (lacksKeys > 0) return 'incomplete';
  if (lacksSeconds === null) return 'unknown';
  if (lacksSeconds > 0) return 'behind';
  return (node.lagBytes ?? 0) <= LAG_LIMIT_BYTES ? 'in-step' : 'behind';
}

/** Its data is of the history of another node that leads: it was told to follow this one, and has copied nothing yet. */
function isOfAnother(
  { replicationId, primaryLinkUp }: ServerInfo,
  primary: ClusterNode,
  members: readonly Member[],
): boolean {
  if (replicationId === undefined || primaryLinkUp === true) return false;
  return members.some(
    ({ node, answer }) =>
      node !== primary && answer.info.role === 'primary' && answer.info.replicationId === replicationId,
  );
}

/** Who can be asked, then by standing, by what is lacking, by offset and by keys; then the lowest name, so that a plan made twice is one. */
function byRank(a: Candidate, b: Candidate): number {
  return (
    Number(a.member === null) - Number(b.member === null) ||
    STANDINGS.indexOf(a.standing) - STANDINGS.indexOf(b.standing) ||
    (a.lacksSeconds ?? 0) - (b.lacksSeconds ?? 0) ||
    (b.offset ?? -1) - (a.offset ?? -1) ||
    (b.keys ?? -1) - (a.keys ?? -1) ||
    compareNatural(a.node.pod?.name ?? '', b.node.pod?.name ?? '')
  );
}
