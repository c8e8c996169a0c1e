/**
 * Keys that are with a newer server than the owner of their slots runs, in the middle of an upgrade: the owner takes none of them, so `fix` moves
 * the slots to where the keys are.
 */
import { afterEach, describe, expect, test } from '@jest/globals';
import { NO_POLICY } from '../../../pkg/cluster/plan/fix/fix-plan.ts';
import { takesKeysOf } from '../../../pkg/cluster/plan/server-version.ts';
import type { RedisCommand } from '../../../pkg/engine/ports.ts';
import { USUAL } from '../../support/broken/all-states.ts';
import { whatIsWrong } from '../../support/broken/holds.ts';
import { codesOf, mend, mendKilled } from '../../support/broken/mend.ts';
import { FULL_SLOTS, keysOf, startScene, type Scene } from '../../support/broken/scene.ts';
import { BINARIES } from '../move/servers.ts';

const OWNER = 0;
const HOLDER = 1;
const SLOTS = FULL_SLOTS.slice(0, 2);
const FRESH = SLOTS.flatMap((slot) => keysOf(slot).map((key) => `late:${key}`));
const OLDER = '6.2.0';

/** All pairs of which only the newer one takes the other's keys; one server that says that it is older is there in any case. */
const PAIRS = BINARIES.flatMap((older) => [
  ...BINARIES.filter((newer) => takes(newer.name, older.name) && !takes(older.name, newer.name)).map((newer) => ({
    name: `${older.name} and ${newer.name}`,
    older,
    newer,
    says: false,
  })),
  { name: `${older.name}, the owner says ${OLDER}`, older, newer: older, says: true },
]);

function takes(target: string, source: string): boolean {
  const [to, from] = [target, source].map((name) => {
    const [product = '', version = ''] = name.toLowerCase().split(' ');
    return { product: product === 'valkey' ? ('valkey' as const) : ('redis' as const), version };
  });
  return to !== undefined && from !== undefined && takesKeysOf(to, from);
}

let scene: Scene | null = null;
afterEach(async () => {
  await scene?.stop();
  scene = null;
});

describe.each(PAIRS)('a newer server holds keys of an older one, $name', ({ older, newer, says }) => {
  /** Keys that only the holder has, and one that both have. */
  async function start(): Promise<Scene> {
    scene = await startScene({
      ...USUAL,
      binary: newer.server,
      binaryOf: (index) => (index === HOLDER ? newer.server : older.server),
    });
    const of = says ? { ...scene, port: { ...scene.port, ask: saysOld(scene.port) } } : scene;
    const mark = (what: string): RedisCommand[] =>
      SLOTS.map((slot): RedisCommand => ['CLUSTER', 'SETSLOT', slot, ...what.split(' ')]);
    await of.at(HOLDER, ...mark(`IMPORTING ${of.ids[OWNER]}`));
    const [both = ''] = keysOf(SLOTS[0] ?? 0);
    await of.at(HOLDER, ...[...FRESH, both].flatMap((key): RedisCommand[] => [['ASKING'], ['SET', key, `new ${key}`]]));
    await of.at(HOLDER, ...mark('STABLE'));
    for (const key of FRESH) of.keys.set(key, `new ${key}`);
    return of;
  }

  async function mended(of: Scene): Promise<void> {
    expect(await whatIsWrong(of)).toEqual([]);
    expect(await codesOf(of)).not.toContain('stray-keys');
    // The owner's copy won, and the other one was saved.
    expect(new Set(of.saved.map(({ key }) => key.toString()))).toEqual(new Set(keysOf(SLOTS[0] ?? 0).slice(0, 1)));
    const counts = await of.at(HOLDER, ...SLOTS.map((slot): RedisCommand => ['CLUSTER', 'COUNTKEYSINSLOT', slot]));
    expect(counts).toEqual(SLOTS.map((slot) => 2 * keysOf(slot).length));
  }

  test('fix moves the slots to it, and the owner loses nothing; a second run finds nothing', async () => {
    const of = await start();
    expect(await codesOf(of)).toContain('stray-keys');
    const { error, batches } = await mend(of, NO_POLICY);
    expect([error, batches]).toEqual([null, ['bring keys to the owners of their slots', 'finish slots that are open']]);
    await mended(of);
    expect((await mend(of, NO_POLICY)).batches).toEqual([]);
  });

  test.each([1, 2, 3, 4, 6])('killed at its change %i: the next run comes to the end', async (at) => {
    const of = await start();
    await mendKilled(of, NO_POLICY, at, 'after');
    expect((await mend(of, NO_POLICY)).error).toBeNull();
    await mended(of);
  });
});

function saysOld(port: Scene['port']): Scene['port']['ask'] {
  return async (asked, options) => {
    const reply = await port.ask(asked, options);
    if (asked.name === `redis-${HOLDER + 1}-0` || reply.kind !== 'answered') return reply;
    return { ...reply, answer: { ...reply.answer, info: { ...reply.answer.info, version: OLDER } } };
  };
}
