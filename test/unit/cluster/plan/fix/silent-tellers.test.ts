/** What nodes tell each other ends by itself only while those who can tell it answer. */
import { expect, test } from '@jest/globals';
import { check } from '../../../../../pkg/cluster/check/check.ts';
import { interpret } from '../../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../../pkg/cluster/model/observation.ts';
import { planFix } from '../../../../../pkg/cluster/plan/fix/fix.ts';
import { NO_POLICY, type LeftOver } from '../../../../../pkg/cluster/plan/fix/fix-plan.ts';
import { changed, changeLines, type Change } from '../../../../support/observation-changes.ts';
import { configEpoch, unreachable } from '../../../../support/observation-faults.ts';
import { healthyObservation, nodeIdOf } from '../../../../support/observation.ts';

const healthy = healthyObservation();

function leftOf(observation: Observation, code: string): Partial<LeftOver>[] {
  const { left } = planFix(interpret(observation), NO_POLICY, { observation, slotKeys: null });
  return left.filter(({ problem }) => problem.code === code).map(({ why, hint }) => ({ why, hint }));
}

/** A replica joined after the owner of slots went, and nobody passes on what that one owned. */
const knowsNoOwner: Change = changeLines((line, viewer) =>
  viewer === 'redis-5-0' && line.nodeId === nodeIdOf(2) ? { ...line, slots: [] } : line,
);

test('an owner of slots that answers tells the others', () => {
  expect(leftOf(changed(healthy, knowsNoOwner), 'views-differ')).toMatchObject([{ why: 'by-itself' }]);
});

test('one that does not answer does not, and nobody does it for it', () => {
  expect(leftOf(changed(healthy, knowsNoOwner, unreachable('redis-2-0', 'not-running')), 'views-differ')).toEqual([
    {
      why: 'after-others',
      hint: 'Only redis-2-0 can tell that, and does not answer: it ends when it does, or when its slots have another owner',
    },
  ]);
});

test('check says the same', () => {
  const silent = changed(healthy, knowsNoOwner, unreachable('redis-2-0', 'not-running'));
  const repairOf = (observation: Observation): string | undefined =>
    check(interpret(observation), observation).find(({ code }) => code === 'views-differ')?.repair;
  expect(repairOf(silent)).toContain('Only redis-2-0 can tell that');
  expect(repairOf(changed(healthy, knowsNoOwner))).toContain('Look again in 10 seconds');
});

test('that another node is silent changes nothing', () => {
  const left = leftOf(changed(healthy, knowsNoOwner, unreachable('redis-6-0', 'not-running')), 'views-differ');
  expect(left).toMatchObject([{ why: 'by-itself' }]);
});

test('epochs collide for as long as one of the two is silent', () => {
  const collide = [configEpoch('redis-1-0', 7), configEpoch('redis-2-0', 7)];
  expect(leftOf(changed(healthy, ...collide), 'epoch-collision')).toMatchObject([{ why: 'by-itself' }]);
  const silent = changed(healthy, ...collide, unreachable('redis-2-0', 'timeout', 'up'));
  expect(leftOf(silent, 'epoch-collision')).toEqual([
    { why: 'after-others', hint: 'redis-2-0 does not answer: it ends when all of them do' },
  ]);
});
