/** The failure matrix on real servers: slots and their keys. */
import { SLOT_STATES } from '../../support/broken/slot-states.ts';
import { testMatrix } from '../../support/broken/matrix.ts';

testMatrix('slots', SLOT_STATES);
