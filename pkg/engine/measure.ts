/** What each slot holds: its keys as the servers count them, or its bytes from a sample of keys. */
import { AppError } from '../errors.ts';
import { SLOT_COUNT, slotsFromRanges, type SlotRanges } from '../cluster/model/slots.ts';
import type { PodFacts } from '../cluster/model/observation.ts';
import type { ClusterNode, ClusterState } from '../cluster/model/state.ts';
import { countSlots } from './count-slots.ts';
import type { RedisCommand, RedisPort } from './ports.ts';

const DEADLINE_MS = 20_000;
/** Commands in one pipeline: short enough that other clients hardly notice. */
const AT_ONCE = 512;
const SAMPLED_SLOTS = 64;
const KEYS_OF_SLOT = 4;
/** Of slots that are to move, before anybody has agreed to it. */
const WEIGHED_KEYS = 2_000;

/** Keys by slot. */
export async function countKeys(redis: RedisPort, state: ClusterState): Promise<Float64Array> {
  const counts = new Float64Array(SLOT_COUNT);
  await Promise.all(
    ownersOf(state).map(async ({ pod, slots }) => {
      const numbers = slotsFromRanges(slots);
      const replies = await countSlots((commands) => redis.run(pod, commands, DEADLINE_MS), numbers);
      numbers.forEach((slot, i) => (counts[slot] = numberOf(replies[i], pod)));
    }),
  );
  return counts;
}

/**
 * Bytes by slot: keys times what a key of that primary takes on average, and for slots of the sample what their own keys take.
 * No server before 8.2 knows the memory of a slot, and asking every key would cost as much as moving it.
 */
export async function sampleBytes(redis: RedisPort, state: ClusterState): Promise<Float64Array> {
  const counts = await countKeys(redis, state);
  const bytes = new Float64Array(SLOT_COUNT);
  await Promise.all(
    ownersOf(state).map(async ({ pod, slots }) => {
      const all = slotsFromRanges(slots);
      const full = all.filter((slot) => (counts[slot] ?? 0) > 0);
      const perSlot = await sampleSlots(redis, pod, spreadOut(full, SAMPLED_SLOTS));
      const sizes = [...perSlot.values()];
      const mean = sizes.length === 0 ? 0 : sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
      for (const slot of all) bytes[slot] = (counts[slot] ?? 0) * (perSlot.get(slot) ?? mean);
    }),
  );
  return bytes;
}

export interface Content {
  readonly keys: number;
  readonly bytes: number;
}

/**
 * What these slots of one primary hold: where they have few keys each is weighed, else some of as many slots as can be. A mean over all that
 * it has would say nothing of slots that have the big ones.
 *
 * @returns null where it tells no size
 */
export async function contentOf(redis: RedisPort, pod: PodFacts, slots: readonly number[]): Promise<Content | null> {
  const counts = await countSlots((commands) => redis.run(pod, commands, DEADLINE_MS), slots);
  const keys = counts.reduce<number>((sum, count) => sum + numberOf(count, pod), 0);
  if (keys === 0) return { keys, bytes: 0 };
  const full = slots.filter((_, i) => counts[i] !== 0);
  const some = spreadOut(full, WEIGHED_KEYS);
  const ofSlot = keys <= WEIGHED_KEYS ? keys : Math.max(1, Math.floor(WEIGHED_KEYS / some.length));
  const sizes = (await sizesOf(redis, pod, some, ofSlot)).map(({ size }) => size);
  if (sizes.length === 0) return null;
  return { keys, bytes: Math.round((keys * sizes.reduce((sum, size) => sum + size, 0)) / sizes.length) };
}

/** @returns mean bytes of a key, by slot */
async function sampleSlots(redis: RedisPort, pod: PodFacts, slots: readonly number[]): Promise<Map<number, number>> {
  const seen = new Map<number, number[]>();
  for (const { slot, size } of await sizesOf(redis, pod, slots, KEYS_OF_SLOT))
    seen.set(slot, [...(seen.get(slot) ?? []), size]);
  return new Map([...seen].map(([slot, all]) => [slot, all.reduce((sum, size) => sum + size, 0) / all.length]));
}

/** Bytes of the first keys of each slot, so many at most. */
async function sizesOf(
  redis: RedisPort,
  pod: PodFacts,
  slots: readonly number[],
  keysOfSlot: number,
): Promise<{ readonly slot: number; readonly size: number }[]> {
  const listed = await inPieces(
    redis,
    pod,
    slots.map((slot): RedisCommand => ['CLUSTER', 'GETKEYSINSLOT', slot, keysOfSlot]),
  );
  const keys = slots.flatMap((slot, i) => {
    const reply = listed[i];
    return Array.isArray(reply) ? reply.map((key) => ({ slot, key: String(key) })) : [];
  });
  const sizes = await inPieces(
    redis,
    pod,
    keys.map(({ key }): RedisCommand => ['MEMORY', 'USAGE', key]),
  );
  return keys.flatMap(({ slot }, i) => {
    const size = sizes[i];
    return typeof size === 'number' ? [{ slot, size }] : [];
  });
}

/** The same ones each time: a plan that is made twice must be the same. */
function spreadOut(slots: readonly number[], count: number): number[] {
  if (slots.length <= count) return [...slots];
  return Array.from({ length: count }, (_, i) => slots[Math.floor((i * slots.length) / count)] ?? 0);
}

async function inPieces(redis: RedisPort, pod: PodFacts, commands: readonly RedisCommand[]): Promise<unknown[]> {
  const replies: unknown[] = [];
  for (let at = 0; at < commands.length; at += AT_ONCE)
    replies.push(...(await redis.run(pod, commands.slice(at, at + AT_ONCE), DEADLINE_MS)));
  return replies;
}

function numberOf(reply: unknown, pod: PodFacts): number {
  if (typeof reply === 'number') return reply;
  throw new AppError(`${pod.name} does not count its keys`, { code: 'step-failed', cause: reply });
}

function ownersOf(state: ClusterState): { pod: PodFacts; slots: SlotRanges }[] {
  return state.nodes.flatMap((node: ClusterNode) =>
    node.pod === null || node.slots.length === 0 || node.reply?.kind !== 'answered'
      ? []
      : [{ pod: node.pod, slots: node.slots }],
  );
}
