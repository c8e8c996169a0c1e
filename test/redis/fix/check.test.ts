/** `check` on real servers, broken in every way that we know: each is named with its code. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { check } from '../../../pkg/cluster/check/check.ts';
import { interpret } from '../../../pkg/cluster/interpret.ts';
import { STATES, USUAL, sceneOf } from '../../support/broken/all-states.ts';
import { startScene, type Scene } from '../../support/broken/scene.ts';
import { poll } from '../../support/redis-server.ts';
import { BINARIES } from '../move/servers.ts';

let scene: Scene | null = null;
afterEach(async () => {
  await scene?.stop();
  scene = null;
});

async function codesOf(of: Scene): Promise<string[]> {
  const observation = await of.observe();
  return check(interpret(observation), observation).map((problem) => problem.code);
}

describe.each(BINARIES)('check, $name', ({ server, name }) => {
  test('names nothing where nothing is wrong', async () => {
    scene = await startScene({ ...USUAL, replicas: 1, binary: server });
    const of = scene;
    const left = await poll('no problem', 10_000, async () => ((await codesOf(of)).length === 0 ? [] : null)).catch(
      () => codesOf(of),
    );
    expect(left).toEqual([]);
  });

  test.each(STATES.map((state) => [`${state.row} ${state.name}`, state] as const))('%s', async (_, state) => {
    scene = await startScene(sceneOf(state, server));
    const of = scene;
    await state.build(of);
    if (state.healedBy?.test(name) === true) return;
    const named = await poll('check names it', 15_000, async () => {
      const codes = await codesOf(of);
      return state.codes.every((code) => codes.includes(code)) ? codes : null;
    }).catch(() => codesOf(of));
    expect(named).toEqual(expect.arrayContaining([...state.codes]));
    if (process.env['FIX_SHOW'] !== undefined) console.log(`${state.row} ${state.name}: ${named.join(' ')}`);
  });
});
