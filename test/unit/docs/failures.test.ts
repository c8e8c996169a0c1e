/** docs/failures.md: the tests that it names are there, and it has a line for each way to break a cluster. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { STATES } from '../../support/broken/all-states.ts';

/** A failure mode that `fix` has nothing to do with: who takes care of it, and the tests that show it. */
interface Elsewhere {
  readonly row: string;
  readonly name: string;
  readonly tests: readonly (readonly [file: string, test: string])[];
}

const ELSEWHERE = JSON.parse(readFileSync('test/support/broken/elsewhere.json', 'utf8')) as readonly Elsewhere[];

test('the tests of what fix has nothing to do with are there', () => {
  const absent = ELSEWHERE.flatMap(({ tests }) => tests).filter(
    ([file, name]) => !existsSync(file) || !readFileSync(file, 'utf8').includes(name),
  );
  expect(absent).toEqual([]);
});

test('the page has a line for every state and every other mode', () => {
  const page = readFileSync('docs/failures.md', 'utf8');
  const rows = page
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  const named = new Set(rows.map(([, mode, name]) => `${mode} ${name}`));
  const wanted = [...STATES, ...ELSEWHERE].map(({ row, name }) => `${row} ${name}`);
  expect(wanted.filter((one) => !named.has(one))).toEqual([]);
});
