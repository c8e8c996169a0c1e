/** The failure matrix on real servers, and beside each broken state a replica that is hours behind. */
import { testWorse } from '../../support/disturbed/worse.ts';

testWorse('broken, and replicas that are behind', ['behind'], 3);
