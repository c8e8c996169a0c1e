/** A change of shape or a restart that was begun, and its run is over: exactly what check says of it when every node is there. */
import type { RestartMarks, Scaling } from '../../../../pkg/cluster/model/spec.ts';
import { asMade } from '../../../support/as-made.ts';
import { changeKube, changed, type Change } from '../../../support/observation-changes.ts';
import { operation, strayKeys } from '../../../support/observation-faults.ts';
import { healthyObservation } from '../../../support/observation.ts';
import { specOf } from '../../../support/spec.ts';
import { says, type CheckCase } from './check-case.ts';

const made = asMade(healthyObservation(), specOf());
const begun = (scaling: Scaling): Change =>
  changeKube((now) => {
    const spec = specOf({ restarted: { '1': 'now' }, scaling });
    return { ...now, state: { ...now.state, spec: JSON.stringify(spec) } };
  });
const restarted = (marks: RestartMarks): Change =>
  changeKube((now) => {
    const spec = JSON.stringify(specOf({ restarted: marks }));
    const statefulSets = now.statefulSets.map((set) => ({
      ...set,
      templateAnnotations: { ...set.templateAnnotations, 'kubectl-redis.io/restarted-at': 'now' },
    }));
    return { ...now, statefulSets, state: { ...now.state, spec } };
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
  [
    'restart-unfinished: it was stopped, and another verb ran since',
    changed(made, restarted({ '1': 'now', '4': 'now' })),
    [
      says(
        'warning restart-unfinished',
        'A restart of redis was begun and is not finished: redis-1-0 and redis-4-0 are as before.',
        'kubectl redis restart redis goes on with it.',
        'redis-1-0 redis-4-0',
      ),
    ],
  ],
  [
    'no restart-unfinished: they were made since, from templates that a manifest had taken back, and fix put the marks back',
    changed(made, restarted({ '1': '2025-12-31T00:00:00.000Z', '4': '2025-12-31T00:00:00.000Z' })),
    [],
  ],
  ['a restart that runs', changed(made, restarted({ '1': 'now', '4': 'now' }), operation({ verb: 'restart' })), []],
  [
    'stray-keys, while scale moves the slot that they are in',
    changed(made, strayKeys('redis-2-0', 12), operation({ verb: 'scale' })),
    [
      {
        ...says(
          'critical stray-keys',
          'redis-2-0 holds 12 keys in slots that it does not own (112 keys, 100 in its slots).',
          '',
          'redis-2-0',
        ),
        repair:
          'Nothing by hand: scale by ann@laptop is running, and may be moving them. Look again when it has ended; kubectl redis status says how far it is.',
      },
    ],
  ],
];
