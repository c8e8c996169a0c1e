/** Slots that are open between servers of different versions, in the middle of an upgrade: no key goes from the newer one to the older. */
import { changed, type Change } from '../../../../support/observation-changes.ts';
import { openSlot, version } from '../../../../support/observation-faults.ts';
import { healthyObservation } from '../../../../support/observation.ts';
import { counted, type FixCase } from './fix-words.ts';

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
];
