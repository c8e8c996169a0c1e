/**
 * A key that two nodes have (law L6): the owner's copy counts, because it took the writes since. The other one, if it differs, is
 * saved before it goes; without a place to save it, it stays, and the move stops.
 */
import { createHash } from 'node:crypto';
import { AppError } from '../../errors.ts';
import { isWireList } from '../wire.ts';
import type { WireCommand, WireList } from '../wire.ts';
import { aloneFromBytes, aloneMs } from './big-key.ts';
import { COMMAND_DEADLINE_MS } from './context.ts';
import type { MoveContext } from './context.ts';
import { mustAll } from './node-line.ts';
import type { NodeLine } from './node-line.ts';

/** The slowest way on which a copy of a big key is worth fetching: 1 MB a second. */
const FETCHED_BYTES_PER_MS = 1_000;
/** Packed three times, and more than it weighs. */
const PACKED_MARGIN = 9;
const WEIGHED_AT_ONCE = 100;
/** Clients write to one of the copies while they are compared. */
const MOST_TRIES = 5;
/** MIGRATE takes the rest of the time along, which counts anew from when the target gets to it. */
const SAME_EXPIRY_MS = 15_000;

/** The copy that is given up: RESTORE takes `dump` as it is. */
export interface KeyConflict {
  readonly slot: number;
  readonly key: Buffer;
  readonly dump: Buffer;
  /** Milliseconds to live; null = for ever. */
  readonly timeToLiveMs: number | null;
  readonly pod: string;
}

export interface Copies extends Pick<MoveContext, 'saveConflict' | 'patience' | 'others' | 'limits'> {
  /** Of the slot. */
  readonly owner: NodeLine;
  /** It imports the slot. */
  readonly other: NodeLine;
}

/** @param owns the end that owns the slots: of a move the source, of stray keys the node that gets them */
export function copiesOf(context: MoveContext, owns: 'source' | 'target'): Copies {
  const { source, target, saveConflict, patience, others, limits } = context;
  const [owner, other] = owns === 'source' ? [source, target] : [target, source];
  return { owner, other, patience, others, limits, ...(saveConflict === undefined ? {} : { saveConflict }) };
}

/**
 * All that the other end has of a slot, before its owner sends clients there: until then an interrupted run leaves a slot that the
 * next one takes for what it is.
 *
 * @param count keys of the slot at the other end
 * @throws AppError as settleKeys
 */
export async function settleSlot(copies: Copies, slot: number, count: number): Promise<void> {
  await settleKeys(copies, slot, await listKeys(copies.other, slot, count));
}

/** Up to `count` keys that the node holds of the slot. @throws AppError when it refuses to tell */
export async function listKeys(line: NodeLine, slot: number, count: number): Promise<WireList> {
  const listed = await line.send([['CLUSTER', 'GETKEYSINSLOT', slot, count]], COMMAND_DEADLINE_MS);
  mustAll(line, listed, 'a question for its keys');
  return isWireList(listed[0]) ? listed[0] : [];
}

/**
 * What only one of them has is no conflict, and stays.
 *
 * @throws AppError `key-conflict` when copies differ and nothing saves the one that would be lost
 */
export async function settleKeys(copies: Copies, slot: number, keys: WireList): Promise<void> {
  for (let at = 0; at < keys.length; at += WEIGHED_AT_ONCE)
    await settlePart(copies, slot, keys.slice(at, at + WEIGHED_AT_ONCE));
}

async function settlePart(copies: Copies, slot: number, keys: WireList): Promise<void> {
  const { owner, other, patience, others, limits } = copies;
  const question = (key: Buffer): WireCommand => ['MEMORY', 'USAGE', key, 'SAMPLES', 0];
  const [here, there] = await Promise.all([
    owner.send(keys.map(question), COMMAND_DEADLINE_MS),
    other.send(
      keys.flatMap((key): WireCommand[] => [['ASKING'], question(key)]),
      COMMAND_DEADLINE_MS,
    ),
  ]);
  for (const [i, key] of keys.entries()) {
    const sizes = [here[i], there[2 * i + 1]];
    // Who may not be asked for its size may have it all the same.
    if (sizes.some((size) => size === null || isAsk(size))) continue;
    const bytes = Math.max(...sizes.map((size) => (typeof size === 'number' ? size : 0)));
    const work = (): Promise<void> => settle(copies, slot, key, bytes);
    // While a node packs it, it answers nobody.
    if (bytes <= aloneFromBytes(limits.maxPauseMs)) await work();
    else await patience.hold([owner, other, ...others], aloneMs(bytes) * PACKED_MARGIN, work);
  }
}

/** Deletes the key only if it is what was compared: a client that was sent on from the owner may have written it since. */
const DELETE_IF_SAME = `if redis.sha1hex(redis.call('DUMP', KEYS[1]) or '') == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

async function settle(copies: Copies, slot: number, key: Buffer, bytes: number): Promise<void> {
  const { owner, other, saveConflict } = copies;
  const deadlineMs = COMMAND_DEADLINE_MS + bytes / FETCHED_BYTES_PER_MS;
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const [here, there] = await Promise.all([
      owner.send(
        [
          ['DUMP', key],
          ['PTTL', key],
        ],
        deadlineMs,
      ),
      other.send([['ASKING'], ['DUMP', key], ['ASKING'], ['PTTL', key]], deadlineMs),
    ]);
    // Only nil says that there is no copy, or ASK of a server that is giving the slot away: one that is busy, or refuses DUMP, does not.
    mustAll(
      owner,
      here.filter((reply) => !isAsk(reply)),
      'a question for a key',
    );
    mustAll(other, there, 'a question for a key');
    const [[ours, ourExpiry], [, theirs, , expiry]] = [here, there];
    if (!Buffer.isBuffer(ours) || !Buffer.isBuffer(theirs)) return;
    if (!isSameDump(ours, theirs) || !isSameExpiry(ourExpiry, expiry)) {
      if (saveConflict === undefined) throw conflict(copies, slot, key);
      // RESTORE takes 0 for ever.
      const timeToLiveMs = typeof expiry === 'number' && expiry >= 0 ? Math.max(1, expiry) : null;
      await saveConflict({ slot, key, dump: theirs, timeToLiveMs, pod: other.end.pod.name });
    }
    const compared = createHash('sha1').update(theirs).digest('hex');
    const deleted = await other.send([['ASKING'], ['EVAL', DELETE_IF_SAME, 1, key, compared]], deadlineMs);
    mustAll(other, deleted, 'the end of a copy');
    if (deleted[1] === 1) return;
  }
  throw new AppError(`Key ${JSON.stringify(key.toString())} of slot ${slot} is on two nodes and changes all the time`, {
    code: 'key-conflict',
    hint: 'Nothing was overwritten. Run the same command again when it is written less often',
  });
}

/** Two bytes say which version wrote it, eight are a sum of all before (https://redis.io/docs/latest/commands/dump/). */
const DUMP_FOOTER = 10;

/**
 * Whether two payloads of DUMP hold the same. Servers of two versions write another footer under the same value. (They may also write equal
 * values in another way, and two servers of one version an equal set in another order: then nobody can say here that it is the same.)
 */
export function isSameDump(one: Buffer, other: Buffer): boolean {
  if (one.length <= DUMP_FOOTER || one.length !== other.length) return one.equals(other);
  return one.subarray(0, -DUMP_FOOTER).equals(other.subarray(0, -DUMP_FOOTER));
}

/** Milliseconds; negative = none. */
function isSameExpiry(one: unknown, other: unknown): boolean {
  const [first, second] = [Number(one), Number(other)];
  return first < 0 || second < 0 ? first < 0 && second < 0 : Math.abs(first - second) <= SAME_EXPIRY_MS;
}

/** `ASK 1000 10.0.0.1:6379`: it has no such key (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/). */
function isAsk(reply: unknown): boolean {
  return reply instanceof Error && reply.message.startsWith('ASK ');
}

function conflict({ owner, other }: Copies, slot: number, key: Buffer): AppError {
  const [here, there] = [owner.end.pod.name, other.end.pod.name];
  return new AppError(
    `Key ${JSON.stringify(key.toString())} of slot ${slot} is on ${here} and on ${there}, and the two copies are not the same`,
    {
      code: 'key-conflict',
      hint: `Nothing was overwritten. ${here} owns the slot, and so has the copy that counts`,
    },
  );
}
