/**
 * Whether the keys of a node outlive its process, and which shards would lose theirs when it stops. What counts is what the next start reads,
 * and whether what the server writes until then is just that: directives that were set on running servers may be others than are recorded.
 */
import { formatRanges } from '../model/slots.ts';
import { keysInWords, type Loss } from '../model/loss.ts';
import type { NodeAnswer, PodFacts } from '../model/observation.ts';
import type { ClusterNode, Shard } from '../model/state.ts';
import type { Candidate } from './candidates.ts';
import type { Evidence } from './evidence.ts';
import { hasLostVolume } from './life.ts';

export type Kept = 'yes' | 'no' | 'unknown';

export interface Keeping {
  readonly kept: Kept;
  /** Why, as the end of a sentence in brackets. */
  readonly by: string;
}

type Directives = Readonly<Record<string, string>>;

/** What servers are told before they stop and when they start again, as redis.conf spells it. */
export interface NextStart {
  /** What is recorded by then; null = not known, and taken to be what they run with. */
  readonly config: Directives | null;
  /** Set on running servers before any of them stops. */
  readonly live: Directives;
}

const YES = (by: string): Keeping => ({ kept: 'yes', by });
const NO = (by: string): Keeping => ({ kept: 'no', by });
const UNKNOWN = (by: string): Keeping => ({ kept: 'unknown', by });
/** Nothing of the cluster runs there: what is on its volume stays as it is, whatever is stopped. */
const NOT_RUNNING: ReadonlySet<string> = new Set(['not-running', 'guard-waiting']);

/** Whether what a pod keeps on its volume is gone when the pod is. */
export function goesWithPod({ ephemeralData, goingClaim }: PodFacts): boolean {
  return ephemeralData || goingClaim !== undefined;
}

/**
 * A server with an append-only file writes each key to it, and reads nothing else at its start. One without writes a snapshot when it is asked
 * to stop, where it has save points and is not told otherwise (SHUTDOWN, https://redis.io/docs/latest/commands/shutdown/), and reads that. A
 * volume of the pod's own goes with the pod, and so does a claim that somebody has deleted.
 */
export function keepingOf(node: ClusterNode, next: NextStart): Keeping {
  if (node.pod?.ephemeralData === true) return NO('its data is on a volume that goes with the pod');
  if (node.pod?.goingClaim !== undefined)
    return NO(`its claim ${node.pod.goingClaim} is being deleted and goes with the pod`);
  if (node.reply?.kind !== 'answered') {
    const why = node.unreachable?.why ?? 'not-running';
    if (node.pod?.terminating === true) return YES('it is being stopped already');
    return NOT_RUNNING.has(why) ? YES('it does not run') : UNKNOWN("it can't be asked what it writes");
  }
  const { answer } = node.reply;
  const now = 'appendonly' in next.live ? next.live['appendonly'] !== 'no' : answer.info.aofEnabled;
  // What `create` renders unless people say otherwise.
  const then = readsLog(next) ?? now;
  return then ? keepsByLog(answer, now) : keepsBySnapshot(answer, now, next);
}

/** Whether the next start reads an append-only file, as recorded; null = not known. */
export function readsLog({ config }: Pick<NextStart, 'config'>): boolean | null {
  return config === null ? null : (config['appendonly'] ?? 'yes') !== 'no';
}

function keepsByLog({ info }: NodeAnswer, now: boolean): Keeping {
  if (!now) return NO('it runs with appendonly no, and its next start reads only an append-only file, as recorded');
  if (info.firstLogPending === true) return NO('its first append-only file is not written yet: wait until it is');
  if (info.writes?.aofWriteOk === false) return UNKNOWN('its append-only file could not be written last');
  return YES('appendonly yes');
}

function keepsBySnapshot({ config, info }: NodeAnswer, log: boolean, { live }: NextStart): Keeping {
  const set = { ...config, ...live };
  const appendOnly = log ? 'its next start reads only a snapshot, as recorded' : 'appendonly no';
  if (set['shutdown-on-sigterm']?.includes('nosave') === true) return NO(`${appendOnly}, shutdown-on-sigterm nosave`);
  // What failed once may fail again, and then the server does not end before it is killed.
  if (info.writes?.snapshotOk === false) return UNKNOWN(`${appendOnly}, and its last snapshot failed`);
  const save = set['save'];
  if (save === undefined) return UNKNOWN(`${appendOnly}, and its save points are not known`);
  return /^("")?$/.test(save.trim()) ? NO(`${appendOnly}, save ""`) : YES(`${appendOnly}, save ${save}`);
}

/**
 * What is gone when all nodes of the shard have stopped; null = nothing that is known of. What a replica keeps on disk does not help: it
 * copies its primary when both are back, and that one starts empty. Only where the whole volume is gone the guard lets a replica lead.
 */
export function lossOfStopping(
  { name, slots, primary }: Shard,
  { nameOf, successionOf }: Pick<Evidence, 'nameOf' | 'successionOf'>,
  next: NextStart,
): Loss | null {
  if (slots.length === 0 || primary === null || primary.pod === null || primary.keys === 0) return null;
  const keeping = keepingOf(primary, next);
  if (keeping.kept === 'yes') return null;
  const keeps = ({ standing, node }: Candidate): boolean =>
    standing === 'in-step' && keepingOf(node, next).kept === 'yes';
  if (primary.pod.goingClaim !== undefined && successionOf(primary).candidates.some(keeps)) return null;
  const verb = keeping.kept === 'no' ? 'keeps none on disk' : 'may keep none on disk';
  return {
    slots,
    keys: primary.keys,
    seconds: null,
    sentence: `${keysInWords(primary.keys)} of shard ${name}, slots ${formatRanges(slots)}: ${nameOf(primary)} ${verb} (${keeping.by})`,
  };
}

/**
 * What the volume of a primary that does not answer has for the next start: all that it told anybody, by its log; a snapshot of some
 * moment, with which it leads again; no data, so that its guard lets a replica lead; or a log, as recorded, on a volume that nobody has
 * seen in use.
 */
type Left = 'all' | 'snapshot' | 'none' | 'unseen';

/**
 * What is gone when the replicas of a primary that does not answer have stopped: who runs may have more in memory than that one has on
 * its volume, and copies it when both are back. null = nothing that is known of.
 * @param isStopping its stop was ordered before: it is no loss of this one
 */
export function lossOfFollowers(
  { name, slots, primary }: Shard,
  evidence: Pick<Evidence, 'nameOf' | 'lifeOf' | 'successionOf'>,
  next: NextStart,
  isStopping: (node: ClusterNode) => boolean,
): Loss | null {
  if (slots.length === 0 || primary === null || primary.reply?.kind === 'answered' || isStopping(primary)) return null;
  const { nameOf, lifeOf, successionOf } = evidence;
  const holders = successionOf(primary).candidates.filter(
    ({ node, standing, keys }) =>
      node.pod !== null && standing !== 'unsynced' && keys !== 0 && lifeOf(node).kind !== 'dead' && !isStopping(node),
  );
  const left = leftOn(primary, holders, evidence, next);
  const why = whyLost(holders, left, next, nameOf, nameOf(primary));
  if (why === null) return null;
  const sentence = `${keysInWords(null)} of shard ${name}, slots ${formatRanges(slots)}: ${why}`;
  return { slots, keys: null, seconds: null, sentence };
}

function leftOn(
  primary: ClusterNode,
  holders: readonly Candidate[],
  { lifeOf }: Pick<Evidence, 'lifeOf'>,
  next: NextStart,
): Left {
  const { pod, unreachable } = primary;
  const life = lifeOf(primary);
  if (life.kind === 'dead' && life.returns !== 'whole') return 'none';
  const waits = unreachable?.why === 'guard-waiting';
  if ((pod !== null && goesWithPod(pod)) || hasLostVolume(primary)) return 'none';
  // Replicas run as their primary did, as a rule: where one writes no log, what is recorded is no proof that the primary did.
  const noLog = holders.some(({ member }) => member?.answer.info.aofEnabled === false);
  const log = readsLog(next) ?? holders.every(({ member }) => member?.answer.info.aofEnabled === true);
  if (!log || noLog) return 'snapshot';
  const started = pod !== null && (pod.phase !== 'Pending' || pod.container.restarts > 0);
  return started && !waits ? 'all' : 'unseen';
}

/** The end of a sentence; null = nothing is lost. */
function whyLost(
  holders: readonly Candidate[],
  left: Left,
  next: NextStart,
  nameOf: Evidence['nameOf'],
  primary: string,
): string | null {
  const [best] = holders;
  if (best === undefined || left === 'all') return null;
  if (left === 'snapshot') {
    const more = `${nameOf(best.node)} may have more than the volume of ${primary}`;
    return `${more}, which keeps no append-only file as far as is known, and would copy it at the next start`;
  }
  const judged = holders.map((holder) => ({ holder, ...keepingOf(holder.node, next) }));
  const keepers = judged.filter(({ kept }) => kept === 'yes').map(({ holder }) => holder);
  // A log that is recorded is doubted only for a replica that is known to keep nothing.
  const lost = judged.find(
    ({ holder, kept }) =>
      (kept === 'no' || (kept === 'unknown' && left === 'none')) && !keepers.some((keeper) => hasAll(keeper, holder)),
  );
  if (lost === undefined) return null;
  const verb = lost.kept === 'no' ? 'keeps none on disk' : 'may keep none on disk';
  const have = left === 'none' ? 'has' : 'may have';
  return `${nameOf(lost.holder.node)} ${verb} (${lost.by}), and the volume of ${primary} ${have} none`;
}

/** Whether nothing of the other is known, or can be, that this one has not. */
function hasAll(one: Candidate, other: Candidate): boolean {
  return one.standing === 'in-step' && (one.offset ?? -1) >= (other.offset ?? -1);
}
