/** Slots that a move left behind, half open, stranded, or with two minds about whose they are. */
import type { BrokenState } from './state.ts';
import { EMPTY_SLOTS, FULL_SLOTS, keysOf, untilView, type Scene } from './scene.ts';

/** The first primary owns the slot; the second is where it was going. */
const [A, B, C] = [0, 1, 2];
const [SLOT = 0, OTHER = 0] = FULL_SLOTS;

async function open(scene: Scene, slot: number, sides: 'both' | 'source' | 'target' = 'both'): Promise<void> {
  if (sides !== 'source') await scene.at(B, ['CLUSTER', 'SETSLOT', slot, 'IMPORTING', idOf(scene, A)]);
  if (sides !== 'target') await scene.at(A, ['CLUSTER', 'SETSLOT', slot, 'MIGRATING', idOf(scene, B)]);
}

function idOf(scene: Scene, index: number): string {
  return scene.ids[index] ?? '';
}

/** Moves the first `count` keys of the slot. */
async function moveKeys(scene: Scene, slot: number, count: number, ...options: readonly string[]): Promise<string[]> {
  const { address, port } = scene.servers[B] ?? { address: '', port: 0 };
  const keys = keysOf(slot).slice(0, count);
  await scene.at(A, ['MIGRATE', address, port, '', 0, 5000, ...options, 'KEYS', ...keys]);
  return keys;
}

async function close(scene: Scene, index: number, slot: number): Promise<void> {
  await scene.at(index, ['CLUSTER', 'SETSLOT', slot, 'STABLE']);
}

const half = keysOf(SLOT).length / 2;
const all = keysOf(SLOT).length;

export const SLOT_STATES: readonly BrokenState[] = [
  {
    row: '1.8',
    name: 'open on the source only, no key moved',
    build: (scene) => open(scene, SLOT, 'source'),
    codes: ['slots-half-open'],
    outcome: 'repaired',
  },
  {
    row: '1.8',
    name: 'open on the target only, no key moved',
    build: (scene) => open(scene, SLOT, 'target'),
    codes: ['slots-half-open'],
    outcome: 'repaired',
  },
  {
    row: '1.9',
    name: 'open on both sides, keys split',
    build: async (scene) => {
      await open(scene, SLOT);
      await moveKeys(scene, SLOT, half);
    },
    codes: ['slots-open'],
    outcome: 'repaired',
  },
  {
    row: '1.10',
    name: 'closed on the source, open on the target, keys split',
    build: async (scene) => {
      await open(scene, SLOT);
      await moveKeys(scene, SLOT, half);
      await close(scene, A, SLOT);
    },
    codes: ['slots-half-open'],
    outcome: 'repaired',
  },
  {
    row: '1.11',
    name: 'open on the source, closed on the target, keys split',
    build: async (scene) => {
      await open(scene, SLOT);
      await moveKeys(scene, SLOT, half);
      await close(scene, B, SLOT);
    },
    codes: ['slots-half-open', 'stray-keys'],
    outcome: 'repaired',
  },
  {
    row: '1.12',
    name: 'closed on both sides, keys split',
    build: async (scene) => {
      for (const slot of [SLOT, OTHER]) {
        await open(scene, slot);
        await moveKeys(scene, slot, half);
        await close(scene, A, slot);
        await close(scene, B, slot);
      }
    },
    codes: ['stray-keys'],
    outcome: 'repaired',
  },
  {
    row: '1.13',
    name: 'the same key on both sides, equal',
    build: async (scene) => {
      await open(scene, SLOT);
      await moveKeys(scene, SLOT, 2, 'COPY');
      await close(scene, A, SLOT);
      await close(scene, B, SLOT);
    },
    codes: ['stray-keys'],
    outcome: 'repaired',
    holds: async ({ saved }) => saved.map(({ key }) => `${key.toString()} was saved as a conflict`),
  },
  {
    row: '1.13',
    name: 'the same key on both sides, different values',
    build: async (scene) => {
      await open(scene, SLOT);
      const [key = '', second = ''] = await moveKeys(scene, SLOT, 2, 'COPY');
      await close(scene, A, SLOT);
      await close(scene, B, SLOT);
      await scene.at(A, ['SET', key, 'newer']);
      scene.keys.set(key, 'newer');
      await scene.at(A, ['DEL', second], ['RPUSH', second, 'another', 'kind']);
      scene.keys.set(second, 'another,kind');
    },
    codes: ['stray-keys'],
    outcome: 'repaired',
    holds: async ({ saved }) => (saved.length === 2 ? [] : [`${saved.length} copies were saved, not 2`]),
  },
  {
    row: '1.13',
    name: 'the same key on both sides, different values, open on the target',
    build: async (scene) => {
      await open(scene, SLOT);
      const [key = ''] = await moveKeys(scene, SLOT, 2, 'COPY');
      await close(scene, A, SLOT);
      await scene.at(A, ['SET', key, 'newer']);
      scene.keys.set(key, 'newer');
    },
    codes: ['slots-half-open'],
    outcome: 'repaired',
    holds: async ({ saved }) => (saved.length === 1 ? [] : [`${saved.length} copies were saved, not 1`]),
  },
  {
    row: '1.14',
    name: 'only the target was told of its new slot',
    build: async (scene) => {
      await open(scene, SLOT);
      await moveKeys(scene, SLOT, all);
      await scene.at(B, ['CLUSTER', 'SETSLOT', SLOT, 'NODE', idOf(scene, B)]);
      await untilView(scene, A, 'the source has heard of it', (view) => ownsSlot(view, idOf(scene, B), SLOT));
    },
    codes: ['slots-half-open'],
    healedBy: /^valkey/i,
    outcome: 'repaired',
  },
  {
    row: '1.15',
    name: 'the source was told first, the target never',
    build: async (scene) => {
      await open(scene, SLOT);
      await moveKeys(scene, SLOT, all);
      await scene.at(A, ['CLUSTER', 'SETSLOT', SLOT, 'NODE', idOf(scene, B)]);
    },
    codes: ['slots-half-open'],
    healedBy: /^valkey/i,
    outcome: 'repaired',
  },
  {
    row: '1.16',
    name: 'open on both sides, every key still at the source: the owner must not change yet',
    build: (scene) => open(scene, SLOT),
    codes: ['slots-open'],
    outcome: 'repaired',
  },
  {
    row: '1.18',
    name: 'a third node takes another for the owner of a slot',
    // It believes in the one with the higher epoch for as long as nobody tells it.
    build: (scene) => scene.at(C, ['CLUSTER', 'SETSLOT', SLOT, 'NODE', idOf(scene, B)]).then(() => undefined),
    codes: ['views-differ'],
    outcome: 'repaired',
  },
  {
    row: '1.35',
    name: 'slots without an owner, and without keys',
    build: async (scene) => {
      const slots = Array.from({ length: 40 }, (_, i) => EMPTY_SLOTS.start + i);
      await Promise.all(scene.servers.map((_, index) => scene.at(index, ['CLUSTER', 'DELSLOTS', ...slots])));
    },
    codes: ['slots-uncovered'],
    outcome: 'repaired',
  },
];

/** Whether a view says so. */
function ownsSlot(view: string, nodeId: string, slot: number): boolean {
  const line = view.split('\n').find((one) => one.startsWith(nodeId)) ?? '';
  return line
    .split(' ')
    .slice(8)
    .some((word) => {
      const [start = -1, end = start] = word.split('-').map(Number);
      return start <= slot && slot <= end;
    });
}
