/** Keys that are with nodes which do not own their slots, brought home on real servers by the step that `fix` plans for them. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { rangesFromSlots, type SlotRanges } from '../../../pkg/cluster/model/slots.ts';
import { systemClock } from '../../../pkg/engine/clock.ts';
import type { KubePort, MoveLimits, RedisCommand } from '../../../pkg/engine/ports.ts';
import { applyStep } from '../../../pkg/engine/steps/apply.ts';
import { codeOf } from '../../support/code-of.ts';
import { STATES, USUAL, sceneOf } from '../../support/broken/all-states.ts';
import { whatIsWrong } from '../../support/broken/holds.ts';
import { FULL_SLOTS, keysOf, startScene, type Scene, type SceneOptions } from '../../support/broken/scene.ts';
import { keysIn } from '../../support/move-cluster.ts';
import { specOf } from '../../support/spec.ts';
import { BINARIES } from '../move/servers.ts';

const LIMITS: MoveLimits = { maxPauseMs: 10, maxBandwidth: null };
const STRANDED = STATES.filter(({ codes }) => codes.join() === 'stray-keys');
const HOLDER = 1;

let scene: Scene | null = null;
afterEach(async () => {
  await scene?.stop();
  scene = null;
});

async function start(options: SceneOptions): Promise<Scene> {
  scene = await startScene(options);
  return scene;
}

/** As `fix` does it. */
async function settle(
  of: Scene,
  slots: SlotRanges | null,
  signal = new AbortController().signal,
  from = HOLDER,
): Promise<void> {
  const observation = await of.observe();
  const holder = { nodeId: of.ids[from] ?? '', pod: `redis-${from + 1}-0` };
  await applyStep(
    {
      kube: {} as KubePort,
      redis: of.port,
      clock: systemClock,
      spec: specOf(),
      report: () => undefined,
      signal,
      podsTimeoutMs: 1000,
      resume: '',
      ownsObjects: false,
      moving: { mover: of.port.mover, limits: LIMITS, strays: of.port.strays },
    },
    { kind: 'settle-strays', holder, slots, reason: 'the test says so' },
    observation,
  );
}

/** Keys of slots of the first primary, or of `owner`, put where they do not belong, with no mark of it. */
async function strand(
  of: Scene,
  keys: readonly string[],
  slots: readonly number[],
  [owner, at] = [0, HOLDER],
): Promise<void> {
  const ownerId = of.ids[owner] ?? '';
  await of.at(at, ...slots.map((slot): RedisCommand => ['CLUSTER', 'SETSLOT', slot, 'IMPORTING', ownerId]));
  await of.at(at, ...keys.flatMap((key): RedisCommand[] => [['ASKING'], ['SET', key, `stray ${key}`]]));
  await of.at(at, ...slots.map((slot): RedisCommand => ['CLUSTER', 'SETSLOT', slot, 'STABLE']));
  for (const key of keys) of.keys.set(key, `stray ${key}`);
}

describe.each(BINARIES)('stray keys, $name', ({ server }) => {
  test.each(STRANDED.map((state) => [state.name, state] as const))('found and brought home: %s', async (_, state) => {
    const of = await start(sceneOf(state, server));
    await state.build(of);
    await settle(of, null);
    expect([...(await whatIsWrong(of)), ...((await state.holds?.(of)) ?? [])]).toEqual([]);
    // The second time there is nothing.
    await settle(of, null);
    expect(await whatIsWrong(of)).toEqual([]);
  });

  test('slots that are named; with a password, times to live, other types', async () => {
    const of = await start({ ...USUAL, binary: server, password: 'se cret' });
    const slots = FULL_SLOTS.slice(0, 2);
    const fresh = slots.flatMap((slot) => keysOf(slot).map((key) => `late:${key}`));
    await strand(of, fresh, slots);
    const [slot = 0] = slots;
    const [first = '', second = ''] = fresh;
    await of.at(HOLDER, ['CLUSTER', 'SETSLOT', slot, 'IMPORTING', of.ids[0] ?? ''], ['ASKING'], ['EXPIRE', first, 500]);
    await of.at(HOLDER, ['ASKING'], ['DEL', second], ['ASKING'], ['RPUSH', second, 'a', 'b']);
    of.keys.set(second, 'a,b');
    await settle(of, rangesFromSlots(slots));
    expect(await whatIsWrong(of)).toEqual([]);
    const [ttl] = await of.at(0, ['TTL', first]);
    expect(Number(ttl)).toBeGreaterThan(400);
    expect(of.saved).toEqual([]);
  });

  test('many, stopped in the middle: no key is lost, and the same step brings the rest', async () => {
    const of = await start({ ...USUAL, binary: server });
    const keys = keysIn([{ start: 100, end: 160 }], 6000).map((key) => `many:${key}`);
    await strand(
      of,
      keys,
      Array.from({ length: 61 }, (_, i) => 100 + i),
    );
    const stop = new AbortController();
    const stopped = settle(of, null, stop.signal);
    const timer = setTimeout(() => stop.abort(), 40);
    const code = await codeOf(stopped);
    clearTimeout(timer);
    expect(['interrupted', 'null']).toContain(code);
    // What is left may be marked by now, and no longer looked for.
    await settle(of, [{ start: 100, end: 160 }]);
    await settle(of, null);
    expect(await whatIsWrong(of)).toEqual([]);
  });

  test('of two nodes, each of which has keys of the other', async () => {
    const of = await start({ ...USUAL, binary: server });
    const all = [
      { start: 100, end: 160, owner: 0, at: HOLDER },
      { start: 6000, end: 6060, owner: HOLDER, at: 0 },
    ];
    for (const { start: first, end, owner, at } of all) {
      const keys = keysIn([{ start: first, end }], 3000).map((key) => `many:${key}`);
      const slots = Array.from({ length: end - first + 1 }, (_, i) => first + i);
      await strand(of, keys, slots, [owner, at]);
    }
    const signal = new AbortController().signal;
    await Promise.all(all.map(({ start: first, end, at }) => settle(of, [{ start: first, end }], signal, at)));
    expect(await whatIsWrong(of)).toEqual([]);
    // Nobody waited for one who waited for him.
    for (const { at } of all) expect(String(await of.at(at, ['INFO', 'errorstats']))).not.toContain('IOERR');
  });

  test('without a place to save the copy that loses, nothing is given up', async () => {
    const of = await start({ ...USUAL, binary: server, savesConflicts: false });
    const [slot = 0] = FULL_SLOTS;
    const [key = ''] = keysOf(slot);
    const ours = of.keys.get(key) ?? '';
    await strand(of, [key], [slot]);
    of.keys.set(key, ours);
    expect(await codeOf(settle(of, null))).toBe('key-conflict');
    const [, theirs] = await of.at(HOLDER, ['ASKING'], ['GET', key]);
    expect([theirs, await of.at(0, ['GET', key])]).toEqual([`stray ${key}`, [ours]]);
  });

  test('keys of slots that nobody owns stay where they are', async () => {
    const of = await start({ ...USUAL, binary: server });
    const [slot = 0, other = 0] = FULL_SLOTS;
    const homeless = keysOf(slot).map((key) => `late:${key}`);
    await strand(of, [...homeless, ...keysOf(other).map((key) => `late:${key}`)], [slot, other]);
    await of.at(0, ['DEL', ...keysOf(slot)]);
    for (const index of [0, 1, 2]) await of.at(index, ['CLUSTER', 'DELSLOTS', slot]);
    expect(await codeOf(settle(of, [{ start: slot, end: other }]))).toBe('stray-without-owner');
    // Those of the other slot went home.
    expect(await of.at(0, ['GET', `late:${keysOf(other)[0]}`])).toEqual([`stray late:${keysOf(other)[0]}`]);
    await of.at(HOLDER, ['CLUSTER', 'SETSLOT', slot, 'IMPORTING', of.ids[0] ?? '']);
    expect(await of.at(HOLDER, ['CLUSTER', 'COUNTKEYSINSLOT', slot])).toEqual([homeless.length]);
  });
});
