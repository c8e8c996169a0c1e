/** A cluster for the reshard benchmarks: primaries with keys, three mostly, and a further one without, and the ways to move slots to it. */
import { closeSync, fsyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { splitSlots, countSlots } from '../../pkg/cluster/model/slots.ts';
import type { SlotRange } from '../../pkg/cluster/model/slots.ts';
import type { MoveLimits, SlotMove } from '../../pkg/engine/ports.ts';
import { bundleMover, writeMoves } from '../support/bundle-program.ts';
import { ALL_OUT, awaitSettled, fill, keysIn, startMoveCluster, totalKeys } from '../support/move-cluster.ts';
import type { MoveCluster } from '../support/move-cluster.ts';
import type { Binary } from '../redis/move/servers.ts';
import { runToEnd } from './command.ts';

const SOURCES = 3;
export const TARGET = 3;

export interface Workload {
  readonly name: string;
  readonly slots: number;
  readonly keys: number;
  /** All keys are in the slots that move; else they are spread over all slots. */
  readonly dense: boolean;
}

export interface Stage {
  readonly cluster: MoveCluster;
  /** The same slots that redis-cli chooses: the first of each source. */
  readonly ranges: readonly SlotRange[];
  /** Milliseconds of a move by the mover, in this process. */
  byMover(limits: MoveLimits): Promise<number>;
  /** As a command: with the start of Node and all connections. */
  byCommand(): Promise<{ readonly ms: number; readonly peakRssBytes: number }>;
  byCli(cli: string, ...flags: string[]): Promise<number>;
  /** Back to the sources; proves that no key is missing, unless clients wrote more. */
  back(written?: boolean): Promise<void>;
  stop(): Promise<void>;
}

export async function openStage(
  binary: Binary,
  workload: Workload,
  options: { readonly aof?: boolean; readonly sources?: number } = {},
): Promise<Stage> {
  const sources = options.sources ?? SOURCES;
  const cluster = await startMoveCluster({
    masters: sources,
    empty: 1,
    nodeTimeoutMs: 15_000,
    binary: binary.server,
    // Rewrites of the log would fall on whoever runs at that moment.
    config: [
      ['appendonly', options.aof === false ? 'no' : 'yes'],
      ['auto-aof-rewrite-percentage', '0'],
    ],
  });
  const shares = splitSlots(sources);
  const ranges = shares.map(({ start }, i) => {
    const share = Math.floor(workload.slots / sources) + (i === 0 ? workload.slots % sources : 0);
    return { start, end: start + share - 1 };
  });
  const keys = keysIn(workload.dense ? ranges : [{ start: 0, end: 16383 }], workload.keys);
  const owners = shares.map((share, i) => ({ server: cluster.server(i), slots: [share] }));
  await fill(cluster.port, owners, keys);
  const there = ranges.map((range, i) => cluster.move(i, sources, [range]));
  const moveBack = ranges.map((range, i) => cluster.move(sources, i, [range]));
  const dir = mkdtempSync(join(tmpdir(), 'bench-reshard-'));
  return {
    cluster,
    ranges,
    byMover: (limits) => timed(() => moveAll(cluster, there, limits)),
    byCommand: () => runChild(dir, there),
    byCli: (cli, ...flags) => timed(() => reshard(cluster, cli, countSlots(ranges), flags)),
    back: async (written = false) => {
      await moveAll(cluster, moveBack, ALL_OUT);
      // The nodes settle who has which epoch; nobody moves slots to and fro in real life.
      await awaitSettled(cluster);
      if (written) return;
      const total = await totalKeys(cluster.port, cluster.redis.servers);
      if (total !== keys.length) throw new Error(`${keys.length} keys became ${total}`);
    },
    stop: async () => {
      rmSync(dir, { recursive: true, force: true });
      await cluster.stop();
    },
  };
}

async function moveAll(cluster: MoveCluster, moves: readonly SlotMove[], limits: MoveLimits): Promise<void> {
  const { signal } = new AbortController();
  await Promise.all(moves.map((move) => cluster.port.mover.move(move, limits, () => undefined, signal)));
}

async function reshard(cluster: MoveCluster, cli: string, slots: number, flags: readonly string[]): Promise<void> {
  const { address, port } = cluster.server(0);
  const from = [0, 1, 2].map((i) => cluster.end(i).nodeId).join(',');
  const which = ['--cluster-from', from, '--cluster-to', cluster.end(TARGET).nodeId, '--cluster-slots', String(slots)];
  await runToEnd([cli, '--cluster', 'reshard', `${address}:${port}`, ...which, '--cluster-yes', ...flags]);
}

async function runChild(dir: string, moves: readonly SlotMove[]): Promise<{ ms: number; peakRssBytes: number }> {
  const [program, file] = [await bundleMover(dir), await writeMoves(dir, moves, ALL_OUT)];
  const { wallMs, peakRssBytes } = await runToEnd([process.execPath, program, file]);
  return { ms: wallMs, peakRssBytes };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

/** Milliseconds of each of 200 fsyncs of 4 KiB, where the servers keep their files; sorted. */
export function fsyncTimes(): number[] {
  const dir = mkdtempSync(join(tmpdir(), 'bench-fsync-'));
  const file = openSync(join(dir, 'file'), 'w');
  try {
    const block = Buffer.alloc(4096, 1);
    const times = Array.from({ length: 200 }, () => {
      writeSync(file, block);
      const from = performance.now();
      fsyncSync(file);
      return performance.now() - from;
    });
    return times.sort((a, b) => a - b);
  } finally {
    closeSync(file);
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Bytes that the servers of a cluster have had written to disk so far. */
export function bytesWritten(cluster: MoveCluster): number {
  return cluster.redis.servers.reduce((sum, { pid }) => {
    const io = readFileSync(`/proc/${pid}/io`, 'utf8');
    return sum + Number(/^write_bytes: (\d+)$/m.exec(io)?.[1] ?? 0);
  }, 0);
}
