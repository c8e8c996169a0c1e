/** A shard whose only node lost its volume, and whose keys were agreed to be lost: one run carries it to the end. */
import { describe, expect, test } from '@jest/globals';
import { interpret } from '../../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../../pkg/cluster/model/observation.ts';
import { planFix } from '../../../../../pkg/cluster/plan/fix/fix.ts';
import { NO_POLICY, type FixPlan } from '../../../../../pkg/cluster/plan/fix/fix-plan.ts';
import { simulate } from '../../../../../pkg/cluster/plan/simulate.ts';
import { asMade } from '../../../../support/as-made.ts';
import {
  changeAnswer,
  changeKube,
  changeLines,
  changed,
  type Change,
} from '../../../../support/observation-changes.ts';
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

const letInEmpty = (pod: string, nodeId: string): Change[] => [
  changeLines((line) => (line.nodeId === nodeId ? { ...line, role: 'primary', primaryId: null } : line)),
  changeAnswer(pod, (answer) => ({
    ...answer,
    keysInOwnSlots: 0,
    info: { ...answer.info, role: 'primary', keys: 0 },
  })),
];

describe('both volumes of a shard are gone, and its former replica is let in without data', () => {
  const gone = changed(healthyObservation(), unreachable('redis-1-0', 'guard-waiting'));
  const bothLost = changed(gone, ...letInEmpty('redis-4-0', nodeIdOf(4)));

  test('it is not made the replica of another shard: it could not own slots any more', () => {
    const { repairs, left } = inWords(plan(bothLost, []));
    expect(repairs).toEqual([]);
    expect(left).toContain('empty-primary (after-others)');
  });

  test('it gets the slots of its shard when they are given up, and no neighbour does', () => {
    expect(inWords(plan(afterFirstBatch(bothLost))).repairs).toEqual(['slots-uncovered: cover-slots 0-5460 redis-4-0']);
  });

  test('one whose own shard is led goes back to it', () => {
    const other = changed(gone, ...letInEmpty('redis-5-0', nodeIdOf(5)));
    expect(inWords(plan(other, [])).repairs).toContain('empty-primary: replicate redis-5-0 -> redis-2-0');
  });
});
