/** A move is taken back on real servers by the step that `fix` plans where the target is of an older version and takes no key. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { rangesFromSlots } from '../../../pkg/cluster/model/slots.ts';
import { systemClock } from '../../../pkg/engine/clock.ts';
import { NO_POLICY } from '../../../pkg/cluster/plan/fix/fix-plan.ts';
import type { KubePort, RedisCommand } from '../../../pkg/engine/ports.ts';
import { applyStep } from '../../../pkg/engine/steps/apply.ts';
import { codeOf } from '../../support/code-of.ts';
import { USUAL } from '../../support/broken/all-states.ts';
import { whatIsWrong } from '../../support/broken/holds.ts';
import { mend } from '../../support/broken/mend.ts';
import { FULL_SLOTS, keysOf, startScene, type Scene } from '../../support/broken/scene.ts';
import { specOf } from '../../support/spec.ts';
import { BINARIES } from '../move/servers.ts';

const OWNER = 0;
const TARGET = 1;
const SLOTS = FULL_SLOTS.slice(0, 3);

let scene: Scene | null = null;
afterEach(async () => {
  await scene?.stop();
  scene = null;
});

/** As `fix` does it. */
async function takeBack(of: Scene, ownerGives: boolean, signal = new AbortController().signal): Promise<void> {
  const observation = await of.observe();
  const moving = { mover: of.port.mover, limits: { maxPauseMs: 10, maxBandwidth: null }, strays: of.port.strays };
  const known = { kube: {} as KubePort, redis: of.port, clock: systemClock, spec: specOf(), report: () => undefined };
  const holder = { nodeId: of.ids[TARGET] ?? '', pod: `redis-${TARGET + 1}-0` };
  const step = { kind: 'settle-strays', holder, slots: rangesFromSlots(SLOTS), reason: 'the test says so' } as const;
  await applyStep(
    { ...known, signal, podsTimeoutMs: 1000, resume: '', ownsObjects: false, moving },
    ownerGives ? { ...step, ownerGives: true } : step,
    observation,
  );
}

/** The owner sends clients to the target for keys that it does not have: there they write new ones. */
async function open(of: Scene, keys: readonly string[]): Promise<void> {
  const [ownerId = '', targetId = ''] = [of.ids[OWNER], of.ids[TARGET]];
  const mark = (what: string, id: string): RedisCommand[] =>
    SLOTS.map((slot): RedisCommand => ['CLUSTER', 'SETSLOT', slot, what, id]);
  await of.at(TARGET, ...mark('IMPORTING', ownerId));
  await of.at(OWNER, ...mark('MIGRATING', targetId));
  for (const key of keys) {
    const [sent] = await of.at(OWNER, ['SET', key, `new ${key}`]).catch((error: unknown) => [error]);
    expect(String(sent)).toContain('ASK');
    await of.at(TARGET, ['ASKING'], ['SET', key, `new ${key}`]);
    of.keys.set(key, `new ${key}`);
  }
}

function saysOld(port: Scene['port'], pod: string): Scene['port']['ask'] {
  return async (asked, options) => {
    const reply = await port.ask(asked, options);
    if (asked.name !== pod || reply.kind !== 'answered') return reply;
    return { ...reply, answer: { ...reply.answer, info: { ...reply.answer.info, version: '6.2.0' } } };
  };
}

const fresh = SLOTS.slice(0, 2).flatMap((slot) => keysOf(slot).map((key) => `late:${key}`));

describe.each(BINARIES)('a move taken back, $name', ({ server }) => {
  test.each([
    ['no key', []],
    ['keys that clients wrote there', fresh],
  ] as const)('the target holds %s: all are with the owner, and nothing is open', async (_, keys) => {
    scene = await startScene({ ...USUAL, binary: server });
    await open(scene, keys);
    await takeBack(scene, true);
    expect(await whatIsWrong(scene)).toEqual([]);
    expect(scene.saved).toEqual([]);
    await takeBack(scene, true);
    expect(await whatIsWrong(scene)).toEqual([]);
  });

  test('fix as a whole, where the target says that it is older: back, and closed on both ends', async () => {
    scene = await startScene({ ...USUAL, binary: server });
    await open(scene, fresh);
    const older = { ...scene, port: { ...scene.port, ask: saysOld(scene.port, `redis-${TARGET + 1}-0`) } };
    const mended = await mend(older, NO_POLICY);
    expect([mended.error, mended.batches]).toEqual([null, ['take slots back']]);
    expect(await whatIsWrong(scene)).toEqual([]);
    const [[own], owners] = await Promise.all([
      scene.at(OWNER, ['CLUSTER', 'COUNTKEYSINSLOT', SLOTS[0] ?? 0]),
      scene.at(TARGET, ...SLOTS.map((slot): RedisCommand => ['CLUSTER', 'COUNTKEYSINSLOT', slot])),
    ]);
    expect([own, owners]).toEqual([2 * keysOf(SLOTS[0] ?? 0).length, [0, 0, 0]]);
  });

  test('fix as a whole, where the mark of its owner names a third that does not import it: back, and no mark is left', async () => {
    scene = await startScene({ ...USUAL, binary: server });
    await open(scene, fresh);
    const [slot = 0] = SLOTS;
    const third = scene.ids[2] ?? '';
    await scene.at(OWNER, ['CLUSTER', 'SETSLOT', slot, 'STABLE'], ['CLUSTER', 'SETSLOT', slot, 'MIGRATING', third]);
    const older = { ...scene, port: { ...scene.port, ask: saysOld(scene.port, `redis-${TARGET + 1}-0`) } };
    expect((await mend(older, NO_POLICY)).error).toBeNull();
    expect(await whatIsWrong(scene)).toEqual([]);
    expect(scene.saved).toEqual([]);
    expect((await mend(older, NO_POLICY)).batches).toEqual([]);
  });

  test('cut short right after the owner closed: the next fix brings the rest', async () => {
    scene = await startScene({ ...USUAL, binary: server });
    await open(scene, fresh);
    await scene.at(OWNER, ...SLOTS.map((slot): RedisCommand => ['CLUSTER', 'SETSLOT', slot, 'STABLE']));
    const older = { ...scene, port: { ...scene.port, ask: saysOld(scene.port, `redis-${TARGET + 1}-0`) } };
    expect((await mend(older, NO_POLICY)).error).toBeNull();
    expect(await whatIsWrong(scene)).toEqual([]);
  });

  test('without the word to close it, its owner takes no key, and none is lost', async () => {
    scene = await startScene({ ...USUAL, binary: server });
    await open(scene, fresh);
    expect(await codeOf(takeBack(scene, false))).not.toBe('null');
    await takeBack(scene, true);
    expect(await whatIsWrong(scene)).toEqual([]);
  });

  test('one that goes to a third by now is left alone', async () => {
    scene = await startScene({ ...USUAL, binary: server });
    await open(scene, fresh);
    const [slot = 0] = SLOTS;
    await scene.at(
      OWNER,
      ['CLUSTER', 'SETSLOT', slot, 'STABLE'],
      ['CLUSTER', 'SETSLOT', slot, 'MIGRATING', scene.ids[2] ?? ''],
    );
    expect(await codeOf(takeBack(scene, true))).toBe('moved-by-others');
    const [count] = await scene.at(TARGET, ['CLUSTER', 'COUNTKEYSINSLOT', slot]);
    expect(count).toBe(fresh.length / 2);
  });
});
