/** How many faults of one code are told: once for people, one by one for planners (FINDINGS K9), and counted alike everywhere (C16). */
import { describe, expect, test } from '@jest/globals';
import { check } from '../../../../pkg/cluster/check/check.ts';
import { countsInWords, foldProblems } from '../../../../pkg/cluster/check/fold.ts';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Problem } from '../../../../pkg/cluster/model/problem.ts';
import { changed } from '../../../support/observation-changes.ts';
import { crashing, unreachable } from '../../../support/observation-faults.ts';
import { healthyObservation } from '../../../support/observation.ts';

const PODS = ['redis-7-0', 'redis-8-0', 'redis-9-0', 'redis-10-0', 'redis-11-0', 'redis-12-0'];

function problemsOf(pods: readonly string[]): readonly Problem[] {
  const observation = changed(
    healthyObservation({ masters: 6, hosts: 6, zones: 0 }),
    ...pods.flatMap((pod) => [unreachable(pod, 'not-running'), crashing(pod)]),
  );
  return check(interpret(observation), observation);
}

describe('problems of one code', () => {
  test('more than five are told as one, with all names and slots', () => {
    expect(foldProblems(problemsOf(PODS))).toEqual([
      {
        code: 'pod-not-running',
        subject: null,
        severity: 'warning',
        sentence:
          'redis-7-0, a replica, does not run (CrashLoopBackOff). The same goes for 5 others: redis-8-0, redis-9-0, redis-10-0, redis-11-0 and redis-12-0.',
        nodes: PODS,
        slots: [],
        repair: 'kubectl -n default describe pod redis-7-0 says why.',
      },
    ]);
  });

  test('five are told one by one', () => {
    const five = problemsOf(PODS.slice(1));
    expect(foldProblems(five)).toEqual(five);
  });

  test('are counted one by one, however they are told (C16)', () => {
    expect(countsInWords(problemsOf(PODS))).toBe('6 warnings');
    expect(countsInWords([])).toBe('');
  });
});
