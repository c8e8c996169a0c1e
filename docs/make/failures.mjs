// Writes docs/failures.md from what the matrix tests saw: node docs/make/failures.mjs FILE, with a JSON line a state and server
// (test/support/broken/matrix.ts writes them to the file of $FIX_FIGURES). No figure is typed by hand.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';

const [file = ''] = process.argv.slice(2);
const seen = readFileSync(file, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line));

// What `fix` has nothing to do with: who takes care of it, and the tests that show it.
const elsewhere = JSON.parse(readFileSync('test/support/broken/elsewhere.json', 'utf8'));

const byNumber = (a, b) => a.split('.').map(Number)[1] - b.split('.').map(Number)[1];
const states = new Map();
// A state that was run twice counts as it went last.
for (const one of seen) {
  const key = `${one.row}\n${one.name}`;
  states.set(key, (states.get(key) ?? new Map()).set(one.server, one));
}
const servers = [...new Set(seen.map(({ server }) => server))].sort((a, b) => (a < b ? -1 : 1));
const outcome = (how, lost) => `${how}${lost === 0 ? '' : `, **${lost} keys missing**`}`;

/** One text where all servers went alike, else a line for each way it went. */
function together(runs, textOf) {
  const groups = new Map();
  for (const run of runs.values()) groups.set(textOf(run), [...(groups.get(textOf(run)) ?? []), run.server]);
  if (groups.size === 1 && runs.size === servers.length) return [...groups.keys()][0];
  return [...groups].map(([text, of]) => `${of.join(', ')}: ${text}`).join('<br>');
}

const rows = [...states]
  .sort(([a], [b]) => byNumber(a.split('\n')[0], b.split('\n')[0]))
  .map(([key, runs]) => {
    const [row, name] = key.split('\n');
    const codes = [...new Set([...runs.values()].flatMap((run) => run.expected))];
    return [
      row,
      name,
      codes.map((code) => `[${code}](problems.md#${code})`).join(', '),
      together(runs, (run) => outcome(run.cli, run.cliLost)),
      together(runs, (run) => outcome(run.ours, run.oursLost)),
    ];
  });

const head = ['mode', 'the state', '`check` names', '`redis-cli --cluster fix`', '`kubectl redis fix`'];
const table = markdownTable([head, ...rows]);
const others = elsewhere.map(({ row, name, who, tests }) => {
  const files = [...new Set(tests.map(([file]) => file))];
  return [row, name, who, files.map((file) => `[${file.replace(/^test\//, '')}](../${file})`).join(', ')];
});
const otherHead = ['mode', 'what happens', 'who takes care of it', 'shown by'];
const otherTable = markdownTable([otherHead, ...others]);
const sum = (of) => seen.reduce((total, run) => total + of(run), 0);

// Longer than what is run for the page: kept by those runs themselves (test/support/long-runs.ts).
const LONG_RUNS = 'docs/make/long-runs.json';
const runs = existsSync(LONG_RUNS) ? JSON.parse(readFileSync(LONG_RUNS, 'utf8')) : [];

function markdownTable(rows) {
  const [first = [], ...rest] = rows;
  return [first, first.map(() => '---'), ...rest].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function worseTable() {
  const worse = runs.filter(({ what }) => what.startsWith('worse: '));
  if (worse.length === 0) return 'Not run yet.';
  const names = [
    'the one more thing',
    'server',
    'tried',
    'nothing left',
    'something left',
    'loss named and agreed to',
    'lost otherwise',
    'seed',
  ];
  const lines = worse.map((run) => [
    run.what.slice('worse: '.length),
    run.server,
    run.tried,
    run.repaired,
    run.left,
    run.agreed,
    0,
    `${run.seed}, ${run.date}`,
  ]);
  return markdownTable([names, ...lines]);
}

function lossesTable() {
  const losses = runs.filter(({ what }) => what === 'losses');
  if (losses.length === 0) return 'Not run yet.';
  const figures = [
    ['rounds', 'rounds'],
    ['nothing lost, nothing left', 'repaired'],
    ['refused, or left until nodes are back', 'refused'],
    ['loss named, agreed to, and real', 'saidAndLost'],
    ['loss named and agreed to, none came of it', 'saidAndKept'],
    ['keys of those losses', 'keysSaidAndLost'],
    ['keys that went with their last volume', 'lostWithVolumes'],
    ['by `failover`', 'failovers'],
    ['killed in the middle', 'killed'],
    ['changed between plan and run', 'changed'],
    ['could not be broken as wished', 'void'],
    ['**lost and not said**', 'faults'],
    ['minutes', 'seconds', (seconds) => Math.round(seconds / 60)],
    ['seed', 'seed'],
    ['date', 'date'],
  ];
  const lines = figures.map(([title, name, show = (value) => value]) => [
    title,
    ...losses.map((run) => show(run[name] ?? '')),
  ]);
  return markdownTable([['', ...losses.map(({ server }) => server)], ...lines]);
}

const text = `# What breaks, and what mends it

Written by \`npm run docs:failures\`, which breaks clusters of real servers in each of these ways, twice: once for \`kubectl redis fix\`, once for the
\`redis-cli --cluster fix\` of the same version (\`valkey-cli\` for Valkey), with a yes to all that it asks. Three primaries, with or without replicas, 272 keys.
The tests are test/redis/fix; the states are built in test/support/broken. In the run of the tests, each state must be named by \`check\`, mended as said here,
and a second \`fix\` must plan nothing.

- **repaired**: every slot has one owner that all nodes name, no slot is open, no node holds keys of others, no ghost is left, links are up, and every key is where
  its slot is, with its value.
- **left**: nothing that could lose data was done. \`fix\` says why and what to do; a flag is the consent that it would take.
- **waited**: the servers mended it themselves while \`fix\` looked.
- **keys missing**: keys that the owner of their slot, which answers, does not have. Those of a node that is down are not counted.
- For redis-cli: *says ok* is exit code 0, *gave up* another one, *hung* that it was still waiting after a minute.

Servers: ${servers.join(', ')}. In this run ${seen.length} states were broken for each of the two; keys missing behind \`kubectl redis fix\`: ${sum((run) => run.oursLost)},
behind redis-cli: ${sum((run) => run.cliLost)}.

${table}

## And one more thing is wrong

Each of these states again, and beside it a node by chance is frozen, can't be reached through its tunnel, loads, or its pod is Pending; or a replica is hours
behind, and mostly its primary goes then; or a person reads the plan while a node comes back, goes, or leads in another's place. Afterwards everything that
can come back comes back, \`fix\` is run without a flag until it finds nothing to do, and the owners are asked for every key (\`test/redis/fix/worse-*\`; a
sample in CI, all by \`npm run test:long\`). *Lost otherwise* is what the test is for: it fails where that is not 0.

${worseTable()}

## What is said to be lost, and what is lost

Three primaries with one or two replicas each. In each round, by chance, replicas fall behind and keys are written, a primary goes (its process, its pod, its
volume, frozen, loading, or only we can't reach it), another node is silent, several of these at once; then \`fix\` or \`failover --force|--takeover\` is run with
no consent, with consent for just the slots that the plan names, or for a part of them; it is killed in the middle, or the cluster changes between plan and run.
When everything is back and \`fix\` finds nothing to do any more, each key that is missing or has another value must be of slots that a plan named
(\`FIX_ROUNDS=1000 FIX_LANES=4 test/run redis fix/losses\`).

${lossesTable()}

## What is not \`fix\`'s to mend

${otherTable}

${new Date().toISOString().slice(0, 10)}.
`;
const options = (await resolveConfig('docs/failures.md')) ?? {};
writeFileSync('docs/failures.md', await format(text, { ...options, parser: 'markdown' }));
console.log('written: docs/failures.md');
