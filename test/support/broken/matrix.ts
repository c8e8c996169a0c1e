/**
 * The tests of the failure matrix, for a part of its rows: each broken state is named by check, mended by fix, and stays so. With
 * $FIX_FIGURES=FILE each is built a second time for redis-cli, and both outcomes are written there; $FIX_SHOW tells what fix did; with
 * $FIX_KILLS each is built and mended many times more, killed at every command that changes something.
 */
import { appendFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { slotOfKey } from '../../../cmd/slot-lookup.ts';
import { AppError } from '../../../pkg/errors.ts';
import { poll } from '../redis-server.ts';
import { sceneOf } from './all-states.ts';
import { BINARIES, type Binary } from '../../redis/move/servers.ts';
import { lostKeys, whatIsWrong } from './holds.ts';
import { codesOf, mend, mendByCli, mendKilled, policyOf, type Mended } from './mend.ts';
import { startScene, type Scene } from './scene.ts';
import type { BrokenState } from './state.ts';

/** One line of docs/failures.md, for one version. */
interface Row {
  readonly row: string;
  readonly name: string;
  readonly server: string;
  /** Codes that check must name. */
  readonly expected: readonly string[];
  readonly ours: string;
  readonly oursLost: number;
  readonly cli: string;
  readonly cliLost: number;
}

const FIGURES = process.env['FIX_FIGURES'] ?? '';
const KILLS = process.env['FIX_KILLS'] !== undefined;
const TEST_MS = KILLS ? 1_800_000 : 180_000;

export function testMatrix(title: string, states: readonly BrokenState[]): void {
  let scene: Scene | null = null;
  afterEach(async () => {
    await scene?.stop();
    scene = null;
  });

  describe.each(BINARIES)(`${title}, $name`, (binary) => {
    test.each(states.map((state) => [`${state.row} ${state.name}`, state] as const))(
      '%s',
      async (_, state) => {
        scene = await broken(state, binary);
        await expectNamed(scene, state, binary);
        const mended = await mend(scene, policyOf(state));
        const ours = await judge(scene, state, mended);
        const oursLost = (await lostKeys(scene)).length;
        for (let at = 1, killed = KILLS; killed; at++) {
          for (const when of ['before', 'after'] as const) {
            await scene.stop();
            scene = await broken(state, binary);
            killed = await mendKilled(scene, policyOf(state), at, when);
            await judge(scene, state, await mend(scene, policyOf(state)));
          }
        }
        if (FIGURES !== '') {
          await scene.stop();
          scene = await broken(state, binary);
          const cli = await byCli(scene, state, binary);
          record({
            row: state.row,
            name: state.name,
            server: binary.name,
            expected: state.codes,
            ours,
            oursLost,
            ...cli,
          });
        }
      },
      TEST_MS,
    );
  });
}

async function broken(state: BrokenState, { server }: Binary): Promise<Scene> {
  const scene = await startScene(sceneOf(state, server));
  try {
    await state.build(scene);
    for (const key of scene.keys.keys()) if (state.lost?.(slotOfKey(key)) === true) scene.keys.delete(key);
    return scene;
  } catch (error) {
    await scene.stop();
    throw error;
  }
}

async function expectNamed(scene: Scene, state: BrokenState, { name }: Binary): Promise<void> {
  if (state.healedBy?.test(name) === true) return;
  const named = await poll('check names it', 15_000, async () => {
    const codes = await codesOf(scene);
    return state.codes.every((code) => codes.includes(code)) ? codes : null;
  }).catch(() => codesOf(scene));
  expect(named).toEqual(expect.arrayContaining([...state.codes]));
}

/** What must hold behind `fix`. @returns what it did, in words */
async function judge(scene: Scene, state: BrokenState, mended: Mended): Promise<string> {
  const { error, plan, batches, elapsedMs } = mended;
  if (process.env['FIX_SHOW'] !== undefined) console.log(showing(state, mended));
  expect(error instanceof AppError ? `${error.code}: ${error.message} (${String(error.cause)})` : error).toBe(null);
  expect(elapsedMs).toBeLessThan(state.withinMs ?? TEST_MS);
  // A second run finds nothing to do, whatever is left.
  expect(plan.repairs.map(({ code, title }) => `${code}: ${title}`)).toEqual([]);
  switch (state.outcome) {
    case 'repaired': {
      const left = await poll('whole', 15_000, async () =>
        (await wrong(scene, state)).length === 0 ? [] : null,
      ).catch(() => wrong(scene, state));
      expect(left).toEqual([]);
      return batches.length > 0 ? 'repaired' : 'waited: healed by itself';
    }
    case 'by-itself':
      expect(batches).toEqual([]);
      expect(await lostKeys(scene)).toEqual([]);
      return 'waited: it ends by itself';
    case 'refused': {
      const left = plan.left.filter(({ problem }) => state.codes.includes(problem.code));
      expect(left.map(({ why }) => why)).not.toContain('by-itself');
      expect(left.length).toBeGreaterThan(0);
      for (const { hint } of left) expect(hint.length).toBeGreaterThan(20);
      return `left: ${[...new Set(left.map(({ why, flag }) => flag ?? why))].join(', ')}`;
    }
    default:
      return state.outcome satisfies never;
  }
}

async function wrong(scene: Scene, state: BrokenState): Promise<string[]> {
  return [...(await whatIsWrong(scene)), ...((await state.holds?.(scene)) ?? [])];
}

function showing(state: BrokenState, { error, plan, batches, elapsedMs }: Mended): string {
  const left = plan.left.map(({ problem, why, hint }) => `    ${problem.code} ${why}: ${hint}`).join('\n');
  const failed = error instanceof AppError ? `${error.code}: ${error.message} (${String(error.cause)})` : String(error);
  return `${state.row} ${state.name}: ${(elapsedMs / 1000).toFixed(1)} s, ${failed}\n  ${batches.join(' | ')}\n${left}`;
}

async function byCli(scene: Scene, state: BrokenState, binary: Binary): Promise<Pick<Row, 'cli' | 'cliLost'>> {
  await expectNamed(scene, state, binary);
  // A person would ask a node that answers: the last primary is never the one that is broken.
  const { exitCode, elapsedMs, lastLine } = await mendByCli(scene, binary.cli, 2);
  const left = await poll('whole', 10_000, async () => ((await wrong(scene, state)).length === 0 ? [] : null)).catch(
    () => wrong(scene, state),
  );
  const cliLost = (await lostKeys(scene)).length;
  const seconds = `${(elapsedMs / 1000).toFixed(0)} s`;
  const how =
    left.length === 0
      ? 'repaired'
      : exitCode === null
        ? `hung, stopped after ${seconds}`
        : exitCode === 0
          ? 'says ok, not repaired'
          : 'gave up, not repaired';
  if (process.env['FIX_SHOW'] !== undefined)
    console.log(`  redis-cli: ${how}, ${cliLost} keys lost\n  ${lastLine}\n  ${left.join('; ')}`);
  return { cli: how, cliLost };
}

function record(row: Row): void {
  appendFileSync(FIGURES, `${JSON.stringify(row)}\n`);
}
