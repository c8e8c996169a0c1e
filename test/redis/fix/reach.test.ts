/** The failure matrix on real servers: addresses and passwords. */
import { ACCESS_STATES, ADDRESS_STATES } from '../../support/broken/reach-states.ts';
import { testMatrix } from '../../support/broken/matrix.ts';

testMatrix('reach', [...ADDRESS_STATES, ...ACCESS_STATES]);
