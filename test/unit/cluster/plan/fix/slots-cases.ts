/** Faults of slots, and what fix plans for each. Numbers are rows of the failure matrix. */
import { changeLines, changed } from '../../../../support/observation-changes.ts';
import {
  duplicatedOwner,
  openSlot,
  slots,
  staleView,
  strayKeys,
  unowned,
  unreachable,
} from '../../../../support/observation-faults.ts';
import { healthyObservation, nodeIdOf } from '../../../../support/observation.ts';
import { counted, leaves, only, type FixCase } from './fix-words.ts';

const healthy = healthyObservation();

export const SLOTS_CASES: readonly FixCase[] = [
  ['healthy', healthy, only()],
  // 1.9
  [
    'open on both sides',
    changed(healthy, openSlot(7, 'redis-1-0', 'redis-2-0')),
    only('slots-open: move 7 redis-1-0 -> redis-2-0'),
  ],
  // 1.8
  [
    'open on the source only, and no key elsewhere',
    changed(healthy, openSlot(7, 'redis-1-0', 'redis-2-0', 'migrating')),
    only('slots-half-open: close-slots 7 redis-1-0'),
    { slotKeys: counted([1, 7, 5]) },
  ],
  // 1.11
  [
    'the target forgot that it imports',
    changed(healthy, openSlot(7, 'redis-1-0', 'redis-2-0', 'migrating')),
    only('slots-half-open: move 7 redis-1-0 -> redis-2-0'),
    { slotKeys: counted([1, 7, 5], [2, 7, 3]) },
  ],
  // 1.8
  [
    'open on the target only, and no key there',
    changed(healthy, openSlot(7, 'redis-1-0', 'redis-2-0', 'importing')),
    only('slots-half-open: close-slots 7 redis-2-0'),
    { slotKeys: counted([1, 7, 5]) },
  ],
  // 1.10
  [
    'the source forgot that it gives, and has given most',
    changed(healthy, openSlot(7, 'redis-1-0', 'redis-2-0', 'importing')),
    only('slots-half-open: move 7 redis-1-0 -> redis-2-0'),
    { slotKeys: counted([1, 7, 2], [2, 7, 3]) },
  ],
  // Also what is left when keys that were brought home are cut short: the whole slot must not go to who held some.
  [
    'the source forgot that it gives, and has most',
    changed(healthy, openSlot(7, 'redis-1-0', 'redis-2-0', 'importing')),
    only('slots-half-open: settle redis-2-0 7'),
    { slotKeys: counted([1, 7, 5], [2, 7, 3]) },
  ],
  // Its owner takes no key while it gives the slot away: the one move first.
  [
    'open between two, and a third imports it and holds keys',
    changed(healthy, openSlot(7, 'redis-1-0', 'redis-2-0'), openSlot(7, 'redis-1-0', 'redis-3-0', 'importing')),
    only('slots-half-open: move 7 redis-1-0 -> redis-2-0'),
    { slotKeys: counted([1, 7, 5], [2, 7, 3], [3, 7, 1]) },
  ],
  [
    'open between two, and a third imports it without a key',
    changed(healthy, openSlot(7, 'redis-1-0', 'redis-2-0'), openSlot(7, 'redis-1-0', 'redis-3-0', 'importing')),
    only('slots-half-open: close-slots 7 redis-3-0', 'slots-half-open: move 7 redis-1-0 -> redis-2-0'),
    { slotKeys: counted([1, 7, 5], [2, 7, 3], [3, 7, 0]) },
  ],
  // 1.14
  [
    'the source kept its mark after it gave the slot away',
    changed(healthy, openSlot(6000, 'redis-1-0', 'redis-2-0', 'migrating')),
    only('slots-half-open: close-slots 6000 redis-1-0'),
    { slotKeys: counted([2, 6000, 5]) },
  ],
  // 1.12
  ['stray keys', changed(healthy, strayKeys('redis-2-0', 3)), only('stray-keys: settle redis-2-0')],
  // 1.15
  [
    'the source was told first',
    changed(healthy, staleView('redis-1-0', slots(5, 6), 'redis-2-0')),
    only('slots-unclaimed: set-slot-owner 5-6 redis-1-0 -> redis-1-0'),
    { slotKeys: counted([1, 5, 5], [1, 6, 1]) },
  ],
  // 1.17
  [
    'two owners, one of them without a key',
    changed(healthy, duplicatedOwner('redis-2-0', slots(5, 6))),
    only('slots-contested: yield-slots 5-6 redis-2-0 -> redis-1-0'),
    { slotKeys: counted([1, 5, 5], [1, 6, 1]) },
  ],
  [
    'two owners, both with keys',
    changed(healthy, duplicatedOwner('redis-2-0', slots(5))),
    leaves('slots-contested (by-hand)'),
    { slotKeys: counted([1, 5, 5], [2, 5, 1]) },
  ],
  // 1.18
  [
    'a primary with an old slot map',
    changed(healthy, staleView('redis-3-0', slots(5, 6), 'redis-2-0')),
    only('views-differ: set-slot-owner 5-6 redis-3-0 -> redis-1-0'),
  ],
  [
    'a node that does not know another',
    changed(
      healthy,
      changeLines((line, viewer) => (viewer === 'redis-6-0' && line.nodeId === nodeIdOf(4) ? null : line)),
    ),
    only('views-differ: meet redis-6-0 -> redis-4-0'),
  ],
  // 1.35
  [
    'unassigned slots: to their holder, or to a neighbour',
    changed(healthy, unowned(slots(5, 6, 9000))),
    only('slots-uncovered: cover-slots 5 redis-3-0, cover-slots 6 redis-1-0, cover-slots 9000 redis-2-0'),
    { slotKeys: counted([3, 5, 2], [1, 6, 0], [1, 9000, 0]) },
  ],
  ['unassigned slots that nobody counted', changed(healthy, unowned(slots(5))), leaves('slots-uncovered (by-hand)')],
  [
    'unassigned slots while somebody is silent',
    changed(healthy, unowned(slots(5)), unreachable('redis-5-0', 'timeout')),
    leaves('node-unreachable (by-hand)', 'slots-uncovered (after-others)'),
    { slotKeys: counted([1, 5, 0]) },
  ],
];
