import { describe, expect, test } from '@jest/globals';
import { alternate, median, percentile, placeSection, renderSection, spread } from '../../bench/report.ts';

describe('median', () => {
  test.each([
    [[3], 3],
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  test('of nothing is an error', () => {
    expect(() => median([])).toThrow('no values');
  });
});

test.each([
  [[5], 0.99, 5],
  [[4, 1, 3, 2], 0.5, 2],
  [Array.from({ length: 100 }, (_, at) => at + 1), 0.99, 99],
])('of %j, the part %d is at most %d', (values, part, expected) => {
  expect(percentile(values, part)).toBe(expected);
});

test('spread shows the median between the extremes', () => {
  expect(spread([0.3, 0.1, 0.2], 2, 's')).toBe('0.20 s (0.10-0.30)');
});

test('alternate takes turns and leaves out the first round', async () => {
  const order: string[] = [];
  const contender = (name: string) => (): Promise<number> => Promise.resolve(order.push(name));
  const results = await alternate(2, { a: contender('a'), b: contender('b') });
  expect(order.join('')).toBe('ababab');
  expect(results).toEqual({ a: [3, 5], b: [4, 6] });
});

describe('placeSection', () => {
  test('adds at the end what is not there', () => {
    expect(placeSection('# Head\n', 'x', 'body')).toBe('# Head\n\n<!-- bench:x -->\n\nbody\n\n<!-- /bench:x -->\n');
  });

  test('replaces what is there, and nothing else', () => {
    const before = placeSection(placeSection('# Head\n', 'x', 'old'), 'y', 'other');
    expect(placeSection(before, 'x', 'new')).toBe(placeSection(placeSection('# Head\n', 'x', 'new'), 'y', 'other'));
  });
});

test('a section names its command, and says which goals were missed', () => {
  const goals = [
    { what: 'time', reached: 2.04, atMost: 3, unit: 'x' },
    { what: 'memory', reached: 201, atMost: 200, unit: ' MB' },
  ];
  const table = [
    ['what', 'median'],
    ['a', '1 s'],
  ];
  const section = { id: 'x', title: 'Title', command: 'npm run x', text: ' How. ', table, goals };
  expect(renderSection(section, '2026-01-02', 'a machine')).toBe(
    [
      '## Title',
      '',
      'How.',
      '',
      '| what | median |',
      '| --- | --- |',
      '| a | 1 s |',
      '',
      '- time: **2.0x**, goal at most 3x, reached',
      '- memory: **201.0 MB**, goal at most 200 MB, missed',
      '',
      '`npm run x`, 2026-01-02, on a machine',
    ].join('\n'),
  );
});
