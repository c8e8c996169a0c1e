/** Slots that were left open towards a cache which has no room for the rest of their keys: `fix` has a way, or says which limit to raise. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { NO_POLICY } from '../../../pkg/cluster/plan/fix/fix-plan.ts';
import type { RedisCommand } from '../../../pkg/engine/ports.ts';
import { AppError } from '../../../pkg/errors.ts';
import { USUAL } from '../../support/broken/all-states.ts';
import { whatIsWrong } from '../../support/broken/holds.ts';
import { mend, type Mended } from '../../support/broken/mend.ts';
import { FULL_SLOTS, keysOf, startScene, type Scene } from '../../support/broken/scene.ts';
import { BINARIES } from '../move/servers.ts';

const MIB = 2 ** 20;
const [OWNER, TARGET] = [0, 1] as const;
const SLOTS = FULL_SLOTS.slice(0, 3);
/** 24 keys of it are 3.6 MB. */
const BIG = 'x'.repeat(150_000);

let scene: Scene | null = null;
afterEach(async () => {
  await scene?.stop();
  scene = null;
});

/** Slots whose owner still has big keys, and whose target got others, as big, from clients. */
async function halfMoved(server: string): Promise<Scene> {
  const of = await startScene({ ...USUAL, binary: server });
  const [ownerId = '', targetId = ''] = [of.ids[OWNER], of.ids[TARGET]];
  const marks = (what: string, id: string): RedisCommand[] =>
    SLOTS.map((slot): RedisCommand => ['CLUSTER', 'SETSLOT', slot, what, id]);
  for (const key of SLOTS.flatMap(keysOf)) {
    await of.at(OWNER, ['SET', key, BIG]);
    of.keys.set(key, BIG);
  }
  await of.at(TARGET, ...marks('IMPORTING', ownerId));
  await of.at(OWNER, ...marks('MIGRATING', targetId));
  for (const key of SLOTS.flatMap(keysOf).map((one) => `late:${one}`)) {
    await of.at(TARGET, ['ASKING'], ['SET', key, BIG]);
    of.keys.set(key, BIG);
  }
  return of;
}

/** The limits of these tests are as they are: no node is made like the others. */
function fix(of: Scene): Promise<Mended> {
  return mend(of, NO_POLICY, Infinity, { skip: ['config-differs'] });
}

async function limit(of: Scene, index: number, left: number, policy: string): Promise<void> {
  const [info] = await of.at(index, ['INFO', 'memory']);
  const used = Number(/used_memory:(\d+)/.exec(String(info))?.[1]);
  await of.at(
    index,
    ['CONFIG', 'SET', 'maxmemory-policy', policy],
    ['CONFIG', 'SET', 'maxmemory', Math.round(used + left)],
  );
}

/** Reading all values in one go takes room, too: the limits go before that. */
async function evictedBeforeLifted(of: Scene): Promise<number[]> {
  const infos = await Promise.all([OWNER, TARGET].map((index) => of.at(index, ['INFO', 'stats'])));
  await Promise.all([OWNER, TARGET].map((index) => of.at(index, ['CONFIG', 'SET', 'maxmemory', 0])));
  return infos.map(([info]) => Number(/evicted_keys:(\d+)/.exec(String(info))?.[1]));
}

/** Where things stand: marks and counts of both ends. */
async function standing(of: Scene): Promise<unknown> {
  return Promise.all(
    [OWNER, TARGET].map(async (index) => [
      [...String((await of.at(index, ['CLUSTER', 'NODES']))[0]).matchAll(/\[\d+-[<>]-/g)].map(([mark]) => mark),
      await of.at(index, ...SLOTS.map((slot): RedisCommand => ['CLUSTER', 'COUNTKEYSINSLOT', slot])),
    ]),
  );
}

describe.each(BINARIES)('open towards a cache, $name', ({ server }) => {
  test('that has no room: taken back, and nothing is evicted', async () => {
    scene = await halfMoved(server);
    await limit(scene, TARGET, MIB, 'allkeys-lru');
    const mended = await fix(scene);
    expect([mended.error, mended.batches]).toEqual([null, ['take slots back']]);
    expect(await evictedBeforeLifted(scene)).toEqual([0, 0]);
    expect(await whatIsWrong(scene)).toEqual([]);
    expect((await fix(scene)).batches).toEqual([]);
  }, 120_000);

  test('that has room: they go on', async () => {
    scene = await halfMoved(server);
    await limit(scene, TARGET, 16 * MIB, 'allkeys-lru');
    const mended = await fix(scene);
    expect([mended.error, mended.batches]).toEqual([null, ['finish slots that are open']]);
    expect(await evictedBeforeLifted(scene)).toEqual([0, 0]);
    expect(await whatIsWrong(scene)).toEqual([]);
  }, 120_000);

  test.each(['allkeys-lru', 'noeviction'])(
    'and the owner (%s) has none: nothing is touched, and a limit is named',
    async (policy) => {
      scene = await halfMoved(server);
      await limit(scene, TARGET, MIB, 'allkeys-lru');
      await limit(scene, OWNER, MIB, policy);
      const before = await standing(scene);
      const mended = await fix(scene);
      expect([mended.error, mended.batches, await standing(scene)]).toEqual([null, [], before]);
      const hint = mended.plan.left.find(({ problem }) => problem.code === 'slots-open')?.hint ?? '';
      const [, more = ''] = /redis-2-0 has no room .* or raise that of redis-1-0 by (\d+) MiB or more/.exec(hint) ?? [];
      const [limitNow] = await scene.at(OWNER, ['CONFIG', 'GET', 'maxmemory']);
      const raised = Number((limitNow as string[])[1]) + Number(more) * MIB;
      await scene.at(OWNER, ['CONFIG', 'SET', 'maxmemory', raised]);
      expect((await fix(scene)).error).toBeNull();
      expect(await evictedBeforeLifted(scene)).toEqual([0, 0]);
      expect(await whatIsWrong(scene)).toEqual([]);
    },
    120_000,
  );

  test('that does not tell: they go on as far as it lets them, and nothing is lost', async () => {
    scene = await halfMoved(server);
    await limit(scene, TARGET, MIB, 'allkeys-lru');
    const { mover } = scene.port;
    const silent = {
      ...mover,
      lacks: () => Promise.reject(new AppError('it may not be asked', { code: 'permission' })),
    };
    const mended = await fix({ ...scene, port: { ...scene.port, mover: silent } });
    expect(mended.error).toMatchObject({ code: 'target-out-of-memory' });
    expect((await fix(scene)).error).toBeNull();
    expect(await evictedBeforeLifted(scene)).toEqual([0, 0]);
    expect(await whatIsWrong(scene)).toEqual([]);
  }, 120_000);

  test('whose owner is filled while it takes them back: open again, so that all keys are found, and the next fix brings the rest', async () => {
    scene = await halfMoved(server);
    await limit(scene, TARGET, MIB, 'allkeys-lru');
    const { strays } = scene.port;
    const of = scene;
    let shrunk: Promise<void> | null = null;
    const filled: typeof strays.settle = (job, limits, onProgress, signal, fence) =>
      strays.settle(
        job,
        { ...limits, maxBandwidth: 1e6 },
        (progress) => {
          if (progress.keys > 2) shrunk ??= limit(of, OWNER, 0.5 * MIB, 'allkeys-lru');
          onProgress(progress);
        },
        signal,
        fence,
      );
    const mended = await fix({ ...scene, port: { ...scene.port, strays: { settle: filled } } });
    expect(mended.error).toMatchObject({ code: 'target-out-of-memory' });
    const [nodes, counts] = await Promise.all([
      scene.at(OWNER, ['CLUSTER', 'NODES']),
      scene.at(TARGET, ...SLOTS.map((slot): RedisCommand => ['CLUSTER', 'COUNTKEYSINSLOT', slot])),
    ]);
    SLOTS.forEach((slot, i) => expect(String(nodes[0]).includes(`[${slot}->-`)).toBe(counts[i] !== 0));
    await scene.at(OWNER, ['CONFIG', 'SET', 'maxmemory', 64 * MIB]);
    expect((await fix(scene)).error).toBeNull();
    expect(await evictedBeforeLifted(scene)).toEqual([0, 0]);
    expect(await whatIsWrong(scene)).toEqual([]);
  }, 120_000);
});
