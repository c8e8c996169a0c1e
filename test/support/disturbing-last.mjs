// The order of the test files: those that crash and drain hosts come after all others, which would notice.
import { createRequire } from 'node:module';

// It comes with jest, beside it or inside of it.
const { default: Sequencer } = createRequire(createRequire(import.meta.url).resolve('jest'))('@jest/test-sequencer');

const isDisturbing = ({ path }) => path.includes('/e2e/survival/');

export default class DisturbingLast extends Sequencer {
  sort(tests) {
    const sorted = [...super.sort(tests)];
    return [...sorted.filter((test) => !isDisturbing(test)), ...sorted.filter(isDisturbing)];
  }
}
