/** Without a majority one takeover lets the servers elect all the others: what all of them lose is named with the first. */
import { expect, test } from '@jest/globals';
import { interpret } from '../../../../../pkg/cluster/interpret.ts';
import { planFix } from '../../../../../pkg/cluster/plan/fix/fix.ts';
import { NO_POLICY } from '../../../../../pkg/cluster/plan/fix/fix-plan.ts';
import { changed } from '../../../../support/observation-changes.ts';
import { heard, replicasLoseLink, unreachable } from '../../../../support/observation-faults.ts';
import { healthyObservation } from '../../../../support/observation.ts';

test.each([
  [
    'in step',
    30,
    {},
    `writes to slots 0-5460 that redis-4-0 had not received; writes to slots 5461-10922 that redis-5-0 had not received`,
  ],
  ['behind', 105, { acceptDataLoss: [{ start: 0, end: 10_922 }] }, /0-5460.*; .*5461-10922/],
])('two primaries are dead, their replicas %s', (_, seconds, policy, says) => {
  const observation = changed(
    healthyObservation(),
    ...['redis-1-0', 'redis-2-0'].flatMap((pod) => [
      replicasLoseLink(pod, seconds),
      heard(pod, 30_000),
      unreachable(pod, 'not-running', 'fail?'),
    ]),
  );
  const { repairs } = planFix(
    interpret(observation),
    { ...NO_POLICY, takeover: true, ...policy },
    { observation, slotKeys: null },
  );
  expect(repairs.map(({ loses }) => loses)).toEqual([
    {
      slots: [{ start: 0, end: 10_922 }],
      keys: null,
      seconds: seconds === 105 ? expect.any(Number) : null,
      sentence: typeof says === 'string' ? says : expect.stringMatching(says),
    },
  ]);
});
