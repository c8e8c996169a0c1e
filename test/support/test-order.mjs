// The order of the test files: those that take long come first, so that none is left when all others are done; those that
// crash and drain hosts come after all others, which would notice.
import { createRequire } from 'node:module';

// It comes with jest, beside it or inside of it.
const { default: Sequencer } = createRequire(createRequire(import.meta.url).resolve('jest'))('@jest/test-sequencer');

const isDisturbing = ({ path }) => path.includes('/e2e/survival/');

/**
 * Half a minute and more, the longest first: they wait for servers. What jest remembers of durations is not there on a fresh
 * clone, where it goes by sizes of files, nor after a run without a cluster, which skipped them.
 */
const LONG = [
  'redis/scripts/stop',
  'redis/scripts/guard',
  'redis/scripts/validity',
  'redis/scripts/rejoin',
  'redis/move/mover',
  'redis/move/kill',
  'redis/scripts/links',
  'redis/scripts/identity',
  'redis/scripts/probe-upkeep',
  'redis/form',
  'redis/scripts/probe',
  'redis/fix/strays',
  'redis/move/open-slots',
  'e2e/restart',
  'e2e/create-refused',
  'e2e/fix-gone',
  'e2e/delete',
  'e2e/fix',
  'e2e/failover',
  'e2e/create',
  'e2e/heal',
];

/** The longer it is expected to take, the smaller. */
function rankOf({ path }) {
  const index = LONG.findIndex((name) => path.endsWith(`/test/${name}.test.ts`));
  return index === -1 ? LONG.length : index;
}

export default class LongFirst extends Sequencer {
  sort(tests) {
    const ordered = [...super.sort(tests)].sort((a, b) => rankOf(a) - rankOf(b));
    return [...ordered.filter((test) => !isDisturbing(test)), ...ordered.filter(isDisturbing)];
  }
}
