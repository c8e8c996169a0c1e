import { describe, expect, test } from '@jest/globals';
import { keysByDatabase, keysOfAll, otherDatabases } from '../../../../pkg/cluster/wire/keyspace.ts';

const TWO = '# Keyspace\r\ndb0:keys=12,expires=1,avg_ttl=5\r\ndb11:keys=3,expires=0,avg_ttl=0\r\n';

describe('INFO keyspace', () => {
  test.each<[string, string, readonly (readonly [number, number])[], number, readonly number[]]>([
    ['nothing', '# Keyspace\r\n', [], 0, []],
    ['one database', '# Keyspace\r\ndb0:keys=7,expires=0,avg_ttl=0\r\n', [[0, 7]], 7, []],
    [
      'two, of Valkey 9',
      TWO,
      [
        [0, 12],
        [11, 3],
      ],
      15,
      [11],
    ],
    ['only one that is not 0', 'db3:keys=1,expires=0,avg_ttl=0', [[3, 1]], 1, [3]],
    [
      'a text in which it is one of many',
      `# Server\r\nredis_version:9.0.0\r\n${TWO}`,
      [
        [0, 12],
        [11, 3],
      ],
      15,
      [11],
    ],
  ])('%s', (_, text, byDatabase, all, others) => {
    expect([...keysByDatabase(text)]).toEqual(byDatabase);
    expect([keysOfAll(text), otherDatabases(text)]).toEqual([all, others]);
  });
});
