import { describe, expect, test } from '@jest/globals';
import { AppError } from '../../../pkg/errors.ts';
import { parseClusterInfo } from '../../../pkg/redis/parse/cluster-info.ts';
import { parseClusterShards } from '../../../pkg/redis/parse/cluster-shards.ts';
import { parseClusterSlots } from '../../../pkg/redis/parse/cluster-slots.ts';
import { fieldOf, numberOf } from '../../../pkg/redis/parse/fields.ts';
import { parseInfo } from '../../../pkg/redis/parse/info.ts';
import { parseLastHeard } from '../../../pkg/redis/parse/last-heard.ts';
import { parseClusterNodes } from '../../../pkg/redis/parse/cluster-nodes.ts';

const ID = 'a'.repeat(40);

describe('fields', () => {
  const text = '# Server\r\nversion:1\r\nconfig_version:2\r\nempty:\r\nwith:colon:s\r\n\r\nlast:9';
  test.each([
    ['version', '1'],
    ['config_version', '2'],
    ['empty', ''],
    ['with', 'colon:s'],
    ['last', '9'],
    ['absent', null],
    ['colon', null],
  ])('%s', (name, value) => {
    expect(fieldOf(text, name)).toBe(value);
  });

  test('the first one of all, and lines that end in LF only', () => {
    expect(fieldOf('a:1\nb:2\n', 'a')).toBe('1');
    expect(fieldOf('a:1\nb:2\n', 'b')).toBe('2');
  });

  test.each([
    ['n:12', 12],
    ['n:-1', -1],
    ['n:1.5', 1.5],
    ['n:', null],
    ['n:many', null],
    ['m:1', null],
  ])('%s as a number', (line, value) => {
    expect(numberOf(line, 'n')).toBe(value);
  });
});

describe('INFO', () => {
  const nothing = {
    product: 'redis',
    version: '5.0.14',
    uptimeSeconds: 0,
    role: 'primary',
    primaryHost: null,
    primaryPort: null,
    primaryLinkUp: null,
    primaryLinkDownSeconds: null,
    syncInProgress: false,
    replicationOffset: 0,
    connectedReplicas: 0,
    usedMemoryBytes: 0,
    maxMemoryBytes: 0,
    maxMemoryPolicy: null,
    loading: false,
    aofEnabled: false,
    keys: 0,
    writes: {
      aofWriteOk: true,
      aofRewriteOk: true,
      snapshotOk: true,
      goodReplicas: null,
      expiringKeys: 0,
      uncountedMemoryBytes: 0,
    },
  };

  test('of a server that tells nothing but its version', () => {
    expect(parseInfo('# Server\r\nredis_version:5.0.14\r\n')).toEqual(nothing);
  });

  test.each([
    ['redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:7.2.7', 'valkey', '7.2.7'],
    ['redis_version:7.2.4\r\nvalkey_version:9.1.2\r\nserver_name:redis', 'valkey', '9.1.2'],
    ['redis_version:8.6.3\r\nredis_git_sha1:0', 'redis', '8.6.3'],
  ])('product and version: %j', (text, product, version) => {
    expect(parseInfo(text)).toEqual({ ...nothing, product, version });
  });

  test('of a replica that has lost its primary, and loads', () => {
    const text = [
      'redis_version:7.0.15',
      'loading:1',
      'role:slave',
      'master_host:10.0.0.1',
      'master_port:6379',
      'master_link_status:down',
      'master_sync_in_progress:1',
      'slave_read_repl_offset:7',
      'slave_repl_offset:6',
      'master_link_down_since_seconds:42',
      'master_repl_offset:5',
    ].join('\r\n');
    expect(parseInfo(text)).toEqual({
      ...nothing,
      version: '7.0.15',
      loading: true,
      copied: 0,
      role: 'replica',
      primaryHost: '10.0.0.1',
      primaryPort: 6379,
      primaryLinkUp: false,
      primaryLinkDownSeconds: 42,
      syncInProgress: true,
      replicationOffset: 6,
    });
    expect(parseInfo(text.replace(':42', ':-1')).primaryLinkDownSeconds).toBeNull();
  });

  test('keys of all databases, as a cluster of Valkey 9 may have several', () => {
    const text =
      'redis_version:1\r\n# Keyspace\r\ndb0:keys=12,expires=3,avg_ttl=0\r\ndb11:keys=30,expires=0,avg_ttl=0\r\n';
    expect([parseInfo(text).keys, parseInfo(text).writes?.expiringKeys]).toEqual([42, 3]);
  });

  test('what decides whether a primary takes writes (K20)', () => {
    const text = [
      'redis_version:7.0.15',
      'mem_not_counted_for_evict:2035',
      'rdb_last_bgsave_status:err',
      'aof_last_bgrewrite_status:err',
      'aof_last_write_status:err',
      'min_slaves_good_slaves:0',
    ].join('\r\n');
    expect(parseInfo(text).writes).toEqual({
      aofWriteOk: false,
      aofRewriteOk: false,
      snapshotOk: false,
      goodReplicas: 0,
      expiringKeys: 0,
      uncountedMemoryBytes: 2035,
    });
  });
});

test('CLUSTER INFO of a cluster that has failed', () => {
  expect(parseClusterInfo('cluster_state:fail\r\ncluster_slots_assigned:5461\r\ncluster_slots_pfail:1\r\n')).toEqual({
    state: 'fail',
    slotsAssigned: 5461,
    slotsOk: 0,
    slotsPfail: 1,
    slotsFail: 0,
    knownNodes: 0,
    size: 0,
    currentEpoch: 0,
    myEpoch: 0,
  });
});

describe('CLUSTER SLOTS', () => {
  test('without names (before 7.0), and with an endpoint that is not told', () => {
    expect(
      parseClusterSlots([[0, 99, ['10.0.0.1', 6379, ID], [null, 6380, ID], ['?', 6381, ID, ['hostname', 'h']]]]),
    ).toEqual([
      {
        start: 0,
        end: 99,
        primary: { nodeId: ID, endpoint: '10.0.0.1', port: 6379, hostname: null },
        replicas: [
          { nodeId: ID, endpoint: '', port: 6380, hostname: null },
          { nodeId: ID, endpoint: '', port: 6381, hostname: 'h' },
        ],
      },
    ]);
  });
});

describe('CLUSTER SHARDS', () => {
  test('as objects, with TLS only, and slots in several pieces', () => {
    const node = {
      id: ID,
      'tls-port': 6380,
      ip: '10.0.0.1',
      role: 'master',
      'replication-offset': 5,
      health: 'loading',
    };
    expect(parseClusterShards([{ slots: [5, 6, 0, 3, 4, 4], nodes: [node], id: 'b'.repeat(40) }])).toEqual([
      {
        shardId: 'b'.repeat(40),
        slots: [{ start: 0, end: 6 }],
        nodes: [
          {
            nodeId: ID,
            ip: '10.0.0.1',
            port: 6380,
            hostname: null,
            role: 'primary',
            replicationOffset: 5,
            health: 'loading',
          },
        ],
      },
    ]);
  });

  test('a shard that lost all its nodes', () => {
    expect(parseClusterShards([['slots', [], 'nodes', []]])).toEqual([{ shardId: null, slots: [], nodes: [] }]);
  });
});

describe('something else than was asked for', () => {
  test.each<[string, () => unknown, string]>([
    ['INFO', () => parseInfo('HTTP/1.1 400 Bad Request'), 'The reply to INFO names no version'],
    ['CLUSTER INFO', () => parseClusterInfo(''), 'The reply to CLUSTER INFO has no cluster_state'],
    ['CLUSTER SLOTS', () => parseClusterSlots('OK'), 'The reply to CLUSTER SLOTS makes no sense'],
    ['CLUSTER SLOTS, a range', () => parseClusterSlots([7]), 'The reply to CLUSTER SLOTS makes no sense'],
    ['CLUSTER SHARDS', () => parseClusterShards(null), 'The reply to CLUSTER SHARDS makes no sense'],
    ['CLUSTER SHARDS, a shard', () => parseClusterShards([['slots', 7]]), 'The reply to CLUSTER SHARDS makes no sense'],
  ])('%s', (_, parse, message) => {
    expect(parse).toThrow(new AppError(message, { code: 'bad-reply' }));
  });
});

describe('when others were last heard', () => {
  const OTHER = 'b'.repeat(40);
  const nodes = [
    `${ID} 10.0.0.1:6379@16379 myself,master - 0 0 1 connected 0-5460`,
    `${OTHER} 10.0.0.2:6379@16379 master,fail - 1700000060000 1700000050000 2 disconnected 5461-10922`,
    `${'c'.repeat(40)} 10.0.0.3:6379@16379 slave ${OTHER} 0 1700000099000 2 connected`,
    `${'d'.repeat(40)} 10.0.0.4:6379@16379 master,fail? - 1700000060000 0 3 connected`,
  ].join('\n');
  const heard = (time: unknown) => parseLastHeard(nodes, parseClusterNodes(nodes), time);

  test("only of those that are down, by the node's own clock; one that was never heard is left out", () => {
    expect(heard(['1700000100', '250000'])).toEqual({ [OTHER]: 50_250 });
  });

  test('a clock that was set back makes no age', () => {
    expect(heard(['1700000000', '0'])).toEqual({ [OTHER]: 0 });
  });

  test.each([[new Error('NOPERM')], [null], [['x', 'y']], [[]]])('not known where TIME is not answered: %j', (time) => {
    expect(heard(time)).toBeNull();
  });
});

test('a link that never was up has no age', () => {
  const info = (seconds: string): unknown =>
    parseInfo(`redis_version:6.0.16\r\nrole:slave\r\nmaster_link_down_since_seconds:${seconds}\r\n`)
      .primaryLinkDownSeconds;
  expect([info('75'), info('-1'), info('1700000000')]).toEqual([75, null, null]);
});
