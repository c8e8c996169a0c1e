import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { check } from '../../../../pkg/cluster/check/check.ts';
import { isCode } from '../../../../pkg/cluster/check/codes.ts';
import { healthOf } from '../../../../pkg/cluster/check/health.ts';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { ClusterNode } from '../../../../pkg/cluster/model/state.ts';
import type { Observation } from '../../../../pkg/cluster/model/observation.ts';
import { changed } from '../../../support/observation-changes.ts';
import { someObservation, someShape } from '../../../support/observation-arbitraries.ts';
import { unreachable } from '../../../support/observation-faults.ts';
import { healthyObservation, podNameOf } from '../../../support/observation.ts';

function codesOf(observation: Observation): string[] {
  return check(interpret(observation), observation).map((problem) => problem.code);
}

describe('a healthy cluster of any shape', () => {
  test('has no problems; only what its surroundings do not allow is remarked', () => {
    fc.assert(
      fc.property(someShape, (shape) => {
        const crowded = shape.hosts < shape.replicas + 1 ? ['too-few-hosts'] : [];
        const announced = shape.kind === 'foreign' ? ['pod-ip-announced'] : [];
        expect(codesOf(healthyObservation(shape))).toEqual([...announced, ...crowded]);
      }),
      { numRuns: 60 },
    );
  });

  test('that loses one replica has one problem more, and is not broken', () => {
    fc.assert(
      fc.property(
        someShape.filter((shape) => shape.replicas > 0),
        fc.nat(),
        (shape, which) => {
          const ordinal = shape.masters + 1 + (which % (shape.masters * shape.replicas));
          const before = codesOf(healthyObservation(shape));
          const observation = changed(healthyObservation(shape), unreachable(podNameOf(shape, ordinal), 'not-running'));
          const problems = check(interpret(observation), observation);
          expect(problems.map((problem) => problem.code)).toEqual(['pod-not-running', ...before]);
          expect(healthOf(interpret(observation), problems).level).toBe('degraded');
        },
      ),
    );
  });
});

describe('an ill cluster of any kind', () => {
  test('is judged without an exception, the same way each time, in codes that exist', () => {
    fc.assert(
      fc.property(someObservation, (observation) => {
        const state = interpret(observation);
        const problems = check(state, observation);
        const copy = structuredClone(observation);
        expect(check(interpret(copy), copy)).toEqual(problems);
        expect(
          problems.filter((problem) => !isCode(problem.code) || problem.sentence === '' || problem.repair === ''),
        ).toEqual([]);
        const { level, sentence } = healthOf(state, problems);
        expect(sentence).not.toBe('');
        const isServed = ({ slots, reply, gossip }: ClusterNode): boolean =>
          slots.length === 0 || reply?.kind === 'answered' || gossip?.flags.includes('fail') !== true;
        if (level !== 'broken' && sentence.includes('slots are served')) expect(state.nodes.every(isServed)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
