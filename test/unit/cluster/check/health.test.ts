import { expect, test } from '@jest/globals';
import { check } from '../../../../pkg/cluster/check/check.ts';
import { healthOf } from '../../../../pkg/cluster/check/health.ts';
import type { Health } from '../../../../pkg/cluster/check/health.ts';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../pkg/cluster/model/observation.ts';
import { changeAnswer, changeKube, changeLines, changed, type Change } from '../../../support/observation-changes.ts';
import {
  every,
  linkDown,
  openSlot,
  strayKeys,
  unreachable,
  unowned,
  uptime,
  slots,
} from '../../../support/observation-faults.ts';
import { writes } from '../../../support/observation-writes.ts';
import { freshObservation, healthyObservation } from '../../../support/observation.ts';

/** Up for so short that no check blames it, and it says itself that it does not serve. */
function refusesYoung(pod: string): Change {
  return (observation) =>
    changed(
      observation,
      uptime(pod, 5),
      changeAnswer(pod, (answer) => ({ ...answer, clusterInfo: { ...answer.clusterInfo, state: 'fail' } })),
    );
}

/** Each knows itself alone. */
const apart: Change = changeLines((line) => (line.flags.includes('myself') ? line : null));

const CASES: readonly (readonly [string, Observation, Health])[] = [
  [
    'a healthy one',
    healthyObservation(),
    { level: 'healthy', sentence: 'All 16384 slots are served by 3 primaries; 6 of 6 nodes answer.' },
  ],
  [
    'one with nothing but remarks',
    healthyObservation({ kind: 'foreign' }),
    { level: 'healthy', sentence: 'All 16384 slots are served by 3 primaries; 6 of 6 nodes answer.' },
  ],
  [
    'warnings',
    changed(healthyObservation(), linkDown('redis-1-0', 'redis-2-0'), openSlot(7, 'redis-1-0', 'redis-3-0')),
    {
      level: 'degraded',
      sentence: 'All 16384 slots are served by 3 primaries; 6 of 6 nodes answer; 2 warnings.',
    },
  ],
  [
    'a critical problem',
    changed(healthyObservation(), strayKeys('redis-2-0', 3)),
    {
      level: 'broken',
      sentence: 'redis-2-0 holds 3 keys in slots that it does not own (103 keys, 100 in its slots).',
    },
  ],
  [
    'a critical problem and others',
    changed(healthyObservation(), unowned(slots(1)), linkDown('redis-1-0', 'redis-2-0')),
    { level: 'broken', sentence: '1 slot belongs to nobody: slot 1. Besides: 1 warning.' },
  ],
  [
    'pods that were not joined',
    freshObservation(),
    { level: 'forming', sentence: 'The nodes are not joined to a cluster yet; 6 of 6 nodes answer.' },
  ],
  [
    'pods that do not run yet',
    changed(
      freshObservation(),
      every((pod) => unreachable(pod, 'not-running', 'up')),
    ),
    { level: 'forming', sentence: 'The nodes are not joined to a cluster yet; 0 of 6 nodes answer.' },
  ],
  [
    'pods of others, of which one could not be asked',
    changed(freshObservation({ kind: 'foreign' }), unreachable('redis-0', 'auth', 'up')),
    {
      level: 'unknown',
      sentence: 'Whether the nodes are joined is not known without redis-0; 5 of 6 nodes answer.',
    },
  ],
  [
    'nobody to be asked',
    changed(
      healthyObservation(),
      every((pod) => unreachable(pod, 'timeout', 'up')),
    ),
    { level: 'unknown', sentence: 'No node could be asked, so nothing is known; 0 of 6 nodes answer.' },
  ],
  [
    'one that sleeps',
    {
      ...changed(
        healthyObservation(),
        changeKube((kube) => ({
          ...kube,
          pods: [],
          statefulSets: kube.statefulSets.map((set) => ({ ...set, replicas: 0 })),
        })),
      ),
      replies: [],
    },
    {
      level: 'stopped',
      sentence: 'redis sleeps: its StatefulSets are scaled to zero; its data is kept on 6 volumes.',
    },
  ],
  [
    'a primary that refuses writes (K20)',
    changed(healthyObservation(), writes('redis-2-0', { aofWriteOk: false })),
    {
      level: 'broken',
      sentence:
        'redis-2-0, a primary, refuses writes (MISCONF: it can not write its append-only file): slots 5461-10922 can be read, not written.',
    },
  ],
  [
    'pods that have slots and were never introduced to each other (C9)',
    changed(healthyObservation({ kind: 'foreign', keysPerShard: 0 }), apart, every(refusesYoung)),
    { level: 'forming', sentence: 'The nodes are not joined to a cluster yet; 6 of 6 nodes answer.' },
  ],
  [
    'nodes that started a moment ago and serve nothing yet (C9)',
    changed(healthyObservation(), every(refusesYoung)),
    {
      level: 'degraded',
      sentence:
        'redis-1-0, redis-2-0 and redis-3-0 started a moment ago and serve no slot yet (cluster_state:fail); 6 of 6 nodes answer.',
    },
  ],
  [
    'no pods at all',
    {
      ...changed(
        healthyObservation(),
        changeKube((kube) => ({ ...kube, pods: [] })),
      ),
      replies: [],
    },
    { level: 'broken', sentence: 'redis has no pods; no data is served.' },
  ],
];

test.each(CASES)('health of %s', (_name, observation, health) => {
  const state = interpret(observation);
  expect(healthOf(state, check(state, observation))).toEqual(health);
});
