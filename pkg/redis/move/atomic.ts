/**
 * What the two servers that move slots by themselves have in common: slots go in few large parts, a job is started, and
 * watched until it ends. A job goes on without us: a mover that was killed is not missed, and the next one waits for it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../errors.ts';
import { countSlots, formatRanges, rangesFromSlots } from '../../cluster/model/slots.ts';
import type { SlotRange } from '../../cluster/model/slots.ts';
import type { RedisCommand } from '../../engine/ports.ts';
import { parseClusterNodes } from '../parse/cluster-nodes.ts';
import { numberOf } from '../parse/fields.ts';
import { dataBytes, partArrived } from './arriving.ts';
import { COMMAND_DEADLINE_MS, stopIfAborted } from './context.ts';
import type { MoveContext, Moved } from './context.ts';
import { countKeys } from './own.ts';

export type JobState =
  { readonly kind: 'running' } | { readonly kind: 'done' } | { readonly kind: 'failed'; readonly why: string };

export interface AtomicWay {
  /** Ends that have one job at a time. A second job would be refused, or only wait. */
  readonly oneAtATime: 'both' | 'source';
  /** @returns the job's id, or why it can't be started: for a while, or because of open slots, which only MIGRATE can close */
  start(
    context: MoveContext,
    ranges: readonly SlotRange[],
  ): Promise<{ readonly id: string } | { readonly busy: Error } | { readonly slotsOpen: Error }>;
  stateOf(context: MoveContext, id: string): Promise<JobState>;
  cancel(context: MoveContext, id: string): Promise<void>;
}

/** A job needs memory for what is written meanwhile, and a fork: not all of a large node at once. */
const MAX_JOB_BYTES = 2 * 2 ** 30;
const MAX_JOB_SLOTS = 4096;
const MIN_JOB_SLOTS = 16;
const FIRST_LOOK_MS = 4;
const LAST_LOOK_MS = 200;
/** Looks that far apart are told of: a job that is over in less needs no bar that moves. */
const TELL_FROM_MS = 20;
/** For a job of somebody else, or for a server that still removes what it gave away. */
const BUSY_FOR_MS = 120_000;
const MAX_FAILURES = 3;
const AFTER_FAILURE_MS = 1_000;

/** @returns slots that this way refuses, because slots are open: they are left to MIGRATE */
export async function moveAtomically(
  context: MoveContext,
  way: AtomicWay,
  slots: readonly number[],
): Promise<readonly number[]> {
  const perJob = await slotsPerJob(context);
  for (let i = 0; i < slots.length; i += perJob) {
    const part = slots.slice(i, i + perJob);
    stopIfAborted(context);
    const keys = await totalKeys(context, part);
    const job: Job = {
      ranges: rangesFromSlots(part),
      content: { slots: part.length, keys, bytes: keys * context.weights.meanBytes },
    };
    const moved = await inTurn(context, way, () => runJob(context, way, job));
    if (!moved) return slots.slice(i);
    context.count(job.content);
  }
  return [];
}

/** Also over several moves; always in the same order, so that no two wait for each other. */
function inTurn<T>({ turns, source, target }: MoveContext, way: AtomicWay, work: () => Promise<T>): Promise<T> {
  if (way.oneAtATime === 'source') return turns.take(source.end.nodeId, work);
  const [first = '', second = ''] = [source.end.nodeId, target.end.nodeId].sort();
  return turns.take(first, () => turns.take(second, work));
}

interface Job {
  readonly ranges: readonly SlotRange[];
  /** As counted before it began. */
  readonly content: Moved;
}

async function runJob(context: MoveContext, way: AtomicWay, job: Job): Promise<boolean> {
  for (let failures = 1; ; failures++) {
    const before = await dataBytes(context.target);
    const id = await start(context, way, job.ranges);
    if (id === null) return false;
    const end = await watch(context, way, id, () => tellArrived(context, job, before));
    if (end.kind === 'done') return true;
    context.count({});
    if (failures >= MAX_FAILURES) throw jobFailed(context, job.ranges, end.why);
    await delay(AFTER_FAILURE_MS);
    stopIfAborted(context);
  }
}

async function start(context: MoveContext, way: AtomicWay, ranges: readonly SlotRange[]): Promise<string | null> {
  const until = performance.now() + BUSY_FOR_MS;
  for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(LAST_LOOK_MS, waitMs * 2)) {
    const started = await way.start(context, ranges);
    if ('id' in started) return started.id;
    if ('slotsOpen' in started) return null;
    if (performance.now() > until) throw jobFailed(context, ranges, started.busy.message);
    await delay(waitMs);
    stopIfAborted(context);
  }
}

async function watch(
  context: MoveContext,
  way: AtomicWay,
  id: string,
  onRunning: () => Promise<void>,
): Promise<Exclude<JobState, { kind: 'running' }>> {
  const startedAt = performance.now();
  for (;;) {
    const state = await way.stateOf(context, id);
    if (state.kind !== 'running') return state;
    if (context.signal.aborted) {
      await way.cancel(context, id);
      stopIfAborted(context);
    }
    // Looking costs little, and a tenth of the time is lost at most.
    const tenth = (performance.now() - startedAt) / 10;
    if (tenth >= TELL_FROM_MS) await onRunning();
    await delay(Math.min(LAST_LOOK_MS, Math.max(FIRST_LOOK_MS, tenth)));
  }
}

async function tellArrived(context: MoveContext, { content }: Job, before: number | null): Promise<void> {
  const part = partArrived(before, await dataBytes(context.target), content.bytes);
  const of = (whole: number): number => Math.floor(whole * part);
  context.expect({ slots: of(content.slots), keys: of(content.keys), bytes: of(content.bytes) });
}

async function totalKeys({ source }: MoveContext, slots: readonly number[]): Promise<number> {
  const counts = await source.send(countKeys(slots), COMMAND_DEADLINE_MS);
  return counts.reduce<number>((sum, count) => sum + (typeof count === 'number' ? count : 0), 0);
}

async function slotsPerJob({ source }: MoveContext): Promise<number> {
  const questions: readonly RedisCommand[] = [
    ['INFO', 'memory'],
    ['CLUSTER', 'NODES'],
  ];
  const [info, nodes] = await source.ask(questions, COMMAND_DEADLINE_MS);
  const bytes = numberOf(String(info), 'used_memory_dataset') ?? 0;
  const own = countSlots(
    parseClusterNodes(String(nodes)).find(({ nodeId }) => nodeId === source.end.nodeId)?.slots ?? [],
  );
  return Math.min(MAX_JOB_SLOTS, Math.max(MIN_JOB_SLOTS, Math.floor((MAX_JOB_BYTES * own) / Math.max(1, bytes))));
}

function jobFailed({ source, target }: MoveContext, ranges: readonly SlotRange[], why: string): AppError {
  return new AppError(
    `Slots ${formatRanges(ranges)} did not get from ${source.end.pod.name} to ${target.end.pod.name}`,
    {
      code: 'migration-failed',
      cause: new Error(why === '' ? 'the server does not say why' : why),
      hint: 'Nothing is lost, they are still where they were. Run the same command again',
    },
  );
}
