/**
 * The mover in a process that is killed at random points while clients write, and then the same move again: in the end
 * every slot is where it was sent, every key is there exactly once, and no acknowledged write is lost.
 *
 * MOVE_KILLS = how many kills (20, `npm run test:long` 200), MOVE_SEED = the seed that a failed run printed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { slotOfKey } from '../../../cmd/slot-lookup.ts';
import { countSlots, splitSlots } from '../../../pkg/cluster/model/slots.ts';
import type { SlotMove } from '../../../pkg/engine/ports.ts';
import { parseClusterNodes } from '../../../pkg/redis/parse/cluster-nodes.ts';
import { writeSection } from '../../bench/report.ts';
import { startWriters } from '../../support/acked-writes.ts';
import { bundleMover, writeMoves } from '../../support/bundle-program.ts';
import { awaitSettled, fill, keysIn, startMoveCluster, totalKeys } from '../../support/move-cluster.ts';
import type { MoveCluster } from '../../support/move-cluster.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { findStrays } from '../../support/strays.ts';
import { CASES } from './servers.ts';

const KILLS = Number(process.env['MOVE_KILLS'] ?? 20);
const SEED = Number(process.env['MOVE_SEED'] ?? Date.now() % 1_000_000);
const SHARES = splitSlots(3);
/** 100 slots of each primary. */
const MOVED = SHARES.map(({ start }) => ({ start, end: start + 99 }));
const KEYS = 12_000;
/** As many kills make a run whose result is written down: of the server that everybody has, and of those that can more. */
const LONG_RUN = 200;
const LONG_RUN_OF_OTHERS = 40;

const rows: { readonly system: boolean; readonly cells: readonly string[] }[] = [];
afterAll(() => {
  writeDown(true, LONG_RUN);
  writeDown(false, LONG_RUN_OF_OTHERS);
});

function writeDown(system: boolean, least: number): void {
  const cells = rows.filter((row) => row.system === system).map((row) => row.cells);
  if (KILLS < least || cells.length === 0) return;
  writeSection({
    id: system ? 'killed-movers' : 'killed-movers-others',
    title: system ? 'Killed movers' : 'Killed movers, servers that can move slots by themselves',
    command: system ? 'npm run test:long' : `MOVE_KILLS=${KILLS} REDIS_SERVER_EXTRA=… test/run redis move/kill`,
    text:
      'A mover, in a process of its own, is killed at random points while six clients write to the slots that it moves, and the ' +
      `same move is run again. ${SHARES.length} primaries give 100 slots each to a fourth, and get them back, in turn. Seed ${SEED}.` +
      (system ? '' : ' A job of the servers themselves goes on without the mover, and the next one waits for it.'),
    table: [
      ['server', 'kills', 'in the middle of a move', 'acknowledged writes', 'of them lost', 'errors that clients saw'],
      ...cells,
    ],
    goals: [{ what: 'lost writes, keys that are twice, errors that clients saw', reached: 0, atMost: 0, unit: '' }],
  });
}

describe.each(CASES)('a mover that is killed, $name by $way', (binary) => {
  let cluster: MoveCluster;
  let dir: string;
  let child: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'mover-child-'));
    child = await bundleMover(dir);
    cluster = await startMoveCluster({ masters: 3, empty: 1, binary: binary.server, nodeTimeoutMs: 5000 });
    const owners = SHARES.map((share, i) => ({ server: cluster.server(i), slots: [share] }));
    await fill(cluster.port, owners, keysIn(MOVED, KEYS));
  }, 60_000);
  afterAll(async () => {
    await cluster.stop();
    await rm(dir, { recursive: true, force: true });
  });

  test(`${KILLS} kills, seed ${SEED}`, async () => {
    const random = seededRandom(SEED);
    const tags = keysIn(MOVED, 300).map((key) => /\{(.*)\}/.exec(key)?.[1] ?? '');
    const writers = startWriters(cluster.redis.servers, tags, 1);
    const there = MOVED.map((range, i) => cluster.move(i, 3, [range]));
    const back = MOVED.map((range, i) => cluster.move(3, i, [range]));
    let killed = 0;
    let midway = 0;
    // What an undisturbed move takes, the start of Node included: kills fall into the last part of it.
    let usualMs = 500;
    for (let turn = 0; killed < KILLS; turn++) {
      const moves = turn % 2 === 0 ? there : back;
      await awaitSettled(cluster);
      // One to three kills of a move, then the same once more to its end.
      for (let kills = 1 + Math.floor(random() * 3); kills > 0; kills--) {
        if (!(await killedAfter((0.3 + 0.8 * random()) * usualMs, moves))) continue;
        killed++;
        if (await isMidway(moves)) midway++;
      }
      const startedAt = performance.now();
      expect(await runChild(moves)).toBe('ended');
      usualMs = performance.now() - startedAt;
    }
    const seen = await writers.stop();
    expect(seen.errors).toEqual([]);
    expect(seen.unknown).toBe(0);
    expect(seen.acked).toBeGreaterThan(KILLS * 100);
    expect(await writers.verify()).toEqual([]);
    expect(await findStrays(cluster)).toEqual([]);
    const written = await countWritten();
    expect(await totalKeys(cluster.port, cluster.redis.servers)).toBe(KEYS + written);
    // Servers that move slots by themselves go on without the mover, and are mostly done when it is looked.
    if (binary.way === 'MIGRATE') expect(midway).toBeGreaterThan(0);
    console.log(`${binary.name} by ${binary.way}: ${killed} kills, ${midway} in the middle of a move, seed ${SEED}`);
    const cells = [`${binary.name} by ${binary.way}`, killed, midway, seen.acked, 0, seen.errors.length].map(String);
    rows.push({ system: binary.name === CASES[0]?.name, cells });
  }, 1_200_000);

  /** What the writers made: all keys that are not of the first filling. */
  async function countWritten(): Promise<number> {
    const lists = await Promise.all(
      cluster.redis.servers.map(
        async (server) => (await cluster.port.run(server.pod, [['KEYS', '[ocl]:*']], 20_000))[0],
      ),
    );
    const keys = lists.flatMap((list) => list as string[]);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.every((key) => MOVED.some(({ start, end }) => start <= slotOfKey(key) && slotOfKey(key) <= end))).toBe(
      true,
    );
    return keys.length;
  }

  /** Neither as before the moves nor as behind them. */
  async function isMidway(moves: readonly SlotMove[]): Promise<boolean> {
    const strays = await findStrays(cluster);
    if (strays.some((sentence) => sentence.includes('is open'))) return true;
    const [text] = await cluster.port.run(cluster.server(3).pod, [['CLUSTER', 'NODES']], 5000);
    const own = parseClusterNodes(String(text)).find(({ nodeId }) => nodeId === cluster.end(3).nodeId);
    const slots = countSlots(own?.slots ?? []);
    return slots > 0 && slots < countSlots(moves.flatMap(({ ranges }) => ranges));
  }

  async function killedAfter(delayMs: number, moves: readonly SlotMove[]): Promise<boolean> {
    return (await runChild(moves, delayMs)) === 'killed';
  }

  async function runChild(moves: readonly SlotMove[], killAfterMs?: number): Promise<string> {
    const file = await writeMoves(dir, moves, binary.limits);
    const running = spawn(process.execPath, [child, file], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    running.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const timer = killAfterMs === undefined ? undefined : setTimeout(() => running.kill('SIGKILL'), killAfterMs);
    const [code, signal] = (await once(running, 'exit')) as [number | null, string | null];
    clearTimeout(timer);
    if (signal === 'SIGKILL') return 'killed';
    return code === 0 ? 'ended' : said;
  }
});
