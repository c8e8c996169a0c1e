/** The failure matrix on real servers, and beside each broken state one more node that loads, or whose pod is Pending. */
import { testWorse } from '../../support/disturbed/worse.ts';

testWorse('broken, and nodes that start', ['loading', 'pending'], 4);
