/** The failure matrix on real servers, and beside each broken state one more node that is frozen, or that only we can't reach. */
import { testWorse } from '../../support/disturbed/worse.ts';

testWorse('broken, and silent nodes', ['frozen', 'tunnel'], 4);
