/** K20: no slot moves from or to a node that refuses writes; one whose memory is full may still give some away. */
import { describe, expect, test } from '@jest/globals';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../pkg/cluster/model/observation.ts';
import { planRebalance } from '../../../../pkg/cluster/plan/rebalance.ts';
import { refuseUnwritable } from '../../../../pkg/cluster/plan/refuse-writes.ts';
import { changed } from '../../../support/observation-changes.ts';
import { openSlot } from '../../../support/observation-faults.ts';
import { writes } from '../../../support/observation-writes.ts';
import { healthyObservation, nodeIdOf } from '../../../support/observation.ts';

const disk = writes('redis-2-0', { aofWriteOk: false });
const memory = writes('redis-2-0', {}, { maxMemoryBytes: 100, usedMemoryBytes: 101 });

/** What `rebalance` with these weights by ordinal plans: the kind of plan, and the code of a refusal. */
function rebalance(observation: Observation, weights: readonly (readonly [ordinal: number, weight: number])[]): string {
  const plan = planRebalance({
    state: interpret(observation),
    by: 'slots',
    weights: new Map(weights.map(([ordinal, weight]) => [nodeIdOf(ordinal), weight])),
    measured: null,
    thresholdPercent: 0,
  });
  return plan.kind === 'refused' ? plan.code : plan.kind;
}

describe('rebalance', () => {
  test.each([
    ['gives', [[2, 0.5]], disk, 'writes-refused'],
    ['gets', [[2, 2]], disk, 'writes-refused'],
    // Only the other two exchange slots.
    [
      'is not touched',
      [
        [1, 0.5],
        [3, 1.5],
      ],
      disk,
      'batches',
    ],
    ['gives, and its memory is full', [[2, 0.5]], memory, 'batches'],
    ['gets, and its memory is full', [[2, 2]], memory, 'writes-refused'],
  ] as const)('a node that refuses writes %s', (_, weights, fault, expected) => {
    expect(rebalance(changed(healthyObservation({ masters: 4, hosts: 4 }), fault), weights)).toBe(expected);
  });

  test('a slot that is open on it is not gone on with', () => {
    const open = changed(healthyObservation(), openSlot(7, 'redis-1-0', 'redis-2-0'), disk);
    expect(rebalance(open, [])).toBe('writes-refused');
  });
});

test('whoever moves slots and does not know yet which: any owner is reason enough, a replica is none', () => {
  const refusal = refuseUnwritable(interpret(changed(healthyObservation(), disk)));
  expect(refusal).toEqual({
    kind: 'refused',
    code: 'writes-refused',
    sentence:
      'redis-2-0 refuses writes (MISCONF: it can not write its append-only file), so no slot can move from or to it',
    hint: 'kubectl redis check redis says how it gets room; run the same command then',
  });
  expect(refuseUnwritable(interpret(healthyObservation()))).toBeNull();
  expect(refuseUnwritable(interpret(changed(healthyObservation(), memory)))).toBeNull();
  const replica = changed(healthyObservation(), writes('redis-5-0', { aofWriteOk: false }));
  expect(refuseUnwritable(interpret(replica))).toBeNull();
});
