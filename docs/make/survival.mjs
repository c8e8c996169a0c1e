// Writes docs/survival.md from what the survival tests measured: node docs/make/survival.mjs FILE, with a JSON line a scenario.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { format, resolveConfig } from 'prettier';

const [file = ''] = process.argv.slice(2);
const figures = readFileSync(file, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line));

const scenarios = groupByScenario(figures);

function groupByScenario(all) {
  const groups = new Map();
  for (const one of all) groups.set(one.scenario, [...(groups.get(one.scenario) ?? []), one]);
  return groups;
}

const sum = (runs, of) => runs.reduce((total, run) => total + of(run), 0);
const each = (runs, of) => runs.map(of).join(', ');
const timings = (runs) =>
  Object.keys(runs[0].seconds)
    .map((name) => `${name}: ${each(runs, (run) => run.seconds[name])} s`)
    .join('; ');

const rows = [...scenarios].map(([scenario, runs]) => [
  scenario,
  sum(runs, (run) => run.writes),
  sum(runs, (run) => run.lostReplicated),
  sum(runs, (run) => run.lost),
  each(runs, (run) => run.clientErrors),
  each(runs, (run) => (run.longestGapMs / 1000).toFixed(2)),
  timings(runs),
]);
const head = [
  'what happened',
  'writes',
  'replicated ones lost',
  'acknowledged ones lost',
  'client errors',
  'longest gap, s',
  'timed',
];
const table = [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
const loads = figures.flatMap(({ load }) => (load === undefined ? [] : [load]));
const images = [...new Set(figures.map((one) => one.image))].join(', ');

const text = `# What a cluster survives

Written by \`npm run test:long\`, which does all of this to clusters of six and nine nodes on three hosts, several times in a row, while
six writers write: keys that are written once, counters that are overwritten, lists that are appended to. Where a cell has several
figures, each is of one run. At the end of each scenario every key of the cluster since its start is read back.

- **Replicated ones lost**: writes that were acknowledged, and of which WAIT then counted every replica of the shard. Must be 0.
  (One of two replicas would not do where every host is cut off from every other: whoever is heard first is elected, and may be the other one.)
- **Acknowledged ones lost**: all that are gone, also those that no replica had yet. Redis replicates asynchronously: what a primary
  alone has is lost with it.
- **Client errors**: writes that the client gave up after all its own tries. ioredis as it comes (16 redirections, 100 ms between
  tries), with socketTimeout 2000, connectTimeout 2000, slotsRefreshTimeout 1000; writers pause 20 ms between two writes. Sixteen tries end
  before a failover does.
- **Longest gap**: the longest that one writer was without an acknowledgement, from when it first tried. cluster-node-timeout is 5000.

${table}

${new Date().toISOString().slice(0, 10)}, ${images}, ${cpus().length} x ${cpus()[0]?.model ?? 'CPU'}: all hosts and all clients share it.
Its load average was ${Math.min(...loads)} to ${Math.max(...loads)}: above twice its processors the times say more of the machine than of the cluster.
`;
const options = (await resolveConfig('docs/survival.md')) ?? {};
writeFileSync('docs/survival.md', await format(text, { ...options, parser: 'markdown' }));
console.log('written: docs/survival.md');
