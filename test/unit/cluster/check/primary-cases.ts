/** Primaries that are down, and what check says of bringing them back or letting a replica lead. */
import { changed, changeKube } from '../../../support/observation-changes.ts';
import { crashing, heard, podGone, replicasLoseLink, unreachable } from '../../../support/observation-faults.ts';
import { healthyObservation } from '../../../support/observation.ts';
import { says } from './check-case.ts';
import type { CheckCase } from './check-case.ts';

const setGone = changeKube((kube) => ({
  ...kube,
  statefulSets: kube.statefulSets.filter(({ name }) => name !== 'redis-2'),
}));

export const PRIMARY_CASES: readonly CheckCase[] = [
  [
    'primary-down: a replica answers',
    changed(healthyObservation(), replicasLoseLink('redis-2-0'), heard('redis-2-0', 30_000), unreachable('redis-2-0')),
    [
      says(
        'critical primary-down',
        'redis-2-0, a primary, is down (no answer from redis-2-0): slots 5461-10922 are not served.',
        'redis-5-0 takes over by itself within seconds. If it does not, and redis-2-0 is dead for certain: kubectl -n default exec redis-5-0 -- redis-cli CLUSTER FAILOVER FORCE',
        'redis-2-0',
        '5461-10922',
      ),
    ],
  ],
  [
    'primary-down: a replica answers that lost its link 75 s before (K1)',
    changed(
      healthyObservation(),
      replicasLoseLink('redis-2-0', 80),
      heard('redis-2-0', 5_000),
      unreachable('redis-2-0', 'loading'),
    ),
    [
      says(
        'critical primary-down',
        'redis-2-0, a primary, is down (no answer from redis-2-0): slots 5461-10922 are not served.',
        'Bring redis-2-0 back with its volume (kubectl -n default describe pod redis-2-0) first: redis-5-0 in its place would lose writes of 75 s to slots 5461-10922, which redis-5-0 has not (redis-2-0 runs (loading: no answer from redis-2-0); redis-5-0 has 100 keys).',
        'redis-2-0',
        '5461-10922',
      ),
    ],
  ],
  [
    'primary-down: no replica',
    changed(healthyObservation({ replicas: 0 }), unreachable('redis-2-0', 'not-running'), crashing('redis-2-0')),
    [
      says(
        'critical primary-down',
        'redis-2-0, a primary, is down (CrashLoopBackOff): slots 5461-10922 are not served.',
        'Bring redis-2-0 back with its volume (kubectl -n default describe pod redis-2-0); no replica of it answers. Never assign its slots to others.',
        'redis-2-0',
        '5461-10922',
      ),
    ],
  ],
  [
    'primary-down: its pod is missing',
    changed(healthyObservation(), replicasLoseLink('redis-2-0'), heard('redis-2-0', 30_000), podGone('redis-2-0')),
    [
      says(
        'critical primary-down',
        'redis-2-0, a primary, is down (its pod is missing): slots 5461-10922 are not served.',
        'redis-5-0 takes over by itself within seconds. If it does not, and redis-2-0 is dead for certain: kubectl -n default exec redis-5-0 -- redis-cli CLUSTER FAILOVER FORCE',
        'redis-2-0',
        '5461-10922',
      ),
    ],
  ],
  [
    'primary-down: somebody deleted its StatefulSet, and nobody else has its keys',
    changed(healthyObservation({ replicas: 0 }), podGone('redis-2-0'), setGone),
    [
      says(
        'critical primary-down',
        'redis-2-0, a primary, is down (its pod is missing): slots 5461-10922 are not served.',
        'Bring redis-2-0 back with its volume (kubectl redis create redis makes what is missing); no replica of it answers. Never assign its slots to others.',
        'redis-2-0',
        '5461-10922',
      ),
    ],
  ],
];
