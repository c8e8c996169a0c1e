/** Nodes that share hosts, and what fix plans for them: one moves at a time, and no shard is left without a replica in step. */
import { changeAnswer, changed, type Change } from '../../../../support/observation-changes.ts';
import { follows, lacksKeys, onHost, openSlot, unreachable } from '../../../../support/observation-faults.ts';
import { healthyObservation } from '../../../../support/observation.ts';
import { leaves, type FixCase } from './fix-words.ts';

const older = (pod: string): Change =>
  changeAnswer(pod, (answer) => ({ ...answer, info: { ...answer.info, version: '7.0.15' } }));
const crowded = changed(healthyObservation({ hosts: 4 }), onHost('redis-2-0', 'host-1'));

export const PLACE_CASES: readonly FixCase[] = [
  [
    'two primaries on one host: a replica elsewhere takes over',
    crowded,
    { repairs: ['primaries-share-host: failover'], left: ['same-zone (by-hand)'] },
  ],
  [
    'the same, where those are of an older version, which their primaries could not copy from',
    changed(crowded, older('redis-4-0'), older('redis-5-0')),
    leaves('versions-differ (by-hand)', 'primaries-share-host (by-hand)', 'same-zone (by-hand)'),
  ],
  [
    'the same, where those have fewer keys than their primaries, and the same offset',
    changed(crowded, lacksKeys('redis-4-0', 'redis-1-0', 100), lacksKeys('redis-5-0', 'redis-2-0', 1)),
    leaves(
      'replica-incomplete (by-hand)',
      'replica-incomplete (by-hand)',
      'primaries-share-host (by-hand)',
      'same-zone (by-hand)',
    ),
  ],
  [
    'a primary that was emptied: its replica with the keys leads',
    changed(healthyObservation(), lacksKeys('redis-5-0', 'redis-2-0', -900)),
    { repairs: ['primary-incomplete: failover'], left: [] },
  ],
  [
    'the same while slots of it are open',
    changed(healthyObservation(), lacksKeys('redis-5-0', 'redis-2-0', -900), openSlot(5500, 'redis-2-0', 'redis-3-0')),
    { repairs: ['slots-open: move 5500 redis-2-0 -> redis-3-0'], left: ['primary-incomplete (after-others)'] },
  ],
  // 1.24
  [
    'a primary and its replica on one host, where no label says who belongs to whom, and another replica stays (K17)',
    changed(healthyObservation({ kind: 'foreign', zones: 0, replicas: 2, hosts: 4 }), onHost('redis-4', 'host-2')),
    { repairs: ['same-host: replicate redis-4 -> redis-0'], left: ['pod-ip-announced (by-hand)'] },
  ],
  [
    'the same with its only replica: its shard would have none meanwhile (K17)',
    changed(healthyObservation({ kind: 'foreign', zones: 0 }), onHost('redis-4', 'host-2')),
    leaves('pod-ip-announced (by-hand)', 'same-host (by-hand)'),
  ],
  [
    'two shards that share hosts: one replica moves at a time (K17)',
    changed(
      healthyObservation({ kind: 'foreign', zones: 0, replicas: 2, hosts: 4 }),
      onHost('redis-4', 'host-2'),
      onHost('redis-5', 'host-3'),
    ),
    {
      repairs: ['same-host: replicate redis-4 -> redis-0'],
      left: ['pod-ip-announced (by-hand)', 'same-host (after-others)'],
    },
  ],
  [
    'one has gone to another shard, and the best to follow it here does not answer: not the one that came from this host (1.24)',
    changed(
      healthyObservation({ kind: 'foreign', zones: 0, replicas: 2, hosts: 4 }),
      onHost('redis-4', 'host-2'),
      follows('redis-4', 'redis-0'),
      onHost('redis-6', 'host-5'),
      onHost('redis-7', 'host-5'),
      unreachable('redis-3'),
    ),
    {
      repairs: ['replica-missing: replicate redis-6 -> redis-1'],
      left: ['node-unreachable (by-hand)', 'pod-ip-announced (by-hand)'],
    },
  ],
  [
    'a primary and its replica on one host, in a cluster of ours: a pod has to move',
    changed(healthyObservation({ zones: 0 }), onHost('redis-4-0', 'host-1')),
    leaves('same-host (by-hand)'),
  ],
];
