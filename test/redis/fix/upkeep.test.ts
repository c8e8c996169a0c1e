/** The failure matrix on real servers: identities, hosts and functions. */
import { UPKEEP_STATES } from '../../support/broken/upkeep-states.ts';
import { testMatrix } from '../../support/broken/matrix.ts';

testMatrix('upkeep', UPKEEP_STATES);
