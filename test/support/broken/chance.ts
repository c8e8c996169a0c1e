/**
 * Breaks a cluster in several random ways at once: slots open on one side, on both or on none, their keys strewn, copied and
 * overwritten, slots taken from everybody, ghosts, a node that is told a wrong owner. Every key keeps the value that must be there in
 * the end: whatever the owner of its slot was last told.
 */
import { interpret } from '../../../pkg/cluster/interpret.ts';
import { containsSlot } from '../../../pkg/cluster/model/slots.ts';
import type { RedisCommand } from '../../../pkg/engine/ports.ts';
import { keysIn } from '../move-cluster.ts';
import { poll } from '../redis-server.ts';
import type { Scene } from './scene.ts';

/** Slots that faults are about, all over the cluster, each with some keys. */
export const SLOTS: readonly number[] = Array.from({ length: 48 }, (_, i) => 100 + i * 337);
/** Slots without keys. */
const EMPTY: readonly number[] = Array.from({ length: 16 }, (_, i) => 150 + i * 1000);
const KEYS_EACH = 6;
const MOST_FAULTS = 6;

type Random = () => number;

interface Chance {
  readonly scene: Scene;
  readonly random: Random;
  /** Which server owns each slot. */
  readonly owners: ReadonlyMap<number, number>;
  /** Slots that no fault of this round is about yet. */
  readonly free: Set<number>;
}

/** Fills the slots that are to be broken. */
export async function prepareChance(scene: Scene): Promise<void> {
  const owners = await ownersIn(scene);
  for (const slot of SLOTS) {
    const keys = keysOfSlot(slot);
    for (const key of keys) scene.keys.set(key, `first ${key}`);
    await scene.at(owners.get(slot) ?? 0, ...keys.map((key): RedisCommand => ['SET', key, `first ${key}`]));
  }
}

/** @returns what was done, in words */
export async function breakByChance(scene: Scene, random: Random): Promise<string[]> {
  const chance: Chance = { scene, random, owners: await ownersIn(scene), free: new Set(SLOTS) };
  const said: string[] = [];
  const count = 1 + Math.floor(random() * MOST_FAULTS);
  for (let i = 0; i < count; i++) {
    const fault = pick(random, [
      interruptedMove,
      interruptedMove,
      interruptedMove,
      strandedKeys,
      nobodysSlots,
      wrongOwner,
    ]);
    said.push(await fault(chance));
  }
  if (random() < 0.15) said.push(await ghost(chance));
  return said;
}

function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

/** The owner of each slot by its own word. */
async function ownersIn(scene: Scene): Promise<Map<number, number>> {
  const state = interpret(await scene.observe());
  const owners = new Map<number, number>();
  for (const slot of [...SLOTS, ...EMPTY]) {
    const node = state.nodes.find(({ slots }) => containsSlot(slots, slot));
    owners.set(slot, scene.ids.indexOf(node?.nodeId ?? ''));
  }
  return owners;
}

function keysOfSlot(slot: number): string[] {
  return keysIn([{ start: slot, end: slot }], KEYS_EACH).map((key) => `chance:${key}`);
}

interface Move {
  readonly slot: number;
  readonly from: number;
  readonly to: number;
}

function nextMove({ random, owners, free, scene }: Chance): Move {
  const slot = pick(random, [...free]);
  free.delete(slot);
  const from = owners.get(slot) ?? 0;
  const others = scene.ids.map((_, index) => index).filter((index) => index !== from);
  return { slot, from, to: pick(random, others) };
}

async function openBoth({ scene }: Chance, { slot, from, to }: Move): Promise<void> {
  await scene.at(to, ['CLUSTER', 'SETSLOT', slot, 'IMPORTING', scene.ids[from] ?? '']);
  await scene.at(from, ['CLUSTER', 'SETSLOT', slot, 'MIGRATING', scene.ids[to] ?? '']);
}

/** Some keys have moved, some were only copied, and of those some were written again at the owner. */
async function strew({ scene, random }: Chance, { slot, from, to }: Move): Promise<string> {
  const target = scene.servers[to];
  const migrate = (key: string, ...how: readonly string[]): Promise<unknown> =>
    scene.at(from, ['MIGRATE', target?.address ?? '', target?.port ?? 0, '', 0, 5000, ...how, 'KEYS', key]);
  const done = { moved: 0, copied: 0, rewritten: 0 };
  for (const key of keysOfSlot(slot)) {
    const dice = random();
    if (dice < 0.35) {
      await migrate(key, 'REPLACE');
      done.moved++;
    } else if (dice < 0.55) {
      await migrate(key, 'COPY', 'REPLACE');
      done.copied++;
      if (random() < 0.5) continue;
      const value = `again ${Math.floor(random() * 1e9)}`;
      await scene.at(from, ['SET', key, value]);
      scene.keys.set(key, value);
      done.rewritten++;
    }
  }
  return `${done.moved} keys moved, ${done.copied} copied, ${done.rewritten} of them written again`;
}

async function interruptedMove(chance: Chance): Promise<string> {
  const { scene, random } = chance;
  const move = nextMove(chance);
  await openBoth(chance, move);
  const keys = random() < 0.8 ? await strew(chance, move) : 'no key moved';
  const marks = pick(random, ['both', 'source', 'target', 'none'] as const);
  if (marks === 'target' || marks === 'none') await scene.at(move.from, ['CLUSTER', 'SETSLOT', move.slot, 'STABLE']);
  if (marks === 'source' || marks === 'none') await scene.at(move.to, ['CLUSTER', 'SETSLOT', move.slot, 'STABLE']);
  return `slot ${move.slot} from ${move.from} to ${move.to}: ${keys}; marks: ${marks}`;
}

/** New keys, with a node that never owned the slot. */
async function strandedKeys(chance: Chance): Promise<string> {
  const { scene, random } = chance;
  const { slot, from, to } = nextMove(chance);
  const keys = keysOfSlot(slot).map((key) => `stray:${Math.floor(random() * 1e6)}:${key}`);
  await scene.at(
    to,
    ['CLUSTER', 'SETSLOT', slot, 'IMPORTING', scene.ids[from] ?? ''],
    ...keys.flatMap((key): RedisCommand[] => [['ASKING'], ['SET', key, 'stray']]),
    ['CLUSTER', 'SETSLOT', slot, 'STABLE'],
  );
  for (const key of keys) scene.keys.set(key, 'stray');
  return `slot ${slot}: ${keys.length} keys with ${to} instead of ${from}`;
}

async function nobodysSlots({ scene, random }: Chance): Promise<string> {
  const slots = EMPTY.filter(() => random() < 0.3);
  if (slots.length === 0) return 'nothing';
  // Who was asked already is asked again in vain.
  await Promise.all(
    scene.ids.map((_, index) =>
      scene.port.run(
        scene.servers[index]?.pod ?? never(),
        slots.map((slot): RedisCommand => ['CLUSTER', 'DELSLOTS', slot]),
        5000,
      ),
    ),
  );
  return `slots ${slots.join()} of nobody`;
}

/** A node that has nothing to do with the slot is told a wrong owner. */
async function wrongOwner(chance: Chance): Promise<string> {
  const { scene } = chance;
  const { slot, from, to } = nextMove(chance);
  const third = scene.ids.findIndex((_, index) => index !== from && index !== to);
  await scene.at(third, ['CLUSTER', 'SETSLOT', slot, 'NODE', scene.ids[to] ?? '']);
  return `slot ${slot} of ${from}: ${third} believes it is of ${to}`;
}

/** The spare server joins, and dies with its volume. */
async function ghost({ scene }: Chance): Promise<string> {
  const spare = scene.ids.length;
  await scene.wipe(spare);
  await scene.restart(spare);
  const { address = '', port = 0 } = scene.servers[spare] ?? {};
  const [id] = await scene.at(spare, ['CLUSTER', 'MYID']);
  await scene.at(0, ['CLUSTER', 'MEET', address, port]);
  await poll('all know the spare one', 20_000, async () => {
    const views = await Promise.all(scene.ids.map((_, index) => scene.at(index, ['CLUSTER', 'NODES'])));
    return views.every(([view]) => String(view).includes(String(id))) ? true : null;
  });
  await scene.wipe(spare);
  await poll('all miss the spare one', 20_000, async () => {
    const views = await Promise.all(scene.ids.map((_, index) => scene.at(index, ['CLUSTER', 'NODES'])));
    return views.every(([view]) => isMissed(String(view), String(id))) ? true : null;
  });
  return `ghost ${String(id).slice(0, 8)}`;
}

function isMissed(view: string, id: string): boolean {
  const line = view.split('\n').find((one) => one.startsWith(id));
  return line === undefined || /disconnected|fail/.test(line);
}

function never(): never {
  throw new Error('there is no such server');
}
