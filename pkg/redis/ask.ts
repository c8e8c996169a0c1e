/** What we ask a node and what its replies say: one round trip, and a second one only to count keys per slot. */
import type { AskOptions, RedisCommand } from '../engine/ports.ts';
import { parseLibraries } from '../cluster/model/libraries.ts';
import { keysOfAll, otherDatabases } from '../cluster/wire/keyspace.ts';
import type { GossipNode, NodeAnswer } from '../cluster/model/observation.ts';
import type { AppError } from '../errors.ts';
import type { RedisConnection } from './connection.ts';
import { inSeconds, orNothing, type Stage } from './converse.ts';
import { parseClusterInfo } from './parse/cluster-info.ts';
import type { ClusterNodesParser } from './parse/cluster-nodes.ts';
import { fieldOf } from './parse/fields.ts';
import { parseInfo } from './parse/info.ts';
import { digestsOf } from './parse/library-digests.ts';
import { parseLastHeard } from './parse/last-heard.ts';
import { integerOf } from './parse/replies.ts';
import { classifyReply, Denied, deniedTo, unreachable } from './why.ts';

/** One CONFIG GET a name: several names in one command came with 7.0. */
const CONFIG_NAMES: readonly string[] = [
  'cluster-node-timeout',
  'maxmemory',
  'maxmemory-policy',
  'appendonly',
  'save',
  'shutdown-on-sigterm',
  'dir',
  'cluster-announce-ip',
  'cluster-announce-hostname',
  'cluster-allow-replica-migration',
  'cluster-require-full-coverage',
  'cluster-allow-reads-when-down',
  'appendfsync',
  'min-replicas-to-write',
  'repl-timeout',
  'replica-read-only',
  'replica-ignore-maxmemory',
  'stop-writes-on-bgsave-error',
  'tls-cluster',
  'tls-replication',
  'proc-title-template',
];

const QUESTIONS: readonly RedisCommand[] = [
  ['CLUSTER', 'MYID'],
  ['CLUSTER', 'NODES'],
  ['CLUSTER', 'INFO'],
  ['INFO'],
  ['TIME'],
];
/** What a user needs to be asked anything at all, as ACL rules name it. */
const RIGHTS: readonly string[] = ['cluster|myid', 'cluster|nodes', 'cluster|info', 'info'];
const CONFIG_QUESTIONS: readonly RedisCommand[] = CONFIG_NAMES.map((name) => ['CONFIG', 'GET', name]);
const LIST_LIBRARIES: RedisCommand = ['FUNCTION', 'LIST', 'WITHCODE'];
/** Bounds how much is queued in one piece: a primary may own all 16384 slots. */
const SLOTS_PER_CHUNK = 2048;

/**
 * Asks everything. The first reply has the caller's deadline; a node that was heard may take as long again to count its keys, and is not
 * taken for silent when it needs longer: then they are not counted.
 *
 * @throws AppError whose code says why there is no answer: `auth`, `loading`, `not-cluster`, `error`, `bad-reply`.
 */
export async function askNode(
  connection: RedisConnection,
  options: AskOptions,
  parseNodes: ClusterNodesParser,
  stage: Pick<Stage, 'heard' | 'lease'>,
): Promise<NodeAnswer> {
  const questions = options.withConfig === true ? [...QUESTIONS, LIST_LIBRARIES, ...CONFIG_QUESTIONS] : QUESTIONS;
  // AUTH goes ahead in the same round trip.
  const [, replies] = await Promise.all([connection.authenticate(), connection.exec(questions)]);
  stage.heard();
  const [myId, nodes, clusterInfo, info, time, functions, ...config] = replies;
  const needed = [myId, nodes, clusterInfo, info];
  refuseDenied(needed, connection.user);
  for (const reply of needed) {
    if (reply instanceof Error) throw whyNot(reply, info);
  }
  const server = parseInfo(String(info));
  // Valkey answers while it loads, with the keys that it has so far; Redis refuses. The same for both.
  if (server.loading) throw unreachable('loading', loadingSentence(String(info)));
  const view = parseNodes(String(nodes));
  const lastHeardMs = parseLastHeard(String(nodes), view, time);
  const libraries = parseLibraries(functions);
  const counted =
    options.countKeys === true
      ? await countInTime(
          connection,
          { view, myId: String(myId), databases: otherDatabases(String(info)) },
          options,
          stage,
        )
      : null;
  return {
    myId: String(myId),
    view,
    clusterInfo: parseClusterInfo(String(clusterInfo)),
    info: isCount(counted) ? { ...server, keys: settleKeys(server.keys, counted) } : server,
    config: options.withConfig === true ? readConfig(config) : null,
    keysInOwnSlots: isCount(counted) ? counted.inSlots : null,
    ...(typeof counted === 'string' ? { notCounted: counted } : {}),
    ...(lastHeardMs === null ? {} : { lastHeardMs }),
    ...(connection.open ? { open: true } : {}),
    ...(libraries === null ? {} : { libraries: digestsOf(libraries) }),
  };
}

/** All that the user lacks at once: who grants one command at a time would be told of the next one each time. */
function refuseDenied(replies: readonly unknown[], user: string): void {
  const said = replies.map((reply) =>
    reply instanceof Error && classifyReply(reply.message) === 'permission' ? reply.message : null,
  );
  const first = said.find((message) => message !== null);
  if (first === undefined) return;
  throw new Denied(
    deniedTo(first, user),
    RIGHTS.filter((_, at) => said[at] !== null),
  );
}

function whyNot(reply: Error, info: unknown): AppError {
  const why = classifyReply(reply.message);
  return unreachable(why, why === 'loading' && typeof info === 'string' ? loadingSentence(info) : reply.message);
}

/** INFO is answered while loading, so it can say how far that is. */
function loadingSentence(info: string): string {
  const percent = fieldOf(info, 'loading_loaded_perc');
  const secondsLeft = fieldOf(info, 'loading_eta_seconds');
  return percent === null
    ? 'It is loading its data'
    : `It is loading its data: ${percent} % done, about ${secondsLeft ?? '?'} s left`;
}

/** null when none of the names may be asked. Names that a version does not know are left out. */
function readConfig(replies: readonly unknown[]): Readonly<Record<string, string>> | null {
  const answered = replies.filter(Array.isArray);
  if (answered.length === 0) return null;
  const config: Record<string, string> = {};
  for (const [name, value] of answered) {
    if (typeof name === 'string' && typeof value === 'string') config[name] = value;
  }
  return config;
}

interface CountedKeys {
  readonly inSlots: number;
  /** What it holds, once more, behind the counts. */
  readonly after: number;
}

/**
 * Clients write, delete and let keys expire while we count slot by slot: whatever lies between the sizes before and after is no
 * contradiction. What is left is the number of keys that no slot of the node accounts for (law L5), and only that.
 */
function settleKeys(before: number, { inSlots, after }: CountedKeys): number {
  return Math.max(inSlots, Math.min(before, after));
}

function isCount(counted: CountedKeys | string | null): counted is CountedKeys {
  return counted !== null && typeof counted !== 'string';
}

/** Counts, or why not. */
async function countInTime(
  connection: RedisConnection,
  asked: Counting,
  { deadlineMs }: AskOptions,
  stage: Pick<Stage, 'lease'>,
): Promise<CountedKeys | string | null> {
  const counting = countKeys(connection, asked).then((counted) => ({ counted }));
  const done = await orNothing(deadlineMs, counting);
  if (done !== null) return done.counted;
  // Nobody shall queue behind these replies.
  stage.lease?.drop();
  counting.catch(() => undefined);
  return `no answer in ${inSeconds(deadlineMs)}`;
}

interface Counting {
  readonly view: readonly GossipNode[];
  readonly myId: string;
  /** Those besides 0 that hold keys. */
  readonly databases: readonly number[];
}

/** Law L5: how many keys it must hold. null for a replica; the server's words where the user may not count. */
async function countKeys(
  connection: RedisConnection,
  { view, myId, databases }: Counting,
): Promise<CountedKeys | string | null> {
  const self = view.find((node) => node.nodeId === myId);
  if (self?.role !== 'primary') return null;
  const slots = new Set(self.importing.map(({ slot }) => slot));
  for (const { start, end } of self.slots) for (let slot = start; slot <= end; slot++) slots.add(slot);
  const commands = [...slots].map((slot): RedisCommand => ['CLUSTER', 'COUNTKEYSINSLOT', slot]);
  const chunks: Promise<unknown[]>[] = [];
  for (let i = 0; i < commands.length; i += SLOTS_PER_CHUNK) {
    const some = commands.slice(i, i + SLOTS_PER_CHUNK);
    chunks.push(connection.exec(some));
    for (const database of databases)
      chunks.push(
        connection
          .exec([['SELECT', database], ...some, ['SELECT', 0]])
          .then(([ok, ...counts]) => (ok instanceof Error ? [ok] : counts.slice(0, -1))),
      );
  }
  let keys = 0;
  for (const count of (await Promise.all(chunks)).flat()) {
    // Not allowed to count (ACL): the rest of the answer is worth having.
    if (count instanceof Error) return count.message;
    keys += integerOf(count);
  }
  const [after] = await connection.exec([['INFO', 'keyspace']]);
  return after instanceof Error ? after.message : { inSlots: keys, after: keysOfAll(String(after)) };
}
