/** Faults of links and replication, and exactly what check says of each. */
import { healthyObservation, nodeIdOf } from '../../../support/observation.ts';
import { changeAnswer, changeLines, changed } from '../../../support/observation-changes.ts';
import { lacksKeys, lag, linkDown, replicaLinkDown, uptime } from '../../../support/observation-faults.ts';
import { STRANGER } from '../../../support/observation-identity.ts';
import { says } from './check-case.ts';
import type { CheckCase } from './check-case.ts';

export const REPLICATION_CASES: readonly CheckCase[] = [
  [
    'link-down: one direction',
    changed(healthyObservation(), linkDown('redis-1-0', 'redis-2-0')),
    [
      says(
        'warning link-down',
        'redis-1-0 has no bus link to redis-2-0, although both sides answer.',
        'See that the Service of the node leads to its pod with both ports, and that no policy stops the bus port.',
        'redis-2-0 redis-1-0',
      ),
    ],
  ],
  [
    'link-down: nobody reaches it, once',
    changed(
      healthyObservation(),
      changeLines((line, viewer) =>
        line.nodeId === nodeIdOf(2) && viewer !== 'redis-2-0' ? { ...line, linkUp: false } : line,
      ),
    ),
    [
      says(
        'warning link-down',
        'redis-1-0, redis-3-0, redis-4-0, redis-5-0 and redis-6-0 have no bus link to redis-2-0, although both sides answer.',
        'See that the Service of the node leads to its pod with both ports, and that no policy stops the bus port.',
        'redis-2-0 redis-1-0 redis-3-0 redis-4-0 redis-5-0 redis-6-0',
      ),
    ],
  ],
  [
    'link-down: held for failed',
    changed(
      healthyObservation(),
      changeLines((line, viewer) =>
        line.nodeId === nodeIdOf(5) && viewer !== 'redis-5-0' ? { ...line, flags: ['slave', 'fail'] } : line,
      ),
    ),
    [
      says(
        'warning link-down',
        'redis-1-0, redis-2-0, redis-3-0, redis-4-0 and redis-6-0 have no bus link to redis-5-0 and hold it for failed, although both sides answer.',
        'See that the Service of the node leads to its pod with both ports, and that no policy stops the bus port.',
        'redis-5-0 redis-1-0 redis-2-0 redis-3-0 redis-4-0 redis-6-0',
      ),
    ],
  ],
  [
    'replica-orphaned: its primary was forgotten',
    changed(
      healthyObservation(),
      changeLines((line) => (line.nodeId === nodeIdOf(5) ? { ...line, primaryId: STRANGER } : line)),
    ),
    [
      says(
        'warning replica-orphaned',
        'redis-5-0 follows ffffffff, which is gone; it holds 100 keys.',
        'If nobody else has these keys: kubectl -n default exec redis-5-0 -- redis-cli CLUSTER FAILOVER TAKEOVER. Else CLUSTER REPLICATE a living primary, which wipes them.',
        'redis-5-0',
      ),
    ],
  ],
  [
    'replica-chain',
    changed(
      healthyObservation({ replicas: 2 }),
      changeLines((line) => (line.nodeId === nodeIdOf(5) ? { ...line, primaryId: nodeIdOf(8) } : line)),
    ),
    [
      says(
        'warning replica-chain',
        'redis-5-0 follows redis-8-0, which is a replica itself.',
        'kubectl -n default exec redis-5-0 -- redis-cli CLUSTER REPLICATE 3c6ef36200000000000000000000000000000002',
        'redis-5-0',
      ),
    ],
  ],
  [
    'replica-dials-stale-address',
    changed(
      healthyObservation(),
      changeAnswer('redis-5-0', (answer) => ({
        ...answer,
        info: { ...answer.info, primaryHost: '10.1.1.1', primaryLinkUp: false, primaryLinkDownSeconds: 90 },
      })),
    ),
    [
      says(
        'warning replica-dials-stale-address',
        'redis-5-0 dials 10.1.1.1 for its primary redis-2-0, which is at 10.96.0.12:6379.',
        'kubectl -n default exec redis-5-0 -- redis-cli CLUSTER REPLICATE 3c6ef36200000000000000000000000000000002',
        'redis-5-0',
      ),
    ],
  ],
  [
    'replica-dials-stale-address: another shard answers there',
    changed(
      healthyObservation(),
      changeAnswer('redis-5-0', (answer) => ({ ...answer, info: { ...answer.info, primaryHost: '10.96.0.11' } })),
    ),
    [
      says(
        'warning replica-dials-stale-address',
        'redis-5-0 dials 10.96.0.11 for its primary redis-2-0, which is at 10.96.0.12:6379.',
        'kubectl -n default exec redis-5-0 -- redis-cli CLUSTER REPLICATE 3c6ef36200000000000000000000000000000002',
        'redis-5-0',
      ),
    ],
  ],
  [
    'replica-link-down',
    changed(healthyObservation(), replicaLinkDown('redis-5-0', 90)),
    [
      says(
        'warning replica-link-down',
        'redis-5-0 has had no connection to its primary redis-2-0 for 90 s.',
        'It dials again after repl-timeout. If it stays: kubectl -n default logs redis-5-0',
        'redis-5-0',
      ),
    ],
  ],
  [
    'replica-link-down: for longer than its primary, which has just started, was away',
    changed(healthyObservation(), replicaLinkDown('redis-5-0', 61), uptime('redis-2-0', 4)),
    [
      says(
        'warning replica-link-down',
        'redis-5-0 has had no connection to its primary redis-2-0 for 61 s.',
        'It dials again after repl-timeout. If it stays: kubectl -n default logs redis-5-0',
        'redis-5-0',
      ),
    ],
  ],
  [
    'a primary that has just started: its replica dials it by itself',
    changed(healthyObservation(), replicaLinkDown('redis-5-0', 20), uptime('redis-2-0', 4)),
    [],
  ],
  [
    'replica-syncing',
    changed(
      healthyObservation(),
      replicaLinkDown('redis-5-0', 90),
      changeAnswer('redis-5-0', (answer) => ({ ...answer, info: { ...answer.info, syncInProgress: true } })),
    ),
    [says('info replica-syncing', 'redis-5-0 is copying redis-2-0.', 'Wait.', 'redis-5-0')],
  ],
  [
    'primary-incomplete',
    changed(healthyObservation(), lacksKeys('redis-5-0', 'redis-2-0', -900)),
    [
      says(
        'critical primary-incomplete',
        'redis-2-0 leads with 100 keys, and redis-5-0, which follows it and has heard no more, has 900 more.',
        'kubectl redis failover redis-5-0 lets it lead. Until then restart no pod of the shard: whoever copies redis-2-0 anew drops them.',
        'redis-2-0',
      ),
    ],
  ],
  [
    'replica-incomplete',
    changed(healthyObservation(), lacksKeys('redis-5-0', 'redis-2-0', 3)),
    [
      says(
        'critical replica-incomplete',
        'redis-5-0 has 97 keys, 3 fewer than its primary redis-2-0, and is not behind.',
        'kubectl -n default delete pod redis-5-0 has it copy its primary anew; what was written to it alone goes',
        'redis-5-0',
      ),
    ],
  ],
  [
    'replica-lags',
    changed(healthyObservation(), lag('redis-5-0', 50 * 1024 * 1024)),
    [
      says(
        'warning replica-lags',
        'redis-5-0 is 50 MiB behind its primary redis-2-0.',
        'Look at the load of the host; raise repl-backlog-size if full resyncs follow.',
        'redis-5-0',
      ),
    ],
  ],
];
