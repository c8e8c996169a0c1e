/**
 * Redis from 8.4 on: the target is told to import (https://redis.io/docs/latest/commands/cluster-migration/). It tries again
 * by itself for ever, so a job that only ever fails is cancelled here.
 */
import { AppError } from '../../errors.ts';
import { integerOf, tableOf, textOf } from '../parse/replies.ts';
import type { AtomicWay, JobState } from './atomic.ts';
import { COMMAND_DEADLINE_MS } from './context.ts';
import type { MoveContext } from './context.ts';

const BUSY = /in progress|pending trim|overlap|cluster is down|not ready|try again/i;
const SLOTS_OPEN = /must be STABLE|being (manually )?(imported|migrated)/i;
/** One a second. */
const MAX_RETRIES = 20;

export const importAtTarget: AtomicWay = {
  oneAtATime: 'both',
  start: async ({ target }, ranges) => {
    const bounds = ranges.flatMap(({ start, end }) => [start, end]);
    const [reply] = await target.ask([['CLUSTER', 'MIGRATION', 'IMPORT', ...bounds]], COMMAND_DEADLINE_MS);
    if (typeof reply === 'string') return { id: reply };
    const refusal = reply instanceof Error ? reply : new Error('no task id');
    if (SLOTS_OPEN.test(refusal.message)) return { slotsOpen: refusal };
    if (BUSY.test(refusal.message)) return { busy: refusal };
    throw new AppError(`${target.end.pod.name} did not start to import`, {
      code: 'migration-refused',
      cause: refusal,
      hint: 'Nothing is lost. Look at kubectl redis status, then run the same command again',
    });
  },
  stateOf: async (context, id) => {
    const [reply] = await context.target.ask([['CLUSTER', 'MIGRATION', 'STATUS', 'ID', id]], COMMAND_DEADLINE_MS);
    const task: unknown = Array.isArray(reply) ? reply[0] : undefined;
    if (task === undefined)
      return { kind: 'failed', why: 'the target does not know the task any more: it failed over or restarted' };
    const state = readTask(tableOf(task, 'CLUSTER MIGRATION STATUS'));
    if (state.kind !== 'retrying') return state;
    await importAtTarget.cancel(context, id);
    return { kind: 'failed', why: state.why };
  },
  cancel: async ({ target }: MoveContext, id: string) => {
    await target.ask([['CLUSTER', 'MIGRATION', 'CANCEL', 'ID', id]], COMMAND_DEADLINE_MS);
  },
};

function readTask(task: ReadonlyMap<string, unknown>): JobState | { readonly kind: 'retrying'; readonly why: string } {
  const [state, why] = [String(task.get('state')), textOf(task.get('last_error'))];
  if (state === 'completed') return { kind: 'done' };
  if (state === 'failed' && integerOf(task.get('retries')) > MAX_RETRIES) return { kind: 'retrying', why };
  if (state === 'canceled') return { kind: 'failed', why: why === '' ? 'it was cancelled' : why };
  return integerOf(task.get('retries')) > MAX_RETRIES ? { kind: 'retrying', why } : { kind: 'running' };
}
