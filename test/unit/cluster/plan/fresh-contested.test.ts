/** Fresh nodes that were given the same slots before they were introduced to each other: `create` settles it, and `check` and `fix` name `create`. */
import { describe, expect, test } from '@jest/globals';
import { check } from '../../../../pkg/cluster/check/check.ts';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../pkg/cluster/model/observation.ts';
import type { Plan } from '../../../../pkg/cluster/model/plan.ts';
import { countSlots, type SlotRange } from '../../../../pkg/cluster/model/slots.ts';
import { planForming } from '../../../../pkg/cluster/plan/form.ts';
import { planFix } from '../../../../pkg/cluster/plan/fix/fix.ts';
import { NO_POLICY } from '../../../../pkg/cluster/plan/fix/fix-plan.ts';
import { simulate } from '../../../../pkg/cluster/plan/simulate.ts';
import { asMade } from '../../../support/as-made.ts';
import { changeAnswer, changed, changeLines, type Change } from '../../../support/observation-changes.ts';
import { unreachable } from '../../../support/observation-faults.ts';
import { freshObservation } from '../../../support/observation.ts';
import { specOf } from '../../../support/spec.ts';

const SPEC = specOf({ masters: 3 });

/** As CLUSTER ADDSLOTS on that node. */
function given(pod: string, ...slots: readonly SlotRange[]): Change {
  return changeLines((line, viewer) => (viewer === pod && line.flags.includes('myself') ? { ...line, slots } : line));
}

function fresh(...changes: readonly Change[]): Observation {
  return changed(asMade(freshObservation(), SPEC), ...changes);
}

function planned(observation: Observation): Plan {
  return planForming(interpret(observation), SPEC, { fastForming: true });
}

const RANGE = { start: 0, end: 9 };
const TWICE = [given('redis-1-0', RANGE), given('redis-2-0', RANGE)];

describe('slots that fresh nodes were given twice', () => {
  test('fix and check name create', () => {
    const observation = fresh(...TWICE);
    const found = check(interpret(observation), observation);
    expect(found.map(({ code, repair }) => [code, repair])).toEqual([
      ['not-formed', 'kubectl redis create redis finishes the job.'],
    ]);
    const fix = planFix(interpret(observation), NO_POLICY, { observation, slotKeys: null });
    expect([fix.repairs, fix.left.map(({ hint }) => hint)]).toEqual([
      [],
      ['kubectl redis create redis finishes the job.'],
    ]);
  });

  test.each([
    ['two', TWICE, 1],
    ['three', [...TWICE, given('redis-3-0', RANGE)], 2],
    [
      'two, and another pair',
      [
        given('redis-1-0', RANGE, { start: 50, end: 50 }),
        given('redis-2-0', RANGE),
        given('redis-5-0', { start: 50, end: 50 }),
      ],
      2,
    ],
  ] as const)('%s: create has all but one give them up, and then forms the cluster', (_, changes, yields) => {
    let observation = fresh(...changes);
    const first = planned(observation);
    expect(first.kind === 'batches' ? first.batches[0]?.steps.map(({ kind }) => kind) : first).toEqual(
      Array.from({ length: yields }, () => 'yield-slots'),
    );
    for (let batch = 0; batch < 20; batch++) {
      const plan = planned(observation);
      const [next] = plan.kind === 'batches' ? plan.batches : [];
      if (next === undefined) {
        expect(plan).toMatchObject({ kind: 'nothing' });
        break;
      }
      observation = simulate(observation, next);
    }
    const state = interpret(observation);
    expect([state.contested, state.uncovered]).toEqual([[], []]);
    expect(state.nodes.reduce((sum, { slots }) => sum + countSlots(slots), 0)).toBe(16384);
  });

  test.each([
    ['one holds a key', changeAnswer('redis-1-0', (answer) => ({ ...answer, info: { ...answer.info, keys: 1 } }))],
    ['one does not answer', unreachable('redis-3-0', 'timeout')],
  ])('%s: nothing is given up', (_, change) => {
    expect(planned(fresh(...TWICE, change))).toMatchObject({ kind: 'refused' });
  });
});
