// Writes docs/failures.md from what the matrix tests saw: node docs/make/failures.mjs FILE, with a JSON line a state and server
// (test/support/broken/matrix.ts writes them to the file of $FIX_FIGURES). No figure is typed by hand.
import { readFileSync, writeFileSync } from 'node:fs';
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
const table = [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
const others = elsewhere.map(({ row, name, who, tests }) => {
  const files = [...new Set(tests.map(([file]) => file))];
  return [row, name, who, files.map((file) => `[${file.replace(/^test\//, '')}](../${file})`).join(', ')];
});
const otherHead = ['mode', 'what happens', 'who takes care of it', 'shown by'];
const otherTable = [otherHead, otherHead.map(() => '---'), ...others].map((row) => `| ${row.join(' | ')} |`).join('\n');
const sum = (of) => seen.reduce((total, run) => total + of(run), 0);

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

## What is not \`fix\`'s to mend

${otherTable}

${new Date().toISOString().slice(0, 10)}.
`;
const options = (await resolveConfig('docs/failures.md')) ?? {};
writeFileSync('docs/failures.md', await format(text, { ...options, parser: 'markdown' }));
console.log('written: docs/failures.md');
