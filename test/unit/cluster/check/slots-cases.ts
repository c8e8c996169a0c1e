/** Faults of slots, views and epochs, and exactly what check says of each. */
import { healthyObservation, nodeIdOf } from '../../../support/observation.ts';
import { changeAnswer, changeLines, changed } from '../../../support/observation-changes.ts';
import {
  configEpoch,
  duplicatedOwner,
  openSlot,
  slots,
  staleView,
  strayKeys,
  unowned,
} from '../../../support/observation-faults.ts';
import { says } from './check-case.ts';
import type { CheckCase } from './check-case.ts';

export const SLOTS_CASES: readonly CheckCase[] = [
  [
    'stray-keys',
    changed(healthyObservation(), strayKeys('redis-2-0', 3)),
    [
      says(
        'critical stray-keys',
        'redis-2-0 holds 3 keys in slots that it does not own (103 keys, 100 in its slots).',
        'Do not restart the node. CLUSTER SETSLOT n IMPORTING owner on it, MIGRATE the keys to the owner without REPLACE.',
        'redis-2-0',
      ),
    ],
  ],
  [
    'slots-open: both ends',
    changed(healthyObservation(), openSlot(7, 'redis-1-0', 'redis-2-0'), openSlot(8, 'redis-1-0', 'redis-2-0')),
    [
      says(
        'warning slots-open',
        'Slots 7-8 are open from redis-1-0 to redis-2-0.',
        'Finish it: move the keys that are left, then CLUSTER SETSLOT n NODE on target, source and the other primaries.',
        'redis-1-0 redis-2-0',
        '7-8',
      ),
    ],
  ],
  [
    'slots-half-open: only the source',
    changed(healthyObservation(), openSlot(7, 'redis-1-0', 'redis-2-0', 'migrating')),
    [
      says(
        'warning slots-half-open',
        'Slot 7 is marked as migrating on redis-1-0 and importing nowhere.',
        'Set the missing mark again (CLUSTER SETSLOT n MIGRATING or IMPORTING), move the rest, then SETSLOT n NODE.',
        'redis-1-0',
        '7',
      ),
    ],
  ],
  [
    'slots-half-open: only the target',
    changed(healthyObservation(), openSlot(7, 'redis-1-0', 'redis-2-0', 'importing')),
    [
      says(
        'warning slots-half-open',
        'Slot 7 is marked as importing on redis-2-0 and migrating nowhere.',
        'Set the missing mark again (CLUSTER SETSLOT n MIGRATING or IMPORTING), move the rest, then SETSLOT n NODE.',
        'redis-2-0',
        '7',
      ),
    ],
  ],
  [
    'slots-uncovered',
    changed(healthyObservation(), unowned(slots(5, 6, 7, 9000))),
    [
      says(
        'critical slots-uncovered',
        '4 slots belong to nobody: slots 5-7, 9000.',
        'kubectl redis create redis finishes a cluster whose forming was interrupted. Otherwise find who holds keys of these slots and CLUSTER ADDSLOTS there.',
        '',
        '5-7,9000',
      ),
    ],
  ],
  [
    'slots-unclaimed: the source was told first',
    changed(healthyObservation(), staleView('redis-1-0', slots(5, 6), 'redis-2-0')),
    [
      says(
        'critical slots-unclaimed',
        'Nodes name redis-1-0 and redis-2-0 as owner of slots 5-6, which deny it.',
        'CLUSTER SETSLOT n NODE with the id of the owner, on the owner first, then on the others.',
        'redis-1-0 redis-2-0',
        '5-6',
      ),
    ],
  ],
  [
    'slots-contested',
    changed(healthyObservation(), duplicatedOwner('redis-2-0', slots(5, 6))),
    [
      says(
        'critical slots-contested',
        'redis-1-0 and redis-2-0 both say that they own slots 5-6.',
        'Choose the holder of the keys. On the other: save its keys, CLUSTER DELSLOTS. Then CLUSTER BUMPEPOCH on the holder.',
        'redis-1-0 redis-2-0',
        '5-6',
      ),
    ],
  ],
  [
    'views-differ: one stale view',
    changed(healthyObservation(), staleView('redis-6-0', slots(5, 6), 'redis-2-0')),
    [
      says(
        'warning views-differ',
        '5 of 6 nodes agree; redis-6-0 not: slots 5-6 belong to redis-2-0, not redis-1-0.',
        'Look again in 10 seconds. If it stays: CLUSTER MEET between the two sides.',
        'redis-6-0',
      ),
    ],
  ],
  [
    'views-differ: one does not know another',
    changed(
      healthyObservation(),
      changeLines((line, viewer) => (viewer === 'redis-6-0' && line.nodeId === nodeIdOf(4) ? null : line)),
    ),
    [
      says(
        'warning views-differ',
        '5 of 6 nodes agree; redis-6-0 not: does not know redis-4-0.',
        'Look again in 10 seconds. If it stays: CLUSTER MEET between the two sides.',
        'redis-6-0',
      ),
    ],
  ],
  [
    'epoch-collision',
    changed(healthyObservation(), configEpoch('redis-2-0', 1)),
    [
      says(
        'warning epoch-collision',
        'redis-1-0 and redis-2-0 have one config epoch, 1.',
        'Look again in some seconds.',
        'redis-1-0 redis-2-0',
      ),
    ],
  ],
  [
    'cluster-state-fail: for no reason that we see',
    changed(
      healthyObservation(),
      changeAnswer('redis-5-0', (answer) => ({ ...answer, clusterInfo: { ...answer.clusterInfo, state: 'fail' } })),
    ),
    [
      says(
        'critical cluster-state-fail',
        'redis-5-0 says cluster_state:fail and refuses to serve.',
        'Look again after the node timeout; then see the links between the nodes.',
        'redis-5-0',
      ),
    ],
  ],
];
