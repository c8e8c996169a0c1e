/** The failure matrix on real servers, and beside each broken state a cluster that changes between plan and yes. */
import { testWorse } from '../../support/disturbed/worse.ts';

testWorse('broken, and while somebody thinks', ['thinks'], 3);
