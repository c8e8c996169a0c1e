import { describe, expect, test } from '@jest/globals';
import { sharedClaims } from '../../../../pkg/cluster/evidence/shared-claims.ts';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../pkg/cluster/model/observation.ts';
import { planFix } from '../../../../pkg/cluster/plan/fix/fix.ts';
import { NO_POLICY } from '../../../../pkg/cluster/plan/fix/fix-plan.ts';
import { changePod, changeReply, changed } from '../../../support/observation-changes.ts';
import { every, unreachable } from '../../../support/observation-faults.ts';
import { healthyObservation } from '../../../support/observation.ts';
import { copied } from '../check/shared-claim-cases.ts';

const OTHER = 'ReplicaSet/redis-1-5d9c7b';
const runs = (observation: Observation): Observation =>
  changed(
    observation,
    changeReply('redis-1-0', () => ({ kind: 'unreachable', why: 'timeout', detail: '' })),
  );
const onOneVolume = (owner: string | null): Observation =>
  changed(
    healthyObservation(),
    every((pod) => changePod(pod, (facts) => ({ ...facts, owner, claims: ['all'] }))),
  );

describe('pods that use one claim', () => {
  test.each<[string, Observation, string[][]]>([
    ['a copy by hand has it, and the other one waits', copied(), [['redis-1-copy']]],
    ['a copy by hand, and nobody waits: there may be no locks', runs(copied()), [['redis-1-copy']]],
    ['both are of controllers, and one waits', copied({ owner: OTHER }), [[]]],
    ['both are of controllers, and none waits', runs(copied({ owner: OTHER })), []],
    ['the other one is on its way out', copied({ terminating: true }), []],
    ['people keep all nodes on one volume, of one workload', onOneVolume('StatefulSet/redis'), []],
    ['people keep all nodes on one volume, bare pods', onOneVolume(null), []],
    ['each has its own', healthyObservation(), []],
  ])('%s', (_, observation, copies) => {
    const shared = sharedClaims(interpret(observation));
    expect(shared.map((one) => one.copies.map(({ name }) => name))).toEqual(copies);
  });
});

describe('what fix says of a pod that waits', () => {
  const whyOf = (observation: Observation): string[] =>
    planFix(interpret(observation), NO_POLICY, { observation, slotKeys: null }).left.flatMap(
      ({ problem, why, hint }) => (problem.code === 'guard-waiting' ? [`${why}: ${hint.slice(0, 45)}`] : []),
    );

  test('for another one on its volume: that does not end by itself', () => {
    expect(whyOf(copied())).toEqual(['by-hand: kubectl -n default delete pod redis-1-copy ta']);
    expect(whyOf(copied({ owner: OTHER }))).toEqual(['by-hand: Scale down what made the one that is not want']);
  });

  test('for anything else, and for the pod before it: it does', () => {
    expect(whyOf(changed(healthyObservation(), unreachable('redis-5-0', 'guard-waiting')))).toEqual([
      'by-itself: Mostly none: it starts by itself. kubectl -n ',
    ]);
    expect(whyOf(copied({ terminating: true }))).toEqual(['by-itself: Mostly none: it starts by itself. kubectl -n ']);
  });
});
