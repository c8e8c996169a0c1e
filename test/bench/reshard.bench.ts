/**
 * The mover against redis-cli: the same slots of the same cluster, in turn. Further servers from $REDIS_SERVER_EXTRA.
 *
 *   node test/bench/run.mjs reshard [PART …]  writes sections of docs/benchmarks.md
 *                                             $BENCH_REMARK is added to their text: say there what was unusual
 *   node test/bench/run.mjs reshard --gate    writes nothing; fails where not even half of a goal is reached
 */
import { cpus, loadavg } from 'node:os';
import { BINARIES } from '../redis/move/servers.ts';
import type { Binary } from '../redis/move/servers.ts';
import { median, writeSection } from './report.ts';
import type { Goal } from './report.ts';
import { fsyncTimes } from './reshard-cluster.ts';
import { DENSE, ROUNDS, SPARSE, atomically, byMigrate, curves, nodesConf, round, underLoad } from './reshard-runs.ts';
import type { Result } from './reshard-runs.ts';

const GATE = process.argv.includes('--gate');
const PARTS = ['migrate', 'clients', 'atomic', 'curves'] as const;
type Part = (typeof PARTS)[number];

async function main(): Promise<void> {
  const [system, ...extra] = BINARIES;
  if (system === undefined) throw new Error('no redis-server on the PATH');
  const asked = PARTS.filter((part) => process.argv.includes(part));
  for (const part of asked.length === 0 ? PARTS : asked) {
    const results = await runPart(part, system, extra);
    const goals = results.flatMap((result) => result.goals);
    if (GATE) gate(goals);
    else if (results.length > 0)
      writePart(part, results, goals, part === 'migrate' ? `${await nodesConf(system)}.` : '');
  }
}

async function runPart(part: Part, system: Binary, extra: readonly Binary[]): Promise<readonly Result[]> {
  switch (part) {
    case 'migrate':
      return [await byMigrate(system, SPARSE, 4, 6), await byMigrate(system, DENSE, 3, 4.5)];
    case 'clients':
      return [await underLoad(system)];
    case 'curves':
      return GATE ? [] : [{ rows: await curves(system), goals: [] }];
    case 'atomic': {
      const results: Result[] = [];
      for (const binary of extra.filter(({ atomic }) => atomic)) {
        for (const workload of [SPARSE, DENSE]) results.push(await atomically(binary, workload, 40));
      }
      return results;
    }
    default:
      return part satisfies never;
  }
}

const TITLES: Readonly<Record<Part, string>> = {
  migrate: 'Moving slots',
  clients: 'Moving slots under clients that write',
  atomic: 'Moving slots where servers do it by themselves',
  curves: 'Moving slots: what the time depends on',
};

function writePart(part: Part, results: readonly Result[], goals: readonly Goal[], more: string): void {
  const fsync = fsyncTimes();
  const [middle, p99] = [median(fsync), fsync[Math.floor(fsync.length * 0.99)] ?? Number.NaN];
  writeSection({
    id: `reshard-${part}`,
    title: TITLES[part],
    command: `npm run bench:reshard -- ${part}`,
    text:
      'Slots of three primaries go to a fourth that has none, on one machine, with an append-only file; then back, which is not timed, ' +
      `and no key is missing. Alternating runs, ${ROUNDS} each where the table does not say less. fsync of 4 KiB takes ${middle.toFixed(2)} ms here ` +
      `(99th percentile ${p99.toFixed(2)} ms), with ${loadavg()
        .map((load) => load.toFixed(0))
        .join(', ')} processes that want one of ${cpus().length} processors ` +
      `(mean of the last 1, 5 and 15 minutes). ${more}${process.env['BENCH_REMARK'] ?? ''}`,
    table: [['server', 'what', 'by', 'median (least-greatest)', 'speed'], ...results.flatMap((result) => result.rows)],
    goals,
  });
}

function gate(goals: readonly Goal[]): void {
  for (const { what, reached, atMost, unit } of goals) {
    const good = reached <= atMost * 2;
    console.log(`${good ? 'ok  ' : 'FAIL'} ${what}: ${reached.toFixed(3)}${unit}, gate at ${round(atMost * 2)}${unit}`);
    if (!good) process.exitCode = 1;
  }
}

await main();
