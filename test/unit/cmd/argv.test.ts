/** argv -> request, and what is wrong with an argv. Nothing is run. */
import { describe, expect, test } from '@jest/globals';
import { parseArgv } from '../../../cmd/adapter.ts';
import { VERBS } from '../../../cmd/verbs/all.ts';
import { AppError } from '../../../pkg/errors.ts';

const GLOBALS = {
  namespace: undefined,
  context: undefined,
  kubeconfig: undefined,
  as: undefined,
  'as-group': [],
  'request-timeout': undefined,
  connect: 'auto',
  'password-file': undefined,
  username: undefined,
  color: 'auto',
  debug: false,
  help: false,
};
const SLOTS = { key: undefined, slot: undefined, output: 'table' };
const STATUS = { watch: false, interval: 2000, output: 'table' };

function requestOf(argv: readonly string[]): unknown {
  const parsed = parseArgv(argv, VERBS);
  if (parsed.kind === 'help') return `help ${parsed.verb?.name ?? ''}`.trim();
  return { verb: parsed.invocation.verb, ...parsed.invocation.request };
}

function mistakeIn(argv: readonly string[]): unknown {
  try {
    return requestOf(argv);
  } catch (error) {
    return error instanceof AppError ? [error.exitCode, error.message] : error;
  }
}

describe('a request', () => {
  test.each<[string[], string, object, object, object]>([
    [['slots'], 'slots', { NAME: undefined }, SLOTS, {}],
    [['slots', 'redis'], 'slots', { NAME: 'redis' }, SLOTS, {}],
    [['slots', '007'], 'slots', { NAME: '007' }, SLOTS, {}],
    [['slots', '--', 'redis'], 'slots', { NAME: 'redis' }, SLOTS, {}],
    [['-n', 'prod', 'slots'], 'slots', { NAME: undefined }, SLOTS, { namespace: 'prod' }],
    [['slots', '-nprod'], 'slots', { NAME: undefined }, SLOTS, { namespace: 'prod' }],
    [['slots', '-n=prod'], 'slots', { NAME: undefined }, SLOTS, { namespace: 'prod' }],
    [['slots', '--slot', '0'], 'slots', { NAME: undefined }, { ...SLOTS, slot: 0 }, {}],
    [['slots', '--slot=16383'], 'slots', { NAME: undefined }, { ...SLOTS, slot: 16383 }, {}],
    [['slots', '--key', '12'], 'slots', { NAME: undefined }, { ...SLOTS, key: '12' }, {}],
    [['slots', '--key='], 'slots', { NAME: undefined }, { ...SLOTS, key: '' }, {}],
    [['slots', '--key=-x=y'], 'slots', { NAME: undefined }, { ...SLOTS, key: '-x=y' }, {}],
    [['slots', '-ojson'], 'slots', { NAME: undefined }, { ...SLOTS, output: 'json' }, {}],
    [['status', '-w', 'redis'], 'status', { NAME: 'redis' }, { ...STATUS, watch: true }, {}],
    [['status', '--watch=false'], 'status', { NAME: undefined }, STATUS, {}],
    [['status', '--interval', '1m30s'], 'status', { NAME: undefined }, { ...STATUS, interval: 90_000 }, {}],
    [['list', '-A'], 'list', {}, { 'all-namespaces': true, output: 'table' }, {}],
    [
      ['check', '--as', 'u', '--as-group', 'a', '--as-group', 'b', '--request-timeout', '500ms'],
      'check',
      { NAME: undefined },
      { output: 'table' },
      { as: 'u', 'as-group': ['a', 'b'], 'request-timeout': 500 },
    ],
    [['check', '--request-timeout=7'], 'check', { NAME: undefined }, { output: 'table' }, { 'request-timeout': 7000 }],
  ])('%j', (argv, verb, args, flags, globals) => {
    expect(requestOf(argv)).toEqual({ verb, args, flags, globals: { ...GLOBALS, ...globals } });
  });

  test.each([
    [[], 'help'],
    [['--help'], 'help'],
    [['-h'], 'help'],
    [['slots', '--help'], 'help slots'],
    [['slots', 'redis', '-h'], 'help slots'],
    [['-n', 'x'], 'help'],
  ])('%j is a question for help', (argv, expected) => {
    expect(requestOf(argv)).toBe(expected);
  });
});

describe('a mistake', () => {
  test.each([
    [['slot'], 'unknown verb "slot", did you mean slots?'],
    [['bogus'], 'unknown verb "bogus"'],
    [['slots', 'a', 'b'], 'slots takes only NAME, but got "b" too'],
    [['version', 'now'], 'version takes no arguments, but got "now" too'],
    [['slots', ''], 'NAME is empty'],
    [['slots', '--slto', '3'], 'unknown flag --slto, did you mean --slot?'],
    [['slots', '--no-debug'], 'unknown flag --no-debug'],
    [['slots', '-x'], 'unknown flag -x'],
    [['nodes', '--slot', '3'], 'unknown flag --slot'],
    [['slots', '--slot'], 'flag --slot needs a value'],
    [['slots', '-n'], 'flag -n needs a value'],
    [['slots', '-n', ''], 'flag --namespace needs a value'],
    [['slots', '--slot', 'x'], '--slot "x" is not a whole number from 0 to 16383'],
    [['slots', '--slot', '16384'], '--slot "16384" is not a whole number from 0 to 16383'],
    [['slots', '--slot', '-1'], '--slot "-1" is not a whole number from 0 to 16383'],
    [['slots', '--slot', '1.5'], '--slot "1.5" is not a whole number from 0 to 16383'],
    [['slots', '--slot', '0x10'], '--slot "0x10" is not a whole number from 0 to 16383'],
    [['slots', '--slot='], '--slot "" is not a whole number from 0 to 16383'],
    [['slots', '--slot', '1', '--slot', '2'], 'flag --slot was given 2 times'],
    [['slots', '-n', 'a', '--namespace', 'b'], 'flag --namespace was given 2 times'],
    [['slots', '-o', 'xml'], '-o "xml" is not one of wide, json, yaml'],
    [['slots', '--color', 'blue'], '--color "blue" is not one of auto, always, never'],
    [['slots', '--debug=maybe'], 'flag --debug takes true or false, not "maybe"'],
    [['slots', '--request-timeout', 'soon'], '--request-timeout "soon" is not a duration'],
    [['slots', '--request-timeout', '-5s'], '--request-timeout "-5s" is not a duration'],
    [['status', '--interval', '9999h'], '--interval "9999h" is not a duration'],
    [['status', '--interval', '1ms'], '--interval 1ms is too short'],
  ])('%j', (argv, message) => {
    expect(mistakeIn(argv)).toEqual([2, message]);
  });
});
