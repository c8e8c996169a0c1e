/** Whole outputs of `slots`, few and readable: on a terminal, in a pipe, with colours, with faults. */
import { describe, expect, test } from '@jest/globals';
import { lookUpSlot, slotOfKey } from '../../../../cmd/slot-lookup.ts';
import { renderLookup } from '../../../../cmd/view/slot-lookup.ts';
import { renderSlots } from '../../../../cmd/view/slots.ts';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../pkg/cluster/model/observation.ts';
import { changeKube, changeLines, changed } from '../../../support/observation-changes.ts';
import {
  duplicatedOwner,
  ghost,
  onHost,
  openSlot,
  podGone,
  replicaLinkDown,
  staleView,
  unowned,
  unreachable,
} from '../../../support/observation-faults.ts';
import { freshObservation, healthyObservation } from '../../../support/observation.ts';

function slots(observation: Observation, width: number | null, colour = false): string {
  return renderSlots(interpret(observation), { width, colour, wide: false });
}

describe('C14: a cluster whose record does not say that it was formed', () => {
  test('the line under a full picture says what the picture shows', () => {
    const joined = changed(
      healthyObservation(),
      changeKube((kube) => ({ ...kube, config: { formed: 'false' } })),
    );
    expect(slots(joined, 80)).toMatch(/\n16384 of 16384 slots covered, 3 shards, 300 keys\n$/);
  });

  test('before the nodes have met, it says how many slots are assigned', () => {
    const apart = changed(
      healthyObservation({ keysPerShard: 0 }),
      changeKube((kube) => ({ ...kube, config: { formed: 'false' } })),
      changeLines((line) => (line.flags.includes('myself') ? line : null)),
    );
    expect(slots(apart, 80)).toContain('The cluster is not formed yet: 6 nodes, 16384 of 16384 slots assigned\n');
  });
});

describe('a healthy cluster', () => {
  test('on a terminal of 80 columns', () => {
    expect(`\n${slots(healthyObservation(), 80)}`).toBe(`
SHARD  SLOTS               ROLE     POD        HOST    ZONE    KEYS  REMARKS
1      0-5460 (5461)       primary  redis-1-0  host-1  zone-1   100
                           replica  redis-4-0  host-2  zone-2   100
2      5461-10922 (5462)   primary  redis-2-0  host-2  zone-2   100
                           replica  redis-5-0  host-1  zone-1   100
3      10923-16383 (5461)  primary  redis-3-0  host-3  zone-3   100
                           replica  redis-6-0  host-1  zone-1   100

    0  1111111111111111111111111111111111111111111111111111111111111111
 4096  1111111111111111111112222222222222222222222222222222222222222222
 8192  2222222222222222222222222222222222222222222333333333333333333333
12288  3333333333333333333333333333333333333333333333333333333333333333
       one cell = 64 slots, digits are shards

16384 of 16384 slots covered, 3 shards, 300 keys
`);
  });

  test('in a pipe every row is complete', () => {
    const [, ...rows] = slots(healthyObservation(), null).split('\n').slice(0, 7);
    expect(rows.map((row) => row.split(/ {3,}/)[0])).toEqual(['1', '1', '2', '2', '3', '3']);
    expect(rows[1]).toBe('1       -                    replica   redis-4-0   host-2   zone-2    100');
  });

  test('with colours the picture names its shards', () => {
    const [first] = slots(healthyObservation(), 80, true).split('\n\n')[1]?.split('\n') ?? [];
    expect(first).toBe(
      `\u001b[2m    0\u001b[22m  \u001b[46m\u001b[30m${' '.repeat(31)}1${' '.repeat(32)}\u001b[39m\u001b[49m`,
    );
  });

  test('on a terminal of 40 columns nothing of a row is lost but the least', () => {
    expect(`\n${slots(healthyObservation(), 40)}`).toBe(`
SHARD  SLOTS          ROLE     POD
1      0-5460 (5461)  primary  redis-1-0
                      replica  redis-4-0
2      5461-10922 (…  primary  redis-2-0
                      replica  redis-5-0
3      10923-16383 …  primary  redis-3-0
                      replica  redis-6-0

    0  11111111111111111111111111111111
 2048  11111111111111111111111111111111
 4096  11111111111111111111122222222222
 6144  22222222222222222222222222222222
 8192  22222222222222222222222222222222
10240  22222222222333333333333333333333
12288  33333333333333333333333333333333
14336  33333333333333333333333333333333
       one cell = 64 slots, digits are
       shards

16384 of 16384 slots covered, 3 shards,
300 keys
`);
  });
});

describe('faults', () => {
  const ill = changed(
    healthyObservation(),
    unreachable('redis-2-0'),
    ghost('f'.repeat(40)),
    openSlot(5, 'redis-1-0', 'redis-3-0'),
    unowned([{ start: 9000, end: 9200 }]),
    onHost('redis-6-0', 'host-3'),
    staleView('redis-4-0', [{ start: 12_000, end: 12_001 }], 'redis-1-0'),
    replicaLinkDown('redis-5-0'),
    duplicatedOwner('redis-1-0', [{ start: 16_380, end: 16_383 }]),
  );

  test('stand below their rows where the terminal is narrow, and in the picture', () => {
    expect(`\n${slots(ill, 80)}`).toBe(`
SHARD  SLOTS                        ROLE     POD        HOST    ZONE    KEYS
1      0-5460 (5461)                primary  redis-1-0  host-1  zone-1   100
    ^ slot 5 open, migrating to redis-3-0; 4 slots contested with redis-3-0;
      sees the cluster differently
                                    replica  redis-4-0  host-2  zone-2   100
    ^ sees the cluster differently
2      5461-8999,9201-10922 (5261)  primary  redis-2-0  host-2  zone-2     -
    ^ no answer in time: no answer from redis-2-0
                                    replica  redis-5-0  host-1  zone-1   100
    ^ link to primary down for 30s
3      10923-16383 (5461)           primary  redis-3-0  host-3  zone-3   100
    ^ slot 5 open, importing from redis-1-0; 4 slots contested with redis-1-0
                                    replica  redis-6-0  host-3  zone-3   100
    ^ on the same host as its primary
-      -                            primary  ffffffff   -       -          -
    ^ no pod has the id ffffffff (fail)
-      9000-9200 (201)              -        -          -       -          -
    ^ uncovered: no node owns them

    0  !111111111111111111111111111111111111111111111111111111111111111
 4096  1111111111111111111112222222222222222222222222222222222222222222
 8192  222222222222....2222222222222222222222222223333333333333333?3333
12288  333333333333333333333333333333333333333333333333333333333333333x
       one cell = 64 slots, digits are shards, x = contested, . = uncovered, ! =
       open, ? = disputed

16183 of 16384 slots covered, 3 shards, 200 keys, 1 shard not counted, 1 open, 4
contested, views disagree about 2
`);
  });

  test('a missing replica is said of its primary', () => {
    const text = slots(changed(healthyObservation(), podGone('redis-6-0')), 200);
    expect(text).toMatch(/primary +redis-3-0 .* 100 +a replica is missing\n/);
  });

  test('nodes that were never joined', () => {
    expect(`\n${slots(freshObservation(), 100)}`).toBe(`
SHARD   SLOTS   ROLE      POD         HOST     ZONE     KEYS   REMARKS
1       -       primary   redis-1-0   host-1   zone-1      0
                primary   redis-4-0   host-2   zone-2      0
2       -       primary   redis-2-0   host-2   zone-2      0
                primary   redis-5-0   host-1   zone-1      0
3       -       primary   redis-3-0   host-3   zone-3      0
                primary   redis-6-0   host-1   zone-1      0

The cluster is not formed yet: 6 nodes, no slots assigned
`);
  });

  test('nobody answers', () => {
    const silent = healthyObservation().kube.pods.map(({ name }) => unreachable(name, 'tunnel', 'up'));
    const text = slots(changed(healthyObservation(), ...silent), 100);
    expect(text).toContain('None of 6 nodes answered: nothing is known of the slots\n');
    expect(text).not.toContain('one cell');
  });
});

describe('many shards', () => {
  test('twelve have letters', () => {
    const [, picture] = slots(healthyObservation({ masters: 12 }), 100).split('\n\n');
    expect(`\n${picture}`).toBe(`
    0  1111111111111111111112222222222222222222222333333333333333333333
 4096  4444444444444444444445555555555555555555555666666666666666666666
 8192  7777777777777777777778888888888888888888888999999999999999999999
12288  aaaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbbbbccccccccccccccccccccc
       one cell = 64 slots, shards: a=10 b=11 c=12`);
  });

  test('a hundred say their names', () => {
    const [, picture] = slots(healthyObservation({ masters: 100, replicas: 0 }), 80).split('\n\n');
    const lines = picture?.split('\n') ?? [];
    expect(lines).toHaveLength(17);
    expect(lines[0]).toBe('    0  |1--------|2---------|3--------|4--------|5--------|6--------|7-');
    expect(lines[15]).toBe('15360  |94|95-------|96-------|97-------|98--------|99-------|100------');
    expect(lines.every((line) => line.length <= 80)).toBe(true);
  });
});

describe('one slot', () => {
  const state = interpret(healthyObservation());

  // What CLUSTER KEYSLOT of Redis 7.0.15 says.
  test.each([
    ['foo', 12_182],
    ['bar', 5061],
    ['{user1000}.following', 3443],
    ['foo{}{bar}', 8363],
    ['foo{{bar}}zap', 4015],
    ['foo{bar}{zap}', 5061],
    ['{}x', 10_595],
    ['a{b', 13_340],
    ['a}b{c}', 7365],
    ['', 0],
    ['å', 9800],
  ])('of the key %j is %d', (key, slot) => {
    expect(slotOfKey(key)).toBe(slot);
  });

  test('of a key, with those who hold it', () => {
    const lookup = lookUpSlot(state, slotOfKey('a{foo}'), 'a{foo}');
    expect(`\n${renderLookup(state, lookup, { width: 80, colour: false })}`).toBe(`
Key:       "a{foo}"
Hash tag:  "foo"
Slot:      12182
Shard:     3 (10923-16383, 5461 slots)

ROLE      POD         ADDRESS           HOST     ZONE     REMARKS
primary   redis-3-0   10.96.0.13:6379   host-3   zone-3
replica   redis-6-0   10.96.0.16:6379   host-1   zone-1
`);
  });

  test('that nobody owns', () => {
    const bare = interpret(changed(healthyObservation(), unowned([{ start: 7, end: 7 }])));
    expect(renderLookup(bare, lookUpSlot(bare, 7, null), { width: null, colour: false })).toBe(
      'Slot:      7\nShard:     -\nNo node owns slot 7.\n',
    );
  });

  test('that is on its way', () => {
    const open = interpret(changed(healthyObservation(), openSlot(7, 'redis-1-0', 'redis-2-0')));
    expect(renderLookup(open, lookUpSlot(open, 7, null), { width: null, colour: false })).toContain(
      'Slot 7 is open: on its way from redis-1-0 to redis-2-0.\n',
    );
  });
});
