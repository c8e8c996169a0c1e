/** A change of shape that was begun: exactly what check says of it when every node that there shall be is there. */
import type { Scaling } from '../../../../pkg/cluster/model/spec.ts';
import { asMade } from '../../../support/as-made.ts';
import { changeKube, changed, type Change } from '../../../support/observation-changes.ts';
import { healthyObservation } from '../../../support/observation.ts';
import { specOf } from '../../../support/spec.ts';
import { says, type CheckCase } from './check-case.ts';

const made = asMade(healthyObservation(), specOf());
const begun = (scaling: Scaling): Change =>
  changeKube((now) => {
    const spec = specOf({ restarted: { '1': 'now' }, scaling });
    return { ...now, state: { ...now.state, spec: JSON.stringify(spec) } };
  });
const unfinished = (left: string): ReturnType<typeof says> =>
  says(
    'warning shape-differs',
    `A change to 3 primaries with 1 replica each was begun and is not finished: ${left}.`,
    'kubectl redis scale redis --masters 3 --replicas 1 goes on with it.',
  );

export const SHAPE_CASES: readonly CheckCase[] = [
  [
    'shape-differs: a scale that was stopped in the middle of its moves, when every primary had slots already',
    changed(made, begun({ leaving: [], spread: true })),
    [unfinished('the slots may not be shared out evenly yet')],
  ],
  [
    'shape-differs: all but the record is done. No objects-differ: the copies of people need not have such marks',
    changed(made, begun({ leaving: [], spread: false })),
    [unfinished('no node is missing, and that it is done is not recorded yet')],
  ],
];
