/** What a newcomer would trip over: long files, vague names, barrels, and traces of the machine that it was written on. */
import { describe, expect, test } from '@jest/globals';
import { listFiles, readFile } from './files.ts';
import { readSource } from './parse.ts';

const FILES = listFiles();
const SOURCES = FILES.filter((file) => file.endsWith('.ts'));
const MAX_LINES = 300;

/** Names that say nothing of what is in the file. */
const VAGUE = /(^|\/)(index|utils?|helpers?|common|misc|shared|lib)(\.|\/)/;

/** Pieced together, so that this file does not name what it forbids. */
const WORKPLACE: readonly RegExp[] = [
  ['/wo', 'rk/'],
  ['shar', 'ed/(rig|DESIGN|EXAMPLES|FAILURES|hooks)'],
  ['/tmp/', 'rig'],
  ['\\b(DESIGN|EXAMPLES|FAILURES)', '\\.md'],
  ['registry\\.(npm', 'js|yarn', 'pkg)'],
  ['(artifactory|nexus|verdaccio)', '[.:/]'],
].map((parts) => new RegExp(parts.join('')));

/** The one file that may say where a Kubernetes for the tests comes from. */
const NAMES_THE_RIG = '.ci/run';

function lineCount(file: string): number {
  return readFile(file).split('\n').length - 1;
}

describe('sources', () => {
  test(`have at most ${MAX_LINES} lines`, () => {
    const long = SOURCES.map((file) => ({ file, lines: lineCount(file) })).filter(({ lines }) => lines > MAX_LINES);
    expect(long).toEqual([]);
  });

  test('have names that say what is in them', () => {
    expect(SOURCES.filter((file) => VAGUE.test(file))).toEqual([]);
  });

  test('have kebab-case names', () => {
    expect(SOURCES.filter((file) => !/^([a-z0-9-]+\/)*[a-z0-9-]+(\.[a-z0-9-]+)*\.ts$/.test(file))).toEqual([]);
  });

  test('are no barrels', () => {
    expect(SOURCES.filter((file) => readSource(readFile(file)).barrel)).toEqual([]);
  });

  test('of these checks tell good from bad', () => {
    expect(readSource(`export * from './a.ts';\nexport { b } from './b.ts';`).barrel).toBe(true);
    expect(readSource(`export * from './a.ts';\nexport const b = 1;`).barrel).toBe(false);
    expect(
      ['pkg/utils.ts', 'pkg/a/index.ts', 'pkg/helpers/a.ts', 'pkg/utilise.ts'].map((file) => VAGUE.test(file)),
    ).toEqual([true, true, true, false]);
  });
});

describe('the repository', () => {
  test('does not name the place where it was written', () => {
    const traces = FILES.filter((file) => file !== NAMES_THE_RIG).flatMap((file) =>
      readFile(file)
        .split('\n')
        .map((line, index) => ({ at: `${file}:${index + 1}`, line }))
        .filter(({ line }) => WORKPLACE.some((pattern) => pattern.test(line))),
    );
    expect(traces).toEqual([]);
  });

  test('names no registry in its lock file and its settings', () => {
    expect(readFile('package-lock.json')).not.toMatch(/"resolved": *"(https?|git)/);
    expect(FILES.filter((file) => file.endsWith('.npmrc'))).toEqual([]);
  });
});
