/**
 * `fix` against `redis-cli --cluster fix`: a thousand open slots, as a mover leaves them that was killed. Further servers from
 * $REDIS_SERVER_EXTRA.
 *
 *   node test/bench/run.mjs fix [ROUNDS]  writes a section of docs/benchmarks.md
 */
import { loadavg } from 'node:os';
import { systemClock } from '../../pkg/engine/clock.ts';
import { slotsFromRanges } from '../../pkg/cluster/model/slots.ts';
import type { MoveLimits, RedisCommand } from '../../pkg/engine/ports.ts';
import { slotOfKey } from '../../cmd/slot-lookup.ts';
import { USUAL } from '../support/broken/all-states.ts';
import { lostKeys, whatIsWrong } from '../support/broken/holds.ts';
import { mend, mendByCli } from '../support/broken/mend.ts';
import { startScene, type Scene } from '../support/broken/scene.ts';
import { NO_POLICY } from '../../pkg/cluster/plan/fix/fix-plan.ts';
import { ALL_OUT, keysIn, POLITE } from '../support/move-cluster.ts';
import { BINARIES, type Binary } from '../redis/move/servers.ts';
import { alternate, median, spread, writeSection, type Goal } from './report.ts';

const ROUNDS = Number(process.argv[3] ?? 3);
const OPEN = { start: 2000, end: 2999 };
const KEYS_EACH = 45;
/** Of each slot; so 40,000 are still to be moved. */
const MOVED_EACH = 5;
const VALUE = 'v'.repeat(100);
const GOAL = 10;
const CLI_LIMIT_MS = 600_000;
/** Commands in one piece. */
const CHUNK = 500;

async function main(): Promise<void> {
  const table: string[][] = [['server', 'by', 'median (least-greatest)', 'speed', 'keys missing behind it']];
  const goals: Goal[] = [];
  for (const binary of BINARIES) {
    const times = await alternate(
      ROUNDS,
      {
        polite: () => timed(binary, (scene) => ours(scene, POLITE)),
        allOut: () => timed(binary, (scene) => ours(scene, ALL_OUT)),
        cli: () => timed(binary, byCli),
      },
      0,
    );
    const seconds = { polite: secondsOf(times.polite), allOut: secondsOf(times.allOut), cli: secondsOf(times.cli) };
    const speedOf = (some: readonly number[]): number => median(seconds.cli) / median(some);
    const row = (by: string, some: readonly number[], lost: string): string[] => {
      return [binary.name, by, spread(some, 2, 's'), `${speedOf(some).toFixed(1)}x`, lost];
    };
    table.push(row('`kubectl redis fix`', seconds.polite, '0'));
    table.push(row('`kubectl redis fix`, all out', seconds.allOut, '0'));
    table.push(row('`--cluster fix`', seconds.cli, times.cli.map(({ keysLost }) => keysLost).join(', ')));
    goals.push({
      what: `${binary.name}: time of fix, all out / time of \`--cluster fix\``,
      reached: 1 / speedOf(seconds.allOut),
      atMost: 1 / GOAL,
      unit: '',
    });
  }
  writeSection({
    id: 'fix',
    title: 'Repairing a thousand open slots',
    command: 'npm run bench:fix',
    text:
      `Slots ${OPEN.start}-${OPEN.end} of a cluster of three primaries are open on both sides, each with ${KEYS_EACH} keys of which ${MOVED_EACH} have moved, ` +
      'with an append-only file. Each run breaks a cluster of its own; behind `fix` each must be whole, every key with its value where its slot is. ' +
      `Timed are redis-cli (valkey-cli) from start to end, and \`fix\` without the start of its process. Alternating runs, ${ROUNDS} each, ` +
      `with ${loadavg()
        .map((load) => load.toFixed(0))
        .join(
          ', ',
        )} processes that want a processor (mean of the last 1, 5 and 15 minutes). ${process.env['BENCH_REMARK'] ?? ''}`,
    table,
    goals,
  });
}

interface Run {
  readonly seconds: number;
  readonly keysLost: number;
}

function secondsOf(runs: readonly Run[]): number[] {
  return runs.map(({ seconds }) => seconds);
}

async function timed(binary: Binary, repair: (scene: Scene, binary: Binary) => Promise<number>): Promise<Run> {
  const scene = await startScene({ ...USUAL, binary: binary.server });
  try {
    await openMany(scene);
    const seconds = (await repair(scene, binary)) / 1000;
    const wrong = await whatIsWrong(scene);
    if (wrong.length > 0 && repair !== byCli)
      throw new Error(`${binary.name}: not whole afterwards: ${wrong.slice(0, 3).join('; ')}`);
    return { seconds, keysLost: (await lostKeys(scene)).length };
  } finally {
    await scene.stop();
  }
}

async function openMany(scene: Scene): Promise<void> {
  const [source = '', target = ''] = scene.ids;
  const { address = '', port = 0 } = scene.servers[1] ?? {};
  const keys = keysIn([OPEN], KEYS_EACH * (OPEN.end - OPEN.start + 1));
  await inChunks(
    scene,
    0,
    keys.map((key) => ['SET', key, VALUE]),
  );
  for (const key of keys) scene.keys.set(key, VALUE);
  const slots = slotsFromRanges([OPEN]);
  await inChunks(
    scene,
    1,
    slots.map((slot) => ['CLUSTER', 'SETSLOT', slot, 'IMPORTING', source]),
  );
  await inChunks(
    scene,
    0,
    slots.map((slot) => ['CLUSTER', 'SETSLOT', slot, 'MIGRATING', target]),
  );
  const bySlot = new Map<number, string[]>();
  for (const key of keys) {
    const slot = slotOfKey(key);
    bySlot.set(slot, [...(bySlot.get(slot) ?? []), key]);
  }
  const moved = [...bySlot.values()].map((some) => some.slice(0, MOVED_EACH));
  await inChunks(
    scene,
    0,
    moved.map((some) => ['MIGRATE', address, port, '', 0, 5000, 'KEYS', ...some]),
  );
}

async function inChunks(scene: Scene, index: number, commands: readonly RedisCommand[]): Promise<void> {
  for (let i = 0; i < commands.length; i += CHUNK) await scene.at(index, ...commands.slice(i, i + CHUNK));
}

async function ours(scene: Scene, limits: MoveLimits): Promise<number> {
  const { error, elapsedMs } = await mend(scene, NO_POLICY, Infinity, { clock: { ...systemClock, haste: 1 }, limits });
  if (error !== null) throw error as Error;
  return elapsedMs;
}

async function byCli(scene: Scene, { cli }: Binary): Promise<number> {
  const { exitCode, elapsedMs, lastLine } = await mendByCli(scene, cli, 2, CLI_LIMIT_MS);
  if (exitCode !== 0) throw new Error(`--cluster fix ended with ${exitCode}: ${lastLine}`);
  return elapsedMs;
}

await main();
