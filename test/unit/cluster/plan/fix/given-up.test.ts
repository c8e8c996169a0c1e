/** A shard whose only node lost its volume, and whose keys were agreed to be lost: one run carries it to the end. */
import { describe, expect, test } from '@jest/globals';
import { interpret } from '../../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../../pkg/cluster/model/observation.ts';
import { planFix } from '../../../../../pkg/cluster/plan/fix/fix.ts';
import { NO_POLICY, type FixPlan } from '../../../../../pkg/cluster/plan/fix/fix-plan.ts';
import { simulate } from '../../../../../pkg/cluster/plan/simulate.ts';
import { asMade } from '../../../../support/as-made.ts';
import { changeKube, changed } from '../../../../support/observation-changes.ts';
import { podGone, unreachable } from '../../../../support/observation-faults.ts';
import { healthyObservation, nodeIdOf } from '../../../../support/observation.ts';
import { specOf } from '../../../../support/spec.ts';
import { inWords, leaves } from './fix-words.ts';

const AGREED = [{ start: 0, end: 5460 }];
const NOBODY = new Map(
  [2, 3, 4, 5, 6].map((n) => [nodeIdOf(n), new Map(Array.from({ length: 5461 }, (_, slot) => [slot, 0]))]),
);
const lost = changed(healthyObservation({ replicas: 0 }), unreachable('redis-1-0', 'guard-waiting'));

function plan(observation: Observation, acceptDataLoss = AGREED): FixPlan {
  return planFix(interpret(observation), { ...NO_POLICY, acceptDataLoss }, { observation, slotKeys: NOBODY });
}

function afterFirstBatch(observation: Observation): Observation {
  const [batch] = plan(observation).repairs[0]?.batches ?? [];
  if (batch === undefined) throw new Error('nothing is planned');
  return simulate(observation, batch);
}

const forgotten = afterFirstBatch(lost);

test('its slots are given to others while it still waits without data', () => {
  expect(inWords(plan(forgotten))).toEqual({
    repairs: ['slots-uncovered: cover-slots 0-5460 redis-2-0'],
    left: ['guard-waiting (by-itself)'],
  });
  const { uncovered } = interpret(afterFirstBatch(forgotten));
  expect(uncovered).toEqual([]);
});

test('not unasked, and not where other slots were agreed to', () => {
  for (const other of [[], [{ start: 0, end: 5459 }]])
    expect(inWords(plan(forgotten, other))).toEqual(
      leaves('guard-waiting (by-itself)', 'slots-uncovered (after-others)'),
    );
});

test('not while another node does not answer, of which nobody knows what it has', () => {
  const silent = changed(forgotten, unreachable('redis-3-0', 'timeout', 'up'));
  expect(inWords(plan(silent)).repairs).toEqual([]);
});

describe('its pod is missing', () => {
  const made = asMade(healthyObservation({ replicas: 0 }), specOf({ replicas: 0 }));
  const withoutClaim = changeKube((kube) => ({
    ...kube,
    claims: kube.claims.filter(({ name }) => name !== 'data-redis-1-0'),
  }));

  test('with its claim: its slots are given to others in the same run', () => {
    const after = afterFirstBatch(changed(made, podGone('redis-1-0'), withoutClaim));
    expect(inWords(plan(after)).repairs).toEqual(['slots-uncovered: cover-slots 0-5460 redis-2-0']);
    expect(inWords(plan(after, [])).repairs).toEqual([]);
  });

  test('and its claim is there: nobody gets them', () => {
    const after = afterFirstBatch(changed(made, podGone('redis-1-0'), withoutClaim));
    const back = changeKube((kube) => ({ ...kube, claims: made.kube.claims }));
    expect(inWords(plan(changed(after, back))).repairs).toEqual([]);
  });
});
