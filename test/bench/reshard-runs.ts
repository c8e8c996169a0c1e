/** The runs of the reshard benchmarks, and what each says: rows of a table, and goals. */
import { startWriters } from '../support/acked-writes.ts';
import { ALL_OUT, POLITE, keysIn } from '../support/move-cluster.ts';
import type { Binary } from '../redis/move/servers.ts';
import { alternate, median, spread } from './report.ts';
import type { Goal } from './report.ts';
import { bytesWritten, openStage } from './reshard-cluster.ts';
import type { Stage, Workload } from './reshard-cluster.ts';

/** A gate is at half of what should be reached: fewer will do. */
export const ROUNDS = process.argv.includes('--gate') ? 2 : 5;
const MAX_P99_MS = 20;
export const SPARSE: Workload = { name: '4096 slots, 50k of 200k keys', slots: 4096, keys: 200_000, dense: false };
export const DENSE: Workload = { name: '400 slots, 200k keys', slots: 400, keys: 200_000, dense: true };

export interface Result {
  readonly rows: readonly (readonly string[])[];
  readonly goals: readonly Goal[];
}

function row(
  binary: Binary,
  workload: string,
  who: string,
  times: readonly number[],
  base: readonly number[],
): string[] {
  const seconds = times.map((ms) => ms / 1000);
  return [binary.name, workload, who, spread(seconds, 2, 's'), `${(median(base) / median(times)).toFixed(1)}x`];
}

/** At least `times` as fast, said as a goal that is an upper limit. */
function goal(what: string, ours: readonly number[], theirs: readonly number[], times: number): Goal {
  return { what, reached: median(ours) / median(theirs), atMost: round(1 / times), unit: 'x' };
}

export function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** A run, and back again, which is not timed. */
function andBack<T>(stage: Stage, run: () => Promise<T>): () => Promise<T> {
  return async () => {
    const result = await run();
    await stage.back();
    return result;
  };
}

export async function byMigrate(binary: Binary, workload: Workload, polite: number, allOut: number): Promise<Result> {
  const stage = await openStage(binary, workload);
  try {
    const runs = await alternate(ROUNDS, {
      cli: andBack(stage, () => stage.byCli(binary.cli)),
      polite: andBack(stage, () => stage.byMover(POLITE)),
      allOut: andBack(stage, () => stage.byMover(ALL_OUT)),
    });
    const { name } = workload;
    return {
      rows: [
        row(binary, name, 'its own --cluster reshard', runs.cli, runs.cli),
        row(binary, name, 'mover, pauses of 10 ms', runs.polite, runs.cli),
        row(binary, name, 'mover, all out', runs.allOut, runs.cli),
      ],
      goals: [
        goal(`${binary.name}, ${name}, polite / redis-cli`, runs.polite, runs.cli, polite),
        goal(`${binary.name}, ${name}, all out / redis-cli`, runs.allOut, runs.cli, allOut),
      ],
    };
  } finally {
    await stage.stop();
  }
}

/** Six clients that write into the slots that move, each a write a millisecond. */
export async function underLoad(binary: Binary): Promise<Result> {
  const stage = await openStage(binary, SPARSE);
  try {
    const tags = keysIn(stage.ranges, 2000).map((key) => /\{(.*)\}/.exec(key)?.[1] ?? '');
    const loaded = (move: () => Promise<number>) => async (): Promise<{ ms: number; latencies: number[] }> => {
      const writers = startWriters(stage.cluster.redis.servers, tags, 1);
      const ms = await move();
      const { latenciesMs, errors } = await writers.stop();
      if (errors.length > 0) throw new Error(`a client saw ${errors[0]}`);
      return { ms, latencies: [...latenciesMs].sort((a, b) => a - b) };
    };
    const again =
      <T>(run: () => Promise<T>) =>
      async (): Promise<T> => {
        const result = await run();
        await stage.back(true);
        return result;
      };
    const runs = await alternate(ROUNDS, {
      cli: again(loaded(() => stage.byCli(binary.cli))),
      polite: again(loaded(() => stage.byMover(POLITE))),
    });
    const p99s = (results: readonly { latencies: number[] }[]): number[] =>
      results.map(({ latencies }) => latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN);
    const line = (who: string, results: typeof runs.cli): string[] => [
      binary.name,
      'the same under six writers',
      `${who}; client p99 ${spread(p99s(results), 1, 'ms')}`,
      spread(
        results.map(({ ms }) => ms / 1000),
        2,
        's',
      ),
      `${(median(runs.cli.map(({ ms }) => ms)) / median(results.map(({ ms }) => ms))).toFixed(1)}x`,
    ];
    return {
      rows: [line('its own --cluster reshard', runs.cli), line('mover, pauses of 10 ms', runs.polite)],
      goals: [
        {
          what: `${binary.name}, p99 of clients while the polite mover moves`,
          reached: median(p99s(runs.polite)),
          atMost: MAX_P99_MS,
          unit: ' ms',
        },
      ],
    };
  } finally {
    await stage.stop();
  }
}

/** Servers that move slots by themselves: against MIGRATE by their own command line, and against its atomic mode. */
export async function atomically(binary: Binary, workload: Workload, atLeast: number): Promise<Result> {
  const stage = await openStage(binary, workload);
  const rss: number[] = [];
  try {
    // MIGRATE-based runs take long, and theirs is the greater part of the ratio: three are enough.
    const slow = await alternate(3, { cli: andBack(stage, () => stage.byCli(binary.cli)) }, 0);
    const runs = await alternate(ROUNDS, {
      mover: andBack(stage, () => stage.byMover(ALL_OUT)),
      command: andBack(stage, async () => {
        const { ms, peakRssBytes } = await stage.byCommand();
        rss.push(peakRssBytes);
        return ms;
      }),
      atomicCli: andBack(stage, () =>
        hasAtomicCli(binary) ? stage.byCli(binary.cli, ATOMIC_FLAG) : Promise.resolve(0),
      ),
    });
    const { name } = workload;
    const rows = [
      row(binary, name, 'its own --cluster reshard (3 runs)', slow.cli, slow.cli),
      row(binary, name, 'mover', runs.mover, slow.cli),
      row(
        binary,
        name,
        `mover as a command, from the start of Node (${Math.round(median(rss) / 2 ** 20)} MiB)`,
        runs.command,
        slow.cli,
      ),
    ];
    const goals = [goal(`${binary.name}, ${name}, mover / its own --cluster reshard`, runs.mover, slow.cli, atLeast)];
    if (!hasAtomicCli(binary)) return { rows, goals };
    return {
      rows: [...rows, row(binary, name, `its own, ${ATOMIC_FLAG}`, runs.atomicCli, slow.cli)],
      goals: [...goals, goal(`${binary.name}, ${name}, mover / its own in atomic mode`, runs.mover, runs.atomicCli, 1)],
    };
  } finally {
    await stage.stop();
  }
}

const ATOMIC_FLAG = '--cluster-use-atomic-slot-migration';

/** redis-cli of Redis has no such mode. */
function hasAtomicCli(binary: Binary): boolean {
  return binary.name.startsWith('Valkey');
}

/** Bytes that reach the disk where there is no log of writes: all of them are nodes.conf. */
export async function nodesConf(binary: Binary): Promise<string> {
  const stage = await openStage(binary, { ...SPARSE, keys: 0 }, { aof: false });
  try {
    const written = async (run: () => Promise<unknown>): Promise<string> => {
      const before = bytesWritten(stage.cluster);
      await run();
      return `${((bytesWritten(stage.cluster) - before) / 2 ** 20).toFixed(1)} MiB`;
    };
    const cli = await written(() => stage.byCli(binary.cli));
    await stage.back();
    return `nodes.conf of all four: ${cli} written by redis-cli, ${await written(() => stage.byMover(POLITE))} by the mover`;
  } finally {
    await stage.stop();
  }
}

/** What the time depends on: half the slots, half the keys, one pair instead of three; and memory of the tool. */
export async function curves(binary: Binary): Promise<string[][]> {
  const rows: string[][] = [];
  for (const [slots, keys, sources] of [
    [1024, 200_000, 3],
    [2048, 200_000, 3],
    [4096, 200_000, 3],
    [4096, 50_000, 3],
    [4096, 400_000, 3],
    [4096, 200_000, 2],
    [4096, 200_000, 1],
  ] as const) {
    const stage = await openStage(binary, { name: '', slots, keys, dense: false }, { sources });
    try {
      const rss: number[] = [];
      const { mover } = await alternate(3, {
        mover: andBack(stage, () => stage.byMover(ALL_OUT)),
        command: andBack(stage, async () => {
          const { ms, peakRssBytes } = await stage.byCommand();
          rss.push(peakRssBytes);
          return ms;
        }),
      });
      const mib = Math.round(median(rss) / 2 ** 20);
      const what = `${slots} slots, ${Math.round((keys * slots) / 16384 / 1000)}k of ${keys / 1000}k keys, ${sources === 1 ? '1 pair' : `${sources} pairs`}`;
      rows.push([
        binary.name,
        what,
        `mover, all out (as a command ${mib} MiB)`,
        spread(
          mover.map((ms) => ms / 1000),
          2,
          's',
        ),
        '',
      ]);
    } finally {
      await stage.stop();
    }
  }
  return rows;
}
