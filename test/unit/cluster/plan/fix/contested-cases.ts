/** Nodes that claim the same slots, and views that give a node an epoch that it does not have: what fix plans for them. */
import { changeLines, changed } from '../../../../support/observation-changes.ts';
import { addressMismatch, duplicatedOwner, slots } from '../../../../support/observation-faults.ts';
import { healthyObservation, nodeIdOf } from '../../../../support/observation.ts';
import type { FixCase } from './fix-words.ts';

const healthy = healthyObservation();
const apart = changed(healthy, duplicatedOwner('redis-2-0', slots(5)), addressMismatch('redis-2-0', '10.1.1.1'));
const keysOf = (...pods: readonly number[]) =>
  new Map([1, 2, 3].map((ordinal) => [nodeIdOf(ordinal), new Map([[5, pods.includes(ordinal) ? 3 : 0]])]));

export const CONTESTED_CASES: readonly FixCase[] = [
  [
    'two owners that do not see each other: first whose the slot is, the addresses after that',
    apart,
    { repairs: ['slots-contested: yield-slots 5 redis-2-0 -> redis-1-0'], left: ['address-mismatch (after-others)'] },
    { slotKeys: keysOf(1) },
  ],
  [
    'two owners that do not see each other, both with keys: they are not brought together',
    apart,
    { repairs: [], left: ['slots-contested (by-hand)', 'address-mismatch (after-others)'] },
    { slotKeys: keysOf(1, 2) },
  ],
  [
    'a view that gives an owner a higher epoch than it has',
    changed(
      healthy,
      changeLines((line, viewer) =>
        viewer === 'redis-3-0' && line.nodeId === nodeIdOf(1) ? { ...line, configEpoch: 2 } : line,
      ),
    ),
    { repairs: ['views-differ: bump redis-1-0'], left: [] },
  ],
];
