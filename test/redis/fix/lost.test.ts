/** The failure matrix on real servers: nodes that are lost, alone, or strange. */
import { LOST_STATES } from '../../support/broken/member-states.ts';
import { testMatrix } from '../../support/broken/matrix.ts';

testMatrix('lost nodes', LOST_STATES);
