/** Slots that are open between servers of different versions, in the middle of an upgrade: no key goes from the newer one to the older. */
import { changeLines, changed, type Change } from '../../../../support/observation-changes.ts';
import { openSlot, strayKeys, unreachable, version } from '../../../../support/observation-faults.ts';
import { healthyObservation } from '../../../../support/observation.ts';
import { counted, leaves, type FixCase } from './fix-words.ts';

const NEW = '8.6.3';
const OLD = '7.0.15';

/** Slot 7 of redis-1-0, and the servers of it and of redis-2-0. */
function between(source: string, target: string, marks?: 'migrating' | 'importing'): ReturnType<typeof changed> {
  const runs = (pod: string, text: string): Change => version(pod, 'redis', text);
  return changed(
    healthyObservation(),
    openSlot(7, 'redis-1-0', 'redis-2-0', marks),
    runs('redis-1-0', source),
    runs('redis-2-0', target),
  );
}

/** No slot is open any more. */
const closed: Change = changeLines((line) => ({ ...line, migrating: [], importing: [] }));

function does(repair: string): FixCase[2] {
  return { repairs: [repair], left: ['versions-differ (by-hand)'] };
}

const BACK = does('slots-open: take back from redis-2-0 7');
const HALF_BACK = does('slots-half-open: take back from redis-2-0 7');
const ON = does('slots-open: move 7 redis-1-0 -> redis-2-0');

export const OLDER_TARGET_CASES: readonly FixCase[] = [
  [
    'open towards an older server, with keys that clients wrote there',
    between(NEW, OLD),
    BACK,
    { slotKeys: counted([1, 7, 5], [2, 7, 3]) },
  ],
  ['open towards an older server, which holds none', between(NEW, OLD), BACK, { slotKeys: counted([1, 7, 5]) }],
  ['open towards an older server, and nobody counted', between(NEW, OLD), BACK],
  // Nothing has to be packed any more.
  ['open towards an older server that has it all', between(NEW, OLD), ON, { slotKeys: counted([2, 7, 3]) }],
  [
    'the older target forgot that it imports',
    between(NEW, OLD, 'migrating'),
    HALF_BACK,
    { slotKeys: counted([1, 7, 5], [2, 7, 3]) },
  ],
  // Also what is left of one that was cut short while it was taken back.
  [
    'the newer source has closed it, and has less',
    between(NEW, OLD, 'importing'),
    HALF_BACK,
    { slotKeys: counted([1, 7, 2], [2, 7, 3]) },
  ],
  // Its owner failed over, and what leads in its place is as old as it was: keys go on to the newer server, however many.
  [
    'the older owner forgot that it gives, and has more',
    between(OLD, NEW, 'importing'),
    does('slots-half-open: move 7 redis-1-0 -> redis-2-0'),
    { slotKeys: counted([1, 7, 9], [2, 7, 3]) },
  ],
  ['open towards a newer server', between(OLD, NEW), ON, { slotKeys: counted([1, 7, 5], [2, 7, 3]) }],
  ['open towards an older patch', between(NEW, '8.6.1'), ON, { slotKeys: counted([1, 7, 5], [2, 7, 3]) }],
  // Nobody imports at the third node, so nobody moves it there: its mark is given up with the rest.
  [
    'open towards an older server, and the mark of its owner names a third that does not import it',
    changed(
      between(NEW, OLD, 'importing'),
      openSlot(7, 'redis-1-0', 'redis-3-0', 'migrating'),
      version('redis-3-0', 'redis', NEW),
    ),
    {
      repairs: ['slots-open: take back from redis-2-0, also from redis-3-0 7'],
      left: ['versions-differ (by-hand)'],
    },
    { slotKeys: counted([1, 7, 5], [2, 7, 3]) },
  ],
  [
    'open towards an older server, and the mark of its owner names a third that can not be asked',
    changed(
      between(NEW, OLD, 'importing'),
      openSlot(7, 'redis-1-0', 'redis-3-0', 'migrating'),
      unreachable('redis-3-0', 'timeout', 'up'),
    ),
    leaves('node-unreachable (by-hand)', 'slots-open (after-others)', 'versions-differ (by-hand)'),
    { slotKeys: counted([1, 7, 5], [2, 7, 3]) },
  ],
  // The owner takes no key of the holder's: the slot goes to the holder.
  [
    'keys at a newer server, whose slots an older one may own',
    changed(between(OLD, NEW), strayKeys('redis-2-0', 3), closed),
    does('stray-keys: settle redis-2-0, opened for those of redis-1-0'),
  ],
  [
    'keys at an older server',
    changed(between(OLD, NEW), strayKeys('redis-1-0', 3), closed),
    does('stray-keys: settle redis-1-0'),
  ],
  [
    'what is opened at the newer server goes on to it',
    between(OLD, NEW, 'importing'),
    does('slots-half-open: move 7 redis-1-0 -> redis-2-0'),
    { slotKeys: counted([1, 7, 9], [2, 7, 1]) },
  ],
  [
    'a newer third says that it gives a slot of an older owner, and has keys of it',
    changed(
      between(OLD, OLD),
      closed,
      version('redis-3-0', 'redis', NEW),
      openSlot(7, 'redis-3-0', 'redis-2-0', 'migrating'),
    ),
    does('slots-half-open: settle redis-3-0, opened for those of redis-1-0 7'),
    { slotKeys: counted([1, 7, 9], [3, 7, 1]) },
  ],
  [
    'two newer servers import a slot of an older owner, and each has keys of it: one after the other',
    changed(
      between(OLD, NEW, 'importing'),
      openSlot(7, 'redis-1-0', 'redis-3-0', 'importing'),
      version('redis-3-0', 'redis', NEW),
    ),
    does('slots-half-open: move 7 redis-1-0 -> redis-2-0'),
    { slotKeys: counted([1, 7, 2], [2, 7, 3], [3, 7, 1]) },
  ],
];
