/**
 * A key that is on both ends of a slot that was not properly open (law L6): the owner's copy counts, because it took the
 * writes since. The other one, if it differs, is saved before it is replaced; without a place to save it, it stays.
 */
import { AppError } from '../../errors.ts';
import { isWireList } from '../wire.ts';
import type { WireCommand } from '../wire.ts';
import { COMMAND_DEADLINE_MS } from './context.ts';
import type { MoveContext } from './context.ts';
import { mustAll } from './node-line.ts';

/** The copy that is given up: RESTORE takes `dump` as it is. */
export interface KeyConflict {
  readonly slot: number;
  readonly key: Buffer;
  readonly dump: Buffer;
  /** Milliseconds to live; null = for ever. */
  readonly timeToLiveMs: number | null;
  readonly pod: string;
}

/** `source` is the slot's owner; `target` imports it. */
export type Ends = Pick<MoveContext, 'source' | 'target' | 'saveConflict'>;

/**
 * Called before the source is told to send clients to the target: until then an interrupted run leaves a slot that the next one
 * takes for what it is. What the target holds and the source does not is no conflict, and stays.
 *
 * @throws AppError `key-conflict` when copies differ and nothing saves the one that would be lost
 */
export async function settleConflicts(context: Ends, slot: number, keysAtTarget: number): Promise<void> {
  const list: WireCommand = ['CLUSTER', 'GETKEYSINSLOT', slot, keysAtTarget];
  const listed = await context.target.send([list], COMMAND_DEADLINE_MS);
  mustAll(context.target, listed, 'a question for its keys');
  const [keys] = listed;
  for (const key of isWireList(keys) ? keys : []) await settle(context, slot, key);
}

async function settle(context: Ends, slot: number, key: Buffer): Promise<void> {
  const { source, target } = context;
  const [here, there] = await Promise.all([
    source.send([['DUMP', key]], COMMAND_DEADLINE_MS),
    target.send([['ASKING'], ['DUMP', key], ['ASKING'], ['PTTL', key]], COMMAND_DEADLINE_MS),
  ]);
  // Only nil says that there is no copy, or ASK of a server that is giving the slot away: one that is busy, or refuses DUMP, does not.
  mustAll(
    source,
    here.filter((reply) => !isAsk(reply)),
    'a question for a key',
  );
  mustAll(target, there, 'a question for a key');
  const [[ours], [, theirs, , timeToLive]] = [here, there];
  if (!Buffer.isBuffer(ours) || !Buffer.isBuffer(theirs)) return;
  if (!ours.equals(theirs)) {
    if (context.saveConflict === undefined) throw conflict(context, slot, key);
    const timeToLiveMs = typeof timeToLive === 'number' && timeToLive >= 0 ? timeToLive : null;
    await context.saveConflict({ slot, key, dump: theirs, timeToLiveMs, pod: target.end.pod.name });
  }
  mustAll(target, await target.send([['ASKING'], ['DEL', key]], COMMAND_DEADLINE_MS), 'the end of a copy');
}

/** `ASK 1000 10.0.0.1:6379`: it has no such key (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/). */
function isAsk(reply: unknown): boolean {
  return reply instanceof Error && reply.message.startsWith('ASK ');
}

function conflict({ source, target }: Ends, slot: number, key: Buffer): AppError {
  const [here, there] = [source.end.pod.name, target.end.pod.name];
  return new AppError(
    `Key ${JSON.stringify(key.toString())} of slot ${slot} is on ${here} and on ${there}, and differs`,
    {
      code: 'key-conflict',
      hint: `Nothing was overwritten. ${here} owns the slot, and so has the copy that counts`,
    },
  );
}
