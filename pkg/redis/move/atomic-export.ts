/**
 * Valkey from 9.0 on: the source is told to export (https://valkey.io/commands/cluster-migrateslots/). It says only OK, so the
 * job is the one whose name was not in the list before.
 */
import { AppError } from '../../errors.ts';
import type { RedisCommand } from '../../engine/ports.ts';
import { tableOf, textOf } from '../parse/replies.ts';
import type { AtomicWay } from './atomic.ts';
import { COMMAND_DEADLINE_MS } from './context.ts';
import type { MoveContext } from './context.ts';

const LIST: RedisCommand = ['CLUSTER', 'GETSLOTMIGRATIONS'];
const BUSY = /already (being )?(migrat|in progress)|in progress|overlap|try again/i;
const SLOTS_OPEN = /manually imported\/migrated|must be STABLE/i;

export const exportFromSource: AtomicWay = {
  oneAtATime: 'source',
  start: async ({ source, target }, ranges) => {
    const bounds = ranges.flatMap(({ start, end }) => [start, end]);
    const migrate: RedisCommand = ['CLUSTER', 'MIGRATESLOTS', 'SLOTSRANGE', ...bounds, 'NODE', target.end.nodeId];
    const [before, reply, after] = await source.ask([LIST, migrate, LIST], COMMAND_DEADLINE_MS);
    if (reply instanceof Error) {
      if (SLOTS_OPEN.test(reply.message)) return { slotsOpen: reply };
      if (BUSY.test(reply.message)) return { busy: reply };
      throw notStarted(source.end.pod.name, reply);
    }
    const known = new Set(exportsIn(before).map((job) => job.get('name')));
    const started = exportsIn(after).find(
      (job) => !known.has(job.get('name')) && job.get('target_node') === target.end.nodeId,
    );
    if (started === undefined) throw notStarted(source.end.pod.name, new Error('it lists no such job'));
    return { id: String(started.get('name')) };
  },
  stateOf: async ({ source }, id) => {
    const [reply] = await source.ask([LIST], COMMAND_DEADLINE_MS);
    const job = exportsIn(reply).find((candidate) => candidate.get('name') === id);
    if (job === undefined) return { kind: 'failed', why: 'the source does not know the job any more: it restarted' };
    const state = String(job.get('state'));
    if (state === 'success') return { kind: 'done' };
    return state === 'failed' || state === 'cancelled' || state === 'canceled'
      ? { kind: 'failed', why: textOf(job.get('message')) }
      : { kind: 'running' };
  },
  // There is no way to cancel one of them. All are cancelled together when a person stops the command.
  cancel: async ({ source }: MoveContext) => {
    await source.ask([['CLUSTER', 'CANCELSLOTMIGRATIONS']], COMMAND_DEADLINE_MS);
  },
};

function exportsIn(reply: unknown): ReadonlyMap<string, unknown>[] {
  if (!Array.isArray(reply)) return [];
  const jobs = reply.map((job) => tableOf(job, 'CLUSTER GETSLOTMIGRATIONS'));
  return jobs.filter((job) => job.get('operation') === 'EXPORT');
}

function notStarted(pod: string, cause: Error): AppError {
  return new AppError(`${pod} did not start to give slots away`, {
    code: 'migration-refused',
    cause,
    hint: 'Nothing is lost. Look at kubectl redis status, then run the same command again',
  });
}
