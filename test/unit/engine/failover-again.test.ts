/** What was agreed to is what is run: before each step of a failover its loss is named anew. */
import { describe, expect, test } from '@jest/globals';
import { evidenceOf } from '../../../pkg/cluster/evidence/evidence.ts';
import { interpret } from '../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../pkg/cluster/model/observation.ts';
import type { SlotRanges } from '../../../pkg/cluster/model/slots.ts';
import { chooseFailover } from '../../../pkg/cluster/plan/failover.ts';
import { failoverLoss, type FailoverSeen } from '../../../pkg/cluster/plan/failover-preflight.ts';
import { planAgain } from '../../../pkg/engine/failover.ts';
import { changed, changePod, type Change } from '../../support/observation-changes.ts';
import { heard, replicaLinkDown, replicasLoseLink, unreachable } from '../../support/observation-faults.ts';
import { healthyObservation } from '../../support/observation.ts';

const OWNED = [{ start: 0, end: 5460 }];
const whole = healthyObservation();
const see = (observation: Observation): FailoverSeen => {
  const state = interpret(observation);
  return { state, evidence: evidenceOf(state, observation.kube) };
};
/** Its primary is dead, and was heard for so long after the replica had lost it. */
const behind = (seconds: number): Observation => {
  const notReady: Change = changePod('redis-1-0', (pod) => ({ ...pod, ready: false }));
  const dead = [unreachable('redis-1-0', 'refused', 'fail'), notReady];
  return changed(whole, ...dead, replicasLoseLink('redis-1-0', 60 + seconds), heard('redis-1-0', 60_000));
};

/** @param then what was shown; @param now what is seen before the step */
function again(then: Observation, now: Observation, agreed: SlotRanges, typed: boolean): string {
  const seen = see(then);
  const choice = chooseFailover(seen, { who: 'redis-4-0', to: null, how: 'force' });
  if (choice.kind !== 'goal') throw new Error(choice.kind);
  const { goal } = choice;
  const shown = typed ? null : failoverLoss(seen, goal);
  const plan = planAgain(see(now), { goal, agreed, shown });
  return plan.kind === 'refused' ? plan.code : plan.kind;
}

describe('agreed to by a person who was shown it', () => {
  test.each([
    ['the same loss', behind(100), behind(100), 'batches'],
    ['a smaller one', behind(100), behind(50), 'batches'],
    ['writes of more time', behind(100), behind(500), 'needs-consent'],
    [
      'the primary is back, with writes of an hour',
      behind(100),
      changed(whole, replicaLinkDown('redis-4-0', 3600)),
      'needs-consent',
    ],
  ])('%s', (_, then, now, outcome) => {
    expect(again(then, now, OWNED, false)).toBe(outcome);
  });
});

describe('agreed to by its slots, which were typed', () => {
  test.each([
    ['whatever is lost of them', behind(100), behind(500), OWNED, 'batches'],
    ['but of no other', behind(100), behind(100), [{ start: 0, end: 99 }], 'needs-consent'],
  ])('%s', (_, then, now, agreed, outcome) => {
    expect(again(then, now, agreed, true)).toBe(outcome);
  });
});
