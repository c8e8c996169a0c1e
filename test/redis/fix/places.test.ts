/** The failure matrix on real servers: nodes in the wrong place, or without one. */
import { PLACE_STATES } from '../../support/broken/member-states.ts';
import { testMatrix } from '../../support/broken/matrix.ts';

testMatrix('places', PLACE_STATES);
