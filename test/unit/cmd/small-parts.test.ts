/** Words, numbers, colours and suggestions. */
import { describe, expect, test } from '@jest/globals';
import { durationMs } from '../../../cmd/flags.ts';
import { reportOf } from '../../../cmd/report-error.ts';
import { nearest } from '../../../cmd/suggest.ts';
import { wantsColour } from '../../../cmd/terminal.ts';
import { age, bytes, counted, fold, grouped, listed, oneLine, rangesWithCount } from '../../../cmd/view/format.ts';
import { AppError, usageError } from '../../../pkg/errors.ts';

test.each([
  ['5s', 5000],
  ['2m', 120_000],
  ['1m30s', 90_000],
  ['1h', 3_600_000],
  ['500ms', 500],
  ['1.5s', 1500],
  ['7', 7000],
  ['0', 0],
  ['', null],
  ['s', null],
  ['5 s', null],
  ['5d', null],
  ['-5s', null],
  ['1e3s', null],
  ['9999h', null],
])('%j as a duration', (typed, expected) => {
  expect(durationMs(typed)).toBe(expected);
});

test.each([
  ['slot', 'slots'],
  ['stats', 'status'],
  ['ndoes', 'nodes'],
  ['compl', 'completion'],
  ['xyz', null],
  ['', null],
])('%j is meant as %j', (word, expected) => {
  expect(nearest(word, ['slots', 'nodes', 'status', 'check', 'list', 'completion'])).toBe(expected);
});

describe('colour', () => {
  test.each([
    ['auto', true, {}, true],
    ['auto', false, {}, false],
    ['auto', true, { NO_COLOR: '1' }, false],
    ['auto', true, { NO_COLOR: '' }, true],
    ['auto', true, { TERM: 'dumb' }, false],
    ['always', false, { NO_COLOR: '1' }, true],
    ['never', true, {}, false],
  ] as const)('%s, terminal %j, %j: %j', (choice, terminal, env, expected) => {
    expect(wantsColour(choice, terminal, env)).toBe(expected);
  });
});

describe('words', () => {
  test.each([
    [0, '0B'],
    [999, '999B'],
    [1024, '1.0Ki'],
    [2_000_000, '1.9Mi'],
    [100_000_000, '95Mi'],
    [5 * 1024 ** 3, '5.0Gi'],
    [9000 * 1024 ** 4, '9000Ti'],
  ])('%d bytes', (count, expected) => {
    expect(bytes(count)).toBe(expected);
  });

  test.each([
    [-3, '0s'],
    [45, '45s'],
    [119, '119s'],
    [120, '2m'],
    [200, '3m20s'],
    [3600, '60m'],
    [5 * 3600 + 60, '5h1m'],
    [47 * 3600, '47h'],
    [52 * 3600, '2d4h'],
    [400 * 86_400, '400d'],
  ])('%d seconds', (seconds, expected) => {
    expect(age(seconds)).toBe(expected);
  });

  test('counts', () => {
    expect([counted(1, 'key'), counted(1234, 'key'), counted(2, 'primary', 'primaries')]).toEqual([
      '1 key',
      '1,234 keys',
      '2 primaries',
    ]);
    expect([grouped(0), grouped(1_234_567)]).toEqual(['0', '1,234,567']);
    expect([listed([]), listed(['a']), listed(['a', 'b', 'c']), listed(['a', 'b', 'c'], 2)]).toEqual([
      '',
      'a',
      'a, b and c',
      'a, b and 1 more',
    ]);
  });

  test('ranges', () => {
    const ranges = [0, 10, 20, 30].map((start) => ({ start, end: start + 1 }));
    expect(rangesWithCount(ranges, 2)).toBe('0-1,10-11,+2 more (8)');
    expect(rangesWithCount(ranges, null)).toBe('0-1,10-11,20-21,30-31 (8)');
    expect(rangesWithCount([], null)).toBe('-');
  });

  test('text from elsewhere becomes one harmless line', () => {
    expect(oneLine(' a\r\nb\u001b[31mc\u0000 ')).toBe('a b [31mc');
  });

  test('long words are broken, short ones are not', () => {
    expect(fold('a quite-long-word b', 6)).toEqual(['a', 'quite-', 'long-w', 'ord', 'b']);
    expect(fold('a b', null)).toEqual(['a b']);
  });
});

describe('errors', () => {
  const quiet = { debug: false, interrupted: false };

  test('are at most three lines', () => {
    const cause = new Error('socket\nhang up', { cause: new Error('ECONNRESET') });
    expect(reportOf(new AppError('cannot look', { code: 'x', cause, hint: 'try\nagain' }), quiet)).toEqual({
      text: 'error: cannot look\n  why: socket hang up: ECONNRESET\n  try: try again\n',
      exitCode: 1,
    });
  });

  test('do not say the same twice', () => {
    const error = new AppError('timed out', { code: 'x', cause: new Error('timed out') });
    expect(reportOf(error, quiet).text).toBe('error: timed out\n');
  });

  test('have their exit codes', () => {
    expect(reportOf(usageError('no'), quiet).exitCode).toBe(2);
    expect(reportOf(new AppError('no', { code: 'x', exitCode: 3 }), quiet).exitCode).toBe(3);
    expect(reportOf('thrown text', quiet)).toEqual({
      text: 'error: thrown text (a bug; run it again with --debug to see where)\n',
      exitCode: 1,
    });
  });

  test('after Ctrl-C are no news', () => {
    expect(reportOf(new Error('aborted'), { debug: false, interrupted: true })).toEqual({ text: '', exitCode: 130 });
  });
});
