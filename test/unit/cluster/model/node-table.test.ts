import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { parseNodeTable, renderNodeTable, withNode } from '../../../../pkg/cluster/model/node-table.ts';

const lines = fc.uniqueArray(
  fc.record({
    ordinal: fc.nat(999),
    node: fc.constantFrom('redis-1', 'a-2'),
    address: fc.option(fc.ipV4()),
    shard: fc.option(fc.constantFrom('1', 'b')),
  }),
  { selector: ({ ordinal }) => ordinal },
);

test('what is rendered is read again, by N', () => {
  fc.assert(
    fc.property(lines, (table) => {
      expect(parseNodeTable(renderNodeTable(table))).toEqual([...table].sort((a, b) => a.ordinal - b.ordinal));
    }),
  );
});

test('what is no line is left out', () => {
  expect(parseNodeTable('\n# x\n1 redis-1 10.0.0.1 2\nnonsense\n')).toEqual([
    { ordinal: 1, node: 'redis-1', address: '10.0.0.1', shard: '2' },
  ]);
});

test('a line replaces that of its N and keeps what it does not know', () => {
  const table = parseNodeTable('1 redis-1 10.0.0.1 2\n2 redis-2 - -\n');
  expect(renderNodeTable(withNode(table, { ordinal: 1, node: 'redis-1', address: '10.0.0.9', shard: null }))).toBe(
    '1 redis-1 10.0.0.9 2\n2 redis-2 - -\n',
  );
});
