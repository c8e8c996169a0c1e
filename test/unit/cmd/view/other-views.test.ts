/** Whole outputs of `nodes`, `status` and `check`. */
import { describe, expect, test } from '@jest/globals';
import { judge } from '../../../../cmd/judge.ts';
import { renderNodes } from '../../../../cmd/view/nodes.ts';
import { renderCheck } from '../../../../cmd/view/problems.ts';
import { renderStatus } from '../../../../cmd/view/status.ts';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../pkg/cluster/model/observation.ts';
import { changed } from '../../../support/observation-changes.ts';
import { ghost, lag, operation, replicaLinkDown, unowned, unreachable } from '../../../support/observation-faults.ts';
import { healthyObservation } from '../../../support/observation.ts';

const healthy = healthyObservation();
const ill = changed(
  healthy,
  unreachable('redis-2-0', 'auth', 'up'),
  ghost('f'.repeat(40)),
  lag('redis-4-0', 500),
  replicaLinkDown('redis-6-0'),
);

function nodes(observation: Observation, width: number | null, wide = false): string {
  return renderNodes(interpret(observation), { width, colour: false, wide });
}

describe('nodes', () => {
  test('in a pipe: all columns', () => {
    expect(`\n${nodes(ill, null)}`).toBe(`
POD         ID         ROLE      SHARD   LINK    LAG       MEMORY   KEYS   ADDRESS           HOST     ZONE     AGE   VERSION   REMARKS
redis-1-0   9e3779b1   primary   1       -         -   1.9Mi/95Mi    100   10.96.0.11:6379   host-1   zone-1   24h   8.6.3
redis-2-0   3c6ef362   primary   2       down      -            -      -   10.96.0.12:6379   host-2   zone-2   24h   -         password not accepted: no answer from redis-2-0
redis-3-0   daa66d13   primary   3       -         -   1.9Mi/95Mi    100   10.96.0.13:6379   host-3   zone-3   24h   8.6.3
redis-4-0   78dde6c4   replica   1       up     500B   1.9Mi/95Mi    100   10.96.0.14:6379   host-2   zone-2   24h   8.6.3
redis-5-0   17156075   replica   2       up        -   1.9Mi/95Mi    100   10.96.0.15:6379   host-1   zone-1   24h   8.6.3
redis-6-0   b54cda26   replica   3       down      0   1.9Mi/95Mi    100   10.96.0.16:6379   host-1   zone-1   24h   8.6.3     link to primary down for 30s
-           ffffffff   primary   -       down      -            -      -   10.9.9.9:6379     -        -        -     -         no pod has the id ffffffff (fail)
`);
  });

  test('on a terminal of 60 columns: who, what, how, where', () => {
    expect(`\n${nodes(ill, 60)}`).toBe(`
POD         ROLE      SHARD   LINK    LAG   KEYS   HOST
redis-1-0   primary   1       -         -    100   host-1
redis-2-0   primary   2       down      -      -   host-2
    ^ password not accepted: no answer from redis-2-0
redis-3-0   primary   3       -         -    100   host-3
redis-4-0   replica   1       up     500B    100   host-2
redis-5-0   replica   2       up        -    100   host-1
redis-6-0   replica   3       down      0    100   host-1
    ^ link to primary down for 30s
-           primary   -       down      -      -   -
    ^ no pod has the id ffffffff (fail)
`);
  });

  test('-o wide leaves nothing out', () => {
    expect(nodes(ill, 60, true)).toBe(nodes(ill, null));
  });
});

describe('status', () => {
  const status = (observation: Observation, width: number | null, colour = false): string =>
    renderStatus(judge({ observation, state: interpret(observation) }), { width, colour });

  test('of a healthy cluster', () => {
    expect(`\n${status(healthy, 80)}`).toBe(`
Redis Cluster default/redis: healthy
All 16384 slots are served by 3 primaries; 6 of 6 nodes answer.

Shape:      3 primaries, 3 replicas
Nodes:      6 of 6 answer
Pods:       6 of 6 ready
Slots:      16384 of 16384 covered
Keys:       300
Memory:     5.7Mi of 286Mi used by primaries (2 %)
Version:    redis 8.6.3
Hosts:      host-1 3 (1 primary), host-2 2 (1 primary), host-3 1 (1 primary)
Zones:      zone-1 3 (1 primary), zone-2 2 (1 primary), zone-3 1 (1 primary)
Operation:  none
`);
  });

  test('the title has the colour of the health', () => {
    expect(status(healthy, 80, true).split('\n')[0]).toBe(
      '\u001b[1m\u001b[32mRedis Cluster default/redis: healthy\u001b[39m\u001b[22m',
    );
    expect(status(changed(healthy, unowned([{ start: 0, end: 0 }])), 80, true).split('\n')[0]).toBe(
      '\u001b[1m\u001b[31mRedis Cluster default/redis: broken\u001b[39m\u001b[22m',
    );
  });

  test('of a cluster without a replica that was wanted, while somebody works on it', () => {
    const text = status(changed(healthy, operation({ verb: 'scale', holder: 'ada@laptop' })), null);
    expect(text).toMatch(/\nOperation: {2}scale by ada@laptop, since \S+\n/);
    const quiet = status(changed(healthy, operation({ renewedAt: '2026-11-23T09:59:10.000Z' })), null);
    expect(quiet).toMatch(/\nOperation: {2}create by ann@laptop, since \S+; last heard of at 2026-11-23T09:59:10Z\n/);
  });

  test('keys that nobody could count are not taken for none', () => {
    const text = status(changed(healthy, unreachable('redis-2-0')), null);
    expect(text).toMatch(/\nKeys: {7}at least [\d,]+; shard 2 not counted\n/);
  });

  test('problems come last, each with what would fix it', () => {
    const [, problems] = status(changed(healthy, unowned([{ start: 1, end: 9 }])), 72).split(
      '\nProblems (1 critical)\n',
    );
    expect(problems).toMatch(/^\ncritical {2}slots-uncovered\n {10}9 slots belong to nobody: slots 1-9\.\n {10}fix: /);
    expect(Math.max(...(problems ?? '').split('\n').map((line) => line.length))).toBeLessThanOrEqual(72);
  });
});

describe('check', () => {
  const check = (observation: Observation, width: number | null): string => {
    const { state, problems } = judge({ observation, state: interpret(observation) });
    return renderCheck(state, problems, { width, colour: false });
  };

  test('nothing found', () => {
    expect(check(healthy, 80)).toBe('No problems found in redis (6 nodes, 3 shards).\n');
  });

  test('something found: the last line counts it and says where to read on', () => {
    expect(
      check(changed(healthy, unowned([{ start: 1, end: 9 }])), null)
        .trimEnd()
        .split('\n')
        .at(-1),
    ).toBe('1 critical in redis (6 nodes, 3 shards). More about a code: kubectl redis explain CODE');
  });

  test('in a pipe a problem is three lines', () => {
    const lines = check(changed(healthy, unowned([{ start: 1, end: 9 }])), null).split('\n');
    expect(lines.slice(0, 2)).toEqual(['critical  slots-uncovered', '          9 slots belong to nobody: slots 1-9.']);
    expect(lines[2]).toMatch(/^ {10}fix: \S/);
    expect(lines[3]).toBe('');
  });
});
