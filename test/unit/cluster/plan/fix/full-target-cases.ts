/** Slots that are open towards a server which evicts keys when it is full, and has no room for the rest of theirs. */
import { pairOf, type NoRoom, type NoRooms } from '../../../../../pkg/cluster/model/no-room.ts';
import { changed } from '../../../../support/observation-changes.ts';
import { openSlot, version } from '../../../../support/observation-faults.ts';
import { healthyObservation, nodeIdOf } from '../../../../support/observation.ts';
import { counted, leaves, only, type FixCase } from './fix-words.ts';

const MIB = 2 ** 20;
const PAIR = pairOf(nodeIdOf(1), nodeIdOf(2));

function lacks(change: Partial<NoRoom> = {}): NoRooms {
  return new Map([[PAIR, { keysLeft: 5, targetLacksBytes: 3 * MIB, ownerLacksBytes: 0, ...change }]]);
}

function open(marks?: 'migrating' | 'importing'): FixCase[1] {
  return changed(healthyObservation(), openSlot(7, 'redis-1-0', 'redis-2-0', marks));
}

const BACK = only('slots-open: take back from redis-2-0 7');
const BOTH = counted([1, 7, 5], [2, 7, 3]);

export const FULL_TARGET_CASES: readonly FixCase[] = [
  ['a full target', open(), BACK, { slotKeys: BOTH, noRoom: lacks() }],
  ['a full target, and nobody counted', open(), BACK, { noRoom: lacks() }],
  [
    'a full target, and an owner that is full as well',
    open(),
    leaves('slots-open (by-hand)'),
    {
      slotKeys: BOTH,
      noRoom: lacks({ ownerLacksBytes: 2 * MIB }),
    },
  ],
  [
    'a full target that has all keys of it',
    open(),
    only('slots-open: move 7 redis-1-0 -> redis-2-0'),
    {
      slotKeys: counted([2, 7, 3]),
      noRoom: lacks(),
    },
  ],
  // Not even that it owns them has room to be told.
  [
    'a full target that has all keys of all of them',
    open(),
    BACK,
    {
      slotKeys: counted([2, 7, 3]),
      noRoom: lacks({ keysLeft: 0 }),
    },
  ],
  [
    'a full target that forgot that it imports',
    open('migrating'),
    only('slots-half-open: take back from redis-2-0 7'),
    {
      slotKeys: BOTH,
      noRoom: lacks(),
    },
  ],
  [
    'a full target, of which the owner has closed it and has less',
    open('importing'),
    only('slots-half-open: take back from redis-2-0 7'),
    {
      slotKeys: counted([1, 7, 2], [2, 7, 3]),
      noRoom: lacks(),
    },
  ],
  [
    'no room on either side for what the owner has closed',
    open('importing'),
    leaves('slots-half-open (by-hand)'),
    {
      slotKeys: BOTH,
      noRoom: lacks({ ownerLacksBytes: 2 * MIB }),
    },
  ],
  [
    'a full target that holds none of a slot which its owner has closed',
    open('importing'),
    only('slots-half-open: close-slots 7 redis-2-0'),
    {
      slotKeys: counted([1, 7, 5]),
      noRoom: lacks({ ownerLacksBytes: 2 * MIB }),
    },
  ],
  [
    'a full target that is newer than the owner',
    changed(open(), version('redis-1-0', 'redis', '7.0.15'), version('redis-2-0', 'redis', '8.6.3')),
    leaves('slots-open (by-hand)', 'versions-differ (by-hand)'),
    {
      slotKeys: BOTH,
      noRoom: lacks(),
    },
  ],
];
