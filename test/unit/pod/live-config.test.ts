import { expect, test } from '@jest/globals';
import { liveNames, liveText } from '../../../pkg/pod/live-config.ts';

test('what no server takes while it runs, and quotes within a value, want a restart', () => {
  expect(
    liveNames({
      'maxmemory-policy': 'allkeys-lru',
      databases: '4',
      user: 'app on',
      'syslog-ident': '"a" "b"',
      save: '""',
    }),
  ).toEqual(['maxmemory-policy', 'save']);
});

test.each([
  ['900 1\n300 10', '900 1 300 10'],
  ['""', ''],
  ['"a b"', 'a b'],
  ["it's", null],
])('%j for CONFIG SET', (value, expected) => {
  expect(liveText(value)).toBe(expected);
});
