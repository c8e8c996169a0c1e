/**
 * A key that two nodes have (law L6): the owner's copy counts, because it took the writes since. The other one, if it differs, is
 * saved before it goes; without a place to save it, it stays, and the move stops.
 */
import { AppError } from '../../errors.ts';
import { isWireList } from '../wire.ts';
import type { WireCommand, WireList } from '../wire.ts';
import { COMMAND_DEADLINE_MS } from './context.ts';
import type { MoveContext } from './context.ts';
import { mustAll } from './node-line.ts';
import type { NodeLine } from './node-line.ts';

/** The copy that is given up: RESTORE takes `dump` as it is. */
export interface KeyConflict {
  readonly slot: number;
  readonly key: Buffer;
  readonly dump: Buffer;
  /** Milliseconds to live; null = for ever. */
  readonly timeToLiveMs: number | null;
  readonly pod: string;
}

export interface Copies extends Pick<MoveContext, 'saveConflict'> {
  /** Of the slot. */
  readonly owner: NodeLine;
  /** It imports the slot. */
  readonly other: NodeLine;
}

/**
 * All that the other end has of a slot, before its owner sends clients there: until then an interrupted run leaves a slot that the
 * next one takes for what it is.
 *
 * @param count keys of the slot at the other end
 * @throws AppError as settleKeys
 */
export async function settleSlot(copies: Copies, slot: number, count: number): Promise<void> {
  const list: WireCommand = ['CLUSTER', 'GETKEYSINSLOT', slot, count];
  const listed = await copies.other.send([list], COMMAND_DEADLINE_MS);
  mustAll(copies.other, listed, 'a question for its keys');
  const [keys] = listed;
  await settleKeys(copies, slot, isWireList(keys) ? keys : []);
}

/**
 * What only one of them has is no conflict, and stays.
 *
 * @throws AppError `key-conflict` when copies differ and nothing saves the one that would be lost
 */
export async function settleKeys(copies: Copies, slot: number, keys: WireList): Promise<void> {
  for (const key of keys) await settle(copies, slot, key);
}

async function settle(copies: Copies, slot: number, key: Buffer): Promise<void> {
  const { owner, other, saveConflict } = copies;
  const [here, there] = await Promise.all([
    owner.send([['DUMP', key]], COMMAND_DEADLINE_MS),
    other.send([['ASKING'], ['DUMP', key], ['ASKING'], ['PTTL', key]], COMMAND_DEADLINE_MS),
  ]);
  // Only nil says that there is no copy, or ASK of a server that is giving the slot away: one that is busy, or refuses DUMP, does not.
  mustAll(
    owner,
    here.filter((reply) => !isAsk(reply)),
    'a question for a key',
  );
  mustAll(other, there, 'a question for a key');
  const [[ours], [, theirs, , timeToLive]] = [here, there];
  if (!Buffer.isBuffer(ours) || !Buffer.isBuffer(theirs)) return;
  if (!ours.equals(theirs)) {
    if (saveConflict === undefined) throw conflict(copies, slot, key);
    const timeToLiveMs = typeof timeToLive === 'number' && timeToLive >= 0 ? timeToLive : null;
    await saveConflict({ slot, key, dump: theirs, timeToLiveMs, pod: other.end.pod.name });
  }
  mustAll(other, await other.send([['ASKING'], ['DEL', key]], COMMAND_DEADLINE_MS), 'the end of a copy');
}

/** `ASK 1000 10.0.0.1:6379`: it has no such key (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/). */
function isAsk(reply: unknown): boolean {
  return reply instanceof Error && reply.message.startsWith('ASK ');
}

function conflict({ owner, other }: Copies, slot: number, key: Buffer): AppError {
  const [here, there] = [owner.end.pod.name, other.end.pod.name];
  return new AppError(
    `Key ${JSON.stringify(key.toString())} of slot ${slot} is on ${here} and on ${there}, and differs`,
    {
      code: 'key-conflict',
      hint: `Nothing was overwritten. ${here} owns the slot, and so has the copy that counts`,
    },
  );
}
