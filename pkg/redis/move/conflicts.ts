/**
 * A key that is on both ends of a slot that was not properly open (law L6): the owner's copy counts, because it took the
 * writes since. The other one, if it differs, is saved before it is replaced; without a place to save it, it stays.
 */
import { AppError } from '../../errors.ts';
import { isWireList } from '../wire.ts';
import type { WireCommand } from '../wire.ts';
import { COMMAND_DEADLINE_MS } from './context.ts';
import type { MoveContext } from './context.ts';
import { migrateCommand } from './migrate-command.ts';

const KEYS_AT_ONCE = 100;

/** The copy that is given up: RESTORE takes `dump` as it is. */
export interface KeyConflict {
  readonly slot: number;
  readonly key: Buffer;
  readonly dump: Buffer;
  /** Milliseconds to live; null = for ever. */
  readonly timeToLiveMs: number | null;
  readonly pod: string;
}

/** @throws AppError `key-conflict` when copies differ and nothing saves the one that would be lost */
export async function settleConflicts(context: MoveContext, slot: number): Promise<void> {
  const { source } = context;
  for (;;) {
    const [listed] = await source.send([['CLUSTER', 'GETKEYSINSLOT', slot, KEYS_AT_ONCE]], COMMAND_DEADLINE_MS);
    const keys = isWireList(listed) ? listed : [];
    if (keys.length === 0) return;
    for (const key of keys) await settle(context, slot, key);
  }
}

async function settle(context: MoveContext, slot: number, key: Buffer): Promise<void> {
  const { source, target } = context;
  const [[ours], [, theirs, , timeToLive]] = await Promise.all([
    source.send([['DUMP', key]], COMMAND_DEADLINE_MS),
    target.send([['ASKING'], ['DUMP', key], ['ASKING'], ['PTTL', key]], COMMAND_DEADLINE_MS),
  ]);
  if (Buffer.isBuffer(ours) && Buffer.isBuffer(theirs) && !ours.equals(theirs)) {
    if (context.saveConflict === undefined) throw conflict(context, slot, key);
    const timeToLiveMs = typeof timeToLive === 'number' && timeToLive >= 0 ? timeToLive : null;
    await context.saveConflict({ slot, key, dump: theirs, timeToLiveMs, pod: target.end.pod.name });
  }
  const move: WireCommand = migrateCommand(context, { slot, keys: [key], bytes: 0 }, true);
  const [reply] = await source.send([move], COMMAND_DEADLINE_MS);
  if (!(reply instanceof Error)) return context.count({ keys: 1 });
  throw new AppError(`Slot ${slot} stopped on its way to ${target.end.pod.name}`, {
    code: 'migrate-failed',
    cause: reply,
  });
}

function conflict({ source, target }: MoveContext, slot: number, key: Buffer): AppError {
  const [here, there] = [source.end.pod.name, target.end.pod.name];
  return new AppError(
    `Key ${JSON.stringify(key.toString())} of slot ${slot} is on ${here} and on ${there}, and differs`,
    {
      code: 'key-conflict',
      hint: `Nothing was overwritten. ${here} owns the slot: kubectl redis fix keeps its copy and saves the other`,
    },
  );
}
