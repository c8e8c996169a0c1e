/** What to do about replies to MIGRATE that were not OK: go on, wait, or stop with the reason. */
import { AppError } from '../../errors.ts';
import { batchAfterSilence } from './batch-size.ts';
import type { BatchSize } from './batch-size.ts';
import { settleKeys } from './conflicts.ts';
import type { Copies } from './conflicts.ts';
import { COMMAND_DEADLINE_MS } from './context.ts';
import type { MoveContext } from './context.ts';
import type { Drained } from './drain.ts';
import { awaitHeard, awaitTarget } from './look.ts';
import { codeOfReply } from './node-line.ts';
import { fieldOf } from '../parse/fields.ts';

/** Rounds in a row in which the target gave no answer in time. */
const MAX_SILENT_ROUNDS = 4;
/** What RESTORE says of keys that a newer server has packed. */
const OLDER_TARGET = /DUMP payload version/i;
const RESUME = 'Nothing is lost; run the same command again: it goes on from here';

/**
 * @param copies which end owns the slots
 * @param idle rounds in which no key left, in a row
 * @returns the size to go on with
 * @throws AppError when going on makes no sense
 */
export async function overcome(
  context: MoveContext,
  drained: Drained,
  copies: Copies,
  idle: number,
): Promise<BatchSize> {
  for (const [slot, { outcome, reply, keys }] of drained.troubles) {
    switch (outcome) {
      case 'moved':
        continue;
      case 'unknown':
        if (idle >= MAX_SILENT_ROUNDS) throw stop(context, slot, 'target-silent', reply);
        await awaitHeard(context);
        // Or else a key that is bigger than it seems would be tried as a small one for ever.
        context.weights = { ...context.weights, weighAll: true, exact: true };
        return batchAfterSilence(context.limits.maxPauseMs);
      case 'not-ready':
        await awaitTarget(context);
        return drained.size;
      case 'closed':
        throw stop(context, slot, 'slot-closed', reply);
      case 'full':
        throw await outOfMemory(context, reply);
      case 'exists':
        await settleKeys(copies, slot, keys);
        continue;
      case 'fatal':
        throw stop(context, slot, codeOfReply(reply, 'migrate-failed'), reply);
      default:
        outcome satisfies never;
    }
  }
  return drained.size;
}

function stop({ source, target }: MoveContext, slot: number, code: string, cause: Error): AppError {
  return new AppError(`Slot ${slot} stopped on its way from ${source.end.pod.name} to ${target.end.pod.name}`, {
    code,
    cause,
    hint: OLDER_TARGET.test(cause.message)
      ? `Nothing is lost. ${target.end.pod.name} runs an older version: kubectl redis fix takes the slots back, and kubectl redis restart finishes the upgrade`
      : RESUME,
  });
}

async function outOfMemory({ target }: MoveContext, cause: Error): Promise<AppError> {
  const [info] = await target.send([['INFO', 'memory']], COMMAND_DEADLINE_MS);
  const [used, max] = ['used_memory_human', 'maxmemory_human'].map((name) => fieldOf(String(info), name) ?? '?');
  return new AppError(`${target.end.pod.name} is out of memory: ${used} of ${max} are used`, {
    code: 'target-out-of-memory',
    cause,
    hint: 'Give it more memory (maxmemory) or another share, then run the same command again',
  });
}
