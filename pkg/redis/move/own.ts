/**
 * Whose a slot is: opening it between two nodes, and handing it over when it is empty. Every change costs each node one
 * rewrite and fsync of nodes.conf per turn of its event loop, however many commands it reads in that turn. So changes go in
 * pipelines over a chunk of slots, never slot by slot.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../errors.ts';
import { parseClusterInfo } from '../parse/cluster-info.ts';
import { fieldOf } from '../parse/fields.ts';
import { integerOf } from '../parse/replies.ts';
import { parseClusterNodes } from '../parse/cluster-nodes.ts';
import { copiesOf, settleSlot } from './conflicts.ts';
import { COMMAND_DEADLINE_MS, stopIfAborted } from './context.ts';
import type { MoveContext } from './context.ts';
import { refuseDatabases } from './databases.ts';
import { viewOf } from './look.ts';
import { mustAll, type NodeLine } from './node-line.ts';
import { doubtOf, leftOpen, marksOf, movedByOthers, mustBeOurs, roleChanged, sourceDoubted } from './survey.ts';
import type { Survey } from './survey.ts';
import type { WireCommand } from '../wire.ts';

const INFO: WireCommand = ['CLUSTER', 'INFO'];
const NODES: WireCommand = ['CLUSTER', 'NODES'];
const MAX_BUMPS = 5;
/** A node that was frozen for a moment is doubted until gossip has come round. */
const DOUBTED_WITHIN_MS = 20_000;
const DOUBTED_EVERY_MS = 100;

export interface KeysInSlot {
  readonly slot: number;
  readonly count: number;
}

export function sumOf(counts: readonly KeysInSlot[]): number {
  return counts.reduce((sum, { count }) => sum + count, 0);
}

/**
 * Target first: between the two, the source still answers for all keys. Keys that the target has of slots that were not properly open
 * are settled in between.
 *
 * @throws AppError `moved-by-others`
 */
export async function openSlots(
  context: MoveContext,
  slots: readonly number[],
  { open, foreign }: Survey,
): Promise<KeysInSlot[]> {
  const { source, target } = context;
  const askWhose = async (): Promise<void> =>
    mustBeOurs(marksOf(await viewOf(source), source.end.nodeId), target.end.nodeId, slots, foreign);
  await askWhose();
  const atTarget = await target.send(
    [...setSlots(slots, 'IMPORTING', source.end.nodeId), ...countKeys(slots)],
    COMMAND_DEADLINE_MS,
  );
  mustAll(target, atTarget, 'slots to import');
  const onBoth = slots.flatMap((slot, i) => {
    const count = integerOf(atTarget[slots.length + i]);
    return count > 0 && !open.has(slot) ? [{ slot, count }] : [];
  });
  for (const { slot, count } of onBoth) await settleSlot(copiesOf(context, 'source'), slot, count);
  // That may have taken minutes.
  if (onBoth.length > 0) await askWhose();
  const atSource = await source.send(
    [...setSlots(slots, 'MIGRATING', target.end.nodeId), ...countKeys(slots)],
    COMMAND_DEADLINE_MS,
  );
  mustAll(source, atSource, 'slots to hand over');
  return slots
    .map((slot, i) => ({ slot, count: integerOf(atSource[slots.length + i]) }))
    .filter(({ count }) => count > 0);
}

interface LastLook {
  readonly counts: readonly unknown[];
  readonly epochOfSource: number;
}

/**
 * The source's role, marks and counts in one breath, and whether it still leads in the target's eyes: one that was frozen or cut off says
 * of itself what it always said, while its replica has been elected and takes writes, which a claim of the target would delete. What only
 * may be so is looked at again for a while.
 *
 * @throws AppError `role-changed`, `source-doubted`, `other-databases`, `moved-by-others`, `slot-closed`
 */
async function lookOnceMore(
  context: MoveContext,
  slots: readonly number[],
  asSource: 'open' | 'denied',
): Promise<LastLook> {
  const { source, target } = context;
  const asked: WireCommand[] = [INFO, ['INFO', 'replication'], ['INFO', 'keyspace'], NODES, ...countKeys(slots)];
  const until = performance.now() + DOUBTED_WITHIN_MS;
  for (;;) {
    const [replies, targetView] = await Promise.all([source.send(asked, COMMAND_DEADLINE_MS), viewOf(target)]);
    mustAll(source, replies, 'a count of its keys');
    const [info, replication, keyspace, nodes, ...counts] = replies;
    // A replica counts what it has not dropped yet, or has: whoever took over from it may hold keys that were written since.
    if (fieldOf(String(replication), 'role') !== 'master') throw roleChanged(source.end.nodeId);
    const sourceView = parseClusterNodes(String(nodes));
    const doubt = doubtOf({ sourceId: source.end.nodeId, targetId: target.end.nodeId }, sourceView, targetView);
    if (doubt === null) {
      refuseDatabases(source, String(keyspace));
      if (asSource === 'open') mustGoToTarget(context, slots, marksOf(sourceView, source.end.nodeId));
      return { counts, epochOfSource: parseClusterInfo(String(info)).myEpoch };
    }
    if (performance.now() > until) throw sourceDoubted(source.end.pod.name, doubt);
    stopIfAborted(context);
    await delay(DOUBTED_EVERY_MS);
  }
}

/**
 * Law L3: the source's role, marks and count are read again; it must be a primary that sends clients to the target, and the count 0; then
 * target, source, the others. An open slot whose source is empty stays empty: for keys that are not there, clients are sent to the target.
 *
 * @param asSource how the source stands to the slots: it has them open, or takes the target for their owner already
 * @returns slots that still hold keys, and so were not handed over
 * @throws AppError as lookOnceMore
 */
export async function handOver(
  context: MoveContext,
  slots: readonly number[],
  asSource: 'open' | 'denied',
): Promise<KeysInSlot[]> {
  const { counts, epochOfSource } = await lookOnceMore(context, slots, asSource);
  const empty = slots.filter((_, i) => counts[i] === 0);
  if (empty.length > 0) {
    await tell(context, 'target', empty);
    await outbid(context, epochOfSource);
    await tellSource(context, empty);
  }
  return slots.map((slot, i) => ({ slot, count: integerOf(counts[i]) })).filter(({ count }) => count > 0);
}

/** Of a slot that was closed, or opened towards another node, meanwhile, new keys are where the mark says. */
function mustGoToTarget({ target }: MoveContext, slots: readonly number[], marks: ReadonlyMap<number, string>): void {
  for (const slot of slots) {
    const to = marks.get(slot);
    if (to === undefined) throw leftOpen(slot);
    if (to !== target.end.nodeId) throw movedByOthers(slot, to);
  }
}

/** The target's claim must be the stronger one (epochs.ts). It is, as a rule; BUMPEPOCH is right where it holds the keys. */
async function outbid({ target }: MoveContext, epochOfSource: number): Promise<void> {
  for (let i = 0; i < MAX_BUMPS; i++) {
    const [info] = await target.send([INFO], COMMAND_DEADLINE_MS);
    if (parseClusterInfo(String(info)).myEpoch > epochOfSource) return;
    await target.send([['CLUSTER', 'BUMPEPOCH']], COMMAND_DEADLINE_MS);
  }
}

/**
 * A target takes no news of the owner of a slot that it imports. When the source of such a slot fails over, the target is left
 * without any owner for it as soon as it hears that the old one is a replica; unless told to serve with a part of the slots, it
 * then refuses every command and every key.
 */
export async function nameOwner({ source, target }: MoveContext, slots: readonly number[]): Promise<void> {
  const replies = await target.send(setSlots(slots, 'NODE', source.end.nodeId), COMMAND_DEADLINE_MS);
  mustAll(target, replies, 'the owner of slots');
}

/** What a server says that became a replica when its last slot went (cluster-allow-replica-migration). */
const NO_PRIMARY = /only with (masters|primaries)/i;

/** The source refuses while it holds keys of a slot. */
export async function tellSource(context: MoveContext, slots: readonly number[]): Promise<void> {
  await tell(context, 'source', slots);
  context.count({ slots: slots.length });
}

/** All at once. They would hear of it by gossip too, so one that does not answer is no failure. */
export async function tellOthers({ others, target }: MoveContext, slots: readonly number[]): Promise<void> {
  const news = setSlots(slots, 'NODE', target.end.nodeId);
  await Promise.allSettled(others.map((other) => other.send(news, COMMAND_DEADLINE_MS)));
}

async function tell(context: MoveContext, who: 'source' | 'target', slots: readonly number[]): Promise<void> {
  const line = context[who];
  const replies = await line.send(setSlots(slots, 'NODE', context.target.end.nodeId), COMMAND_DEADLINE_MS);
  const refusal = replies.find(
    (reply) => reply instanceof Error && !(who === 'source' && NO_PRIMARY.test(reply.message)),
  );
  if (refusal === undefined) return;
  const slot = slots[replies.indexOf(refusal)] ?? -1;
  throw new AppError(`${line.end.pod.name} did not take the new owner of slot ${slot}`, {
    code: 'step-failed',
    cause: refusal,
    hint: 'Run the same command again: it goes on from where things stand',
  });
}

export function setSlots(slots: readonly number[], what: string, nodeId: string): WireCommand[] {
  return slots.map((slot) => ['CLUSTER', 'SETSLOT', slot, what, nodeId]);
}

export function stable(slots: readonly number[]): WireCommand[] {
  return slots.map((slot) => ['CLUSTER', 'SETSLOT', slot, 'STABLE']);
}

export function countKeys(slots: readonly number[]): WireCommand[] {
  return slots.map((slot) => ['CLUSTER', 'COUNTKEYSINSLOT', slot]);
}

/** Those that hold keys. */
export async function countIn(line: NodeLine, slots: readonly number[]): Promise<KeysInSlot[]> {
  const counts: unknown[] = [];
  for (let i = 0; i < slots.length; i += 2048)
    counts.push(...(await line.send(countKeys(slots.slice(i, i + 2048)), COMMAND_DEADLINE_MS)));
  mustAll(line, counts, 'a count of its keys');
  return slots.map((slot, i) => ({ slot, count: integerOf(counts[i]) })).filter(({ count }) => count > 0);
}
