/**
 * Steps of `fix` that say whose a slot is, without moving a key. Each counts again, on the nodes themselves, that no key is where
 * it would be lost by that (laws L3, L4); what was counted when it was planned may be otherwise by now.
 */
import { AppError } from '../../errors.ts';
import type { Step, StepKind, StepNode } from '../../cluster/model/plan.ts';
import {
  containsSlot,
  formatRanges,
  intersectRanges,
  rangesFromSlots,
  slotsFromRanges,
  subtractRanges,
  type SlotRanges,
} from '../../cluster/model/slots.ts';
import { countSlots } from '../count-slots.ts';
import type { RedisCommand } from '../ports.ts';
import { primariesBut } from './move-ends.ts';
import { lineOf, onNode, podOf, until, type RedisStepDeps } from './redis-steps.ts';

type Of<K extends StepKind> = Extract<Step, { kind: K }>;

/** Commands in one pipeline: other clients wait for as long. */
const AT_ONCE = 512;

export async function setSlotOwner(deps: RedisStepDeps, { node, owner, ranges }: Of<'set-slot-owner'>): Promise<void> {
  const itself = node.nodeId === owner.nodeId;
  const losers = itself ? primariesBut(deps.observation, [node.nodeId]) : [node];
  await Promise.all(losers.map((loser) => assertEmpty(deps, loser, ranges, 'names another owner of them')));
  await forEachSlot(deps, node, ranges, (slot) => ['CLUSTER', 'SETSLOT', slot, 'NODE', owner.nodeId]);
  // An old claim of another would win again otherwise; it is right here, because nobody else has a key.
  if (itself) await bumpEpoch(deps, node);
  await until(deps, `${node.pod} takes ${owner.pod} for the owner of slots ${formatRanges(ranges)}`, async () => {
    const line = await lineOn(deps, node, owner.nodeId);
    return subtractRanges(ranges, line.slots).length === 0;
  });
}

export async function closeSlots(deps: RedisStepDeps, { node, ranges, others }: Of<'close-slots'>): Promise<void> {
  const { slots: own } = await lineOn(deps, node, node.nodeId);
  const foreign = subtractRanges(ranges, own);
  const mine = intersectRanges(ranges, own);
  if (foreign.length > 0) await assertEmpty(deps, node, foreign, 'closes them');
  if (mine.length > 0) {
    const what = `${node.pod} closes them`;
    await Promise.all(others.map((other) => assertEmpty(deps, other, mine, what)));
  }
  await forEachSlot(deps, node, ranges, (slot) => ['CLUSTER', 'SETSLOT', slot, 'STABLE']);
  await until(deps, `slots ${formatRanges(ranges)} are closed on ${node.pod}`, async () => {
    const { marked } = await lineOn(deps, node, node.nodeId);
    return marked.every((slot) => !containsSlot(ranges, slot));
  });
}

export async function coverSlots(deps: RedisStepDeps, { node, ranges, others }: Of<'cover-slots'>): Promise<void> {
  await Promise.all(others.map((other) => assertEmpty(deps, other, ranges, `${node.pod} gets them`)));
  const { slots: own } = await lineOn(deps, node, node.nodeId);
  const slots = slotsFromRanges(subtractRanges(ranges, own));
  if (slots.length > 0) await must(deps, node, [['CLUSTER', 'ADDSLOTS', ...slots]]);
  await bumpEpoch(deps, node);
  await until(deps, `${node.pod} owns slots ${formatRanges(ranges)}`, async () => {
    const line = await lineOn(deps, node, node.nodeId);
    return subtractRanges(ranges, line.slots).length === 0;
  });
}

/** The loser first: with the higher epoch alone, it would delete what it has as soon as it hears of the winner. */
export async function yieldSlots(deps: RedisStepDeps, { node, owner, ranges }: Of<'yield-slots'>): Promise<void> {
  await assertEmpty(deps, node, ranges, `gives them up`);
  const { slots: own } = await lineOn(deps, node, node.nodeId);
  const slots = slotsFromRanges(intersectRanges(ranges, own));
  if (slots.length > 0) await must(deps, node, [['CLUSTER', 'DELSLOTS', ...slots]]);
  await bumpEpoch(deps, owner);
  await until(deps, `${owner.pod} alone owns slots ${formatRanges(ranges)}`, async () => {
    const [loser, winner] = await Promise.all([lineOn(deps, node, node.nodeId), lineOn(deps, owner, owner.nodeId)]);
    const claimed = intersectRanges(ranges, loser.slots);
    return claimed.length === 0 && subtractRanges(ranges, winner.slots).length === 0;
  });
}

/** Over when all who answer have the same epoch of it: gossip takes a moment. */
export async function raiseEpoch(deps: RedisStepDeps, { node }: Of<'bump-epoch'>): Promise<void> {
  await bumpEpoch(deps, node);
  const nodes = deps.observation.replies.flatMap(({ pod, reply }) =>
    reply.kind === 'answered' ? [{ nodeId: reply.answer.myId, pod }] : [],
  );
  await until(deps, `all nodes have one config epoch of ${node.pod}`, async () => {
    const views = await Promise.all(nodes.map((viewer) => must(deps, viewer, [['CLUSTER', 'NODES']])));
    const epochs = views.map(([view]) => epochIn(String(view), node.nodeId));
    return new Set(epochs).size === 1;
  });
}

/** The seventh word of its line. */
function epochIn(view: string, nodeId: string): string | undefined {
  return lineOf(view, nodeId)?.split(' ')[6];
}

async function bumpEpoch(deps: RedisStepDeps, node: StepNode): Promise<void> {
  await must(deps, node, [['CLUSTER', 'BUMPEPOCH']]);
}

/** @throws AppError `slots-not-empty` */
async function assertEmpty(deps: RedisStepDeps, node: StepNode, ranges: SlotRanges, why: string): Promise<void> {
  const slots = slotsFromRanges(ranges);
  const counts = await countSlots((commands) => must(deps, node, commands), slots);
  const full = slots.filter((_, i) => counts[i] !== 0);
  if (full.length === 0) return;
  throw new AppError(`${node.pod} holds keys of slots ${formatRanges(rangesFromSlots(full))}`, {
    code: 'slots-not-empty',
    cause: new Error(`they would be lost when ${why}`),
    hint: 'Run the same command again: it looks anew',
  });
}

async function forEachSlot(
  deps: RedisStepDeps,
  node: StepNode,
  ranges: SlotRanges,
  commandFor: (slot: number) => RedisCommand,
): Promise<unknown[]> {
  const slots = slotsFromRanges(ranges);
  const replies: unknown[] = [];
  for (let at = 0; at < slots.length; at += AT_ONCE)
    replies.push(...(await must(deps, node, slots.slice(at, at + AT_ONCE).map(commandFor))));
  return replies;
}

async function must(
  deps: RedisStepDeps,
  node: StepNode,
  commands: readonly RedisCommand[],
): Promise<readonly unknown[]> {
  const replies = await onNode(deps, podOf(deps, node), node, commands);
  const at = replies.findIndex((reply) => reply instanceof Error);
  if (at < 0) return replies;
  throw new AppError(`${node.pod} did not take ${commands[at]?.slice(0, 4).join(' ') ?? 'a command'}`, {
    code: 'slots-refused',
    cause: replies[at],
    hint: 'Run the same command again: it looks anew',
  });
}

/** What `viewer` says of a node: its slots, and the open ones, which only the node itself tells. */
async function lineOn(
  deps: RedisStepDeps,
  viewer: StepNode,
  nodeId: string,
): Promise<{ readonly slots: SlotRanges; readonly marked: readonly number[] }> {
  const [view] = await must(deps, viewer, [['CLUSTER', 'NODES']]);
  const words = lineOf(String(view), nodeId)?.trim().split(' ').slice(8) ?? [];
  const slots = words.flatMap((word) => {
    const [start, end = start] = word.split('-').map(Number);
    return /^\d+(-\d+)?$/.test(word) && start !== undefined && end !== undefined ? [{ start, end }] : [];
  });
  const marked = words.flatMap((word) => /^\[(\d+)-[<>]-/.exec(word)?.[1] ?? []).map(Number);
  return { slots, marked };
}
