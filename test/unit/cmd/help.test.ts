/** Help is made from the verbs' data: that the data is there, and that the pages fit. */
import { describe, expect, test } from '@jest/globals';
import { parseArgv } from '../../../cmd/adapter.ts';
import { helpOfAll, helpOfVerb } from '../../../cmd/help.ts';
import { VERBS } from '../../../cmd/verbs/all.ts';
import { GLOBAL_FLAGS } from '../../../cmd/global-flags.ts';
import { runCommand } from '../../support/fake-terminal.ts';

describe.each(VERBS.map((verb) => [verb.name, verb] as const))('%s', (name, verb) => {
  test('says what it does, how it ends, and gives an example', () => {
    expect(verb.summary).toMatch(/^[A-Z].{8,70}[^.]$/);
    expect(verb.description).toMatch(/\.$/);
    expect(verb.examples.length).toBeGreaterThan(0);
    expect(verb.exitCodes).toHaveProperty('0');
    expect(verb.exitCodes).toHaveProperty('2');
    for (const [, flag] of Object.entries(verb.flags)) expect(flag.summary).toMatch(/^.{5,}[^.]$/);
  });

  test('its examples are commands that can be typed', () => {
    for (const { command } of verb.examples) {
      const [, typed] = /^kubectl redis ([^|>&]*)/.exec(command) ?? [];
      const argv = (typed ?? '').trim().split(/\s+/);
      expect(argv[0]).toBe(name);
      expect(parseArgv(argv, VERBS)).toHaveProperty('kind', 'invocation');
    }
  });

  test('its flags hide none of those of every verb', () => {
    const globals = Object.entries(GLOBAL_FLAGS).flatMap(([flag, about]) => [
      flag,
      'alias' in about ? about.alias : flag,
    ]);
    const own = Object.entries(verb.flags).flatMap(([flag, { alias }]) =>
      alias === undefined ? [flag] : [flag, alias],
    );
    expect(own.filter((flag) => globals.includes(flag))).toEqual([]);
  });

  test.each([40, 80, 120])('fits %d columns', (width) => {
    const prose = helpOfVerb(verb, width)
      .split('\n')
      // Commands are not broken: they are there to be copied.
      .filter((line) => !/^ {2}(kubectl|#) /.test(line) && !/^ +-/.test(line));
    for (const line of prose) expect(line.length).toBeLessThanOrEqual(width);
  });
});

test('the list of verbs has them all', () => {
  const text = helpOfAll(VERBS, 80);
  for (const { name, summary } of VERBS) expect(text).toMatch(new RegExp(`^ {2}${name} +${summary.slice(0, 20)}`, 'm'));
});

test('help, --help and nothing at all are the same page, on stdout', async () => {
  const [bare, flag, verb] = await Promise.all([[], ['--help'], ['help']].map((argv) => runCommand(argv)));
  expect(bare).toEqual({ exitCode: 0, stdout: helpOfAll(VERBS, null), stderr: '' });
  expect(flag).toEqual(bare);
  expect(verb).toEqual(bare);
});

test('help of a verb, both ways', async () => {
  const [flag, verb] = await Promise.all(
    [
      ['slots', '-h'],
      ['help', 'slots'],
    ].map((argv) => runCommand(argv)),
  );
  expect(verb).toEqual(flag);
  expect(flag?.stdout).toContain('Usage:\n  kubectl redis slots [NAME] [flags]\n');
});
