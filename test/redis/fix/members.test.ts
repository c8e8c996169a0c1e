/** The failure matrix on real servers: nodes that are lost, alone, strange or in the wrong place. */
import { MEMBER_STATES } from '../../support/broken/member-states.ts';
import { testMatrix } from '../../support/broken/matrix.ts';

testMatrix('members', MEMBER_STATES);
