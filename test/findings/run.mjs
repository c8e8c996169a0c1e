/**
 * Which tests that name a row of the first findings (K1 to K21: keys lost; C1 to C20: conduct) fail on the code in which these were found.
 * The present tests are run in a worktree of that commit; modules and functions that it does not have come from the present tree, so a row
 * counts as shown only by an assertion that fails. Writes rows.md.
 *
 *   node test/findings/run.mjs
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const COMMIT = '175e832';
const PRESENT = resolve(import.meta.dirname, '../..');
const ROW = /\b[KC][0-9]{1,2}\b/g;
const ROWS = [...numbered('K', 21), ...numbered('C', 20)];
/** Those of the scripts alone; the others of that suite need whole clusters. */
const SUITES = { unit: [], redis: ['scripts/asked-for', 'scripts/guard', 'scripts/kept'] };

function numbered(letter, count) {
  return Array.from({ length: count }, (_, i) => `${letter}${i + 1}`);
}

function makeOldTree() {
  const tree = join(mkdtempSync(join(tmpdir(), 'findings-')), 'tree');
  execFileSync('git', ['worktree', 'add', '--quiet', '--detach', tree, COMMIT], { cwd: PRESENT });
  rmSync(join(tree, 'test'), { recursive: true });
  cpSync(join(PRESENT, 'test'), join(tree, 'test'), { recursive: true });
  symlinkSync(join(PRESENT, 'node_modules'), join(tree, 'node_modules'));
  const config = readFileSync(join(PRESENT, 'jest.config.mjs'), 'utf8');
  writeFileSync(
    join(tree, 'jest.config.mjs'),
    config.replace(
      "testEnvironment: 'node',",
      "testEnvironment: 'node',\n  resolver: '<rootDir>/test/findings/resolver.cjs',",
    ),
  );
  addMissingExports(tree);
  return tree;
}

/** A test whose module can't be linked would show nothing: an export that the old module lacks is the present one. */
function addMissingExports(tree) {
  for (const file of readdirSync(join(tree, 'test'), { recursive: true }).filter((name) => name.endsWith('.ts'))) {
    const path = join(tree, 'test', file);
    for (const [, names, from] of readFileSync(path, 'utf8').matchAll(/import \{([^}]*)\} from '(\.[^']+)'/g)) {
      const module = resolve(dirname(path), from);
      const isOfTests = module.startsWith(join(tree, 'test'));
      const present = module.replace(tree, PRESENT);
      if (isOfTests || !existsSync(module) || !existsSync(present)) continue;
      for (const name of valuesOf(names)) {
        const text = readFileSync(module, 'utf8');
        if (!exports(text, name)) writeFileSync(module, `${text}\nexport { ${name} } from '${present}';\n`);
      }
    }
  }
}

function valuesOf(names) {
  return names
    .split(',')
    .map((name) => name.trim().split(' as ')[0])
    .filter((name) => name !== '' && !name.startsWith('type '));
}

function exports(text, name) {
  return new RegExp(`export (async )?(function|const|class|let) ${name}\\b|export \\{[^}]*\\b${name}\\b`).test(text);
}

/** By row: how many of its tests passed, failed by an assertion, or ended before they could ask. */
function outcomes(tree) {
  const rows = new Map(ROWS.map((row) => [row, { passed: 0, failed: 0, error: 0 }]));
  for (const [suite, files] of Object.entries(SUITES)) {
    const json = join(tree, `findings-${suite}.json`);
    const args = [
      '--selectProjects',
      suite,
      '--testNamePattern',
      ROW.source,
      '--json',
      '--outputFile',
      json,
      '--',
      ...files,
    ];
    const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
    const env = { ...process.env, PRESENT_TREE: PRESENT };
    spawnSync('node', [...flags, join(PRESENT, 'node_modules/jest/bin/jest.js'), ...args], {
      cwd: tree,
      env,
      stdio: 'ignore',
    });
    for (const { assertionResults } of JSON.parse(readFileSync(json, 'utf8')).testResults)
      for (const test of assertionResults) count(rows, test);
    rmSync(json);
  }
  return rows;
}

function count(rows, { status, fullName, failureMessages }) {
  if (status !== 'passed' && status !== 'failed') return;
  const asserted = failureMessages.some((message) => message.slice(0, 400).includes('expect('));
  for (const row of new Set(fullName.match(ROW)))
    if (rows.has(row)) rows.get(row)[status === 'passed' ? 'passed' : asserted ? 'failed' : 'error']++;
}

function table(old, now) {
  const lines = ROWS.map((row) => {
    const [before, after] = [old.get(row), now.get(row)];
    return `| ${row} | ${before.failed} | ${before.error} | ${before.passed} | ${after.passed} | ${after.failed + after.error} |`;
  });
  return [
    '# The first findings, tested on the code in which they were found',
    '',
    `Written by \`node test/findings/run.mjs\`: the tests that name a row, on ${COMMIT} and now. What ends in an error there meets another`,
    'interface before it can ask. Rows without any test here have theirs in the suites that need clusters (test/redis, test/e2e).',
    '',
    '| row | fail there | end in an error there | pass there | pass now | fail now |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
    '',
  ].join('\n');
}

const tree = makeOldTree();
try {
  writeFileSync(join(import.meta.dirname, 'rows.md'), table(outcomes(tree), outcomes(PRESENT)));
} finally {
  execFileSync('git', ['worktree', 'remove', '--force', tree], { cwd: PRESENT });
  rmSync(dirname(tree), { recursive: true, force: true });
}
