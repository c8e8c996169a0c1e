/** C8: `fix` does not fight with the values that our own scripts set for a while. */
import { expect, test } from '@jest/globals';
import { interpret } from '../../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../../pkg/cluster/model/observation.ts';
import { planFix } from '../../../../../pkg/cluster/plan/fix/fix.ts';
import { NO_POLICY } from '../../../../../pkg/cluster/plan/fix/fix-plan.ts';
import { healthyObservation } from '../../../../support/observation.ts';
import { changed } from '../../../../support/observation-changes.ts';
import { config, every, replicaLinkDown } from '../../../../support/observation-faults.ts';

const REPL = 'repl-timeout';
const usual = every((pod) => config(pod, REPL, '20'));

/** `pod=value` for each directive that the plan sets. */
function setBy(observation: Observation): string[] {
  const { repairs } = planFix(interpret(observation), NO_POLICY, { observation, slotKeys: null });
  return repairs
    .flatMap(({ batches }) => batches.flatMap(({ steps }) => steps))
    .flatMap((step) =>
      step.kind === 'set-config' ? Object.values(step.directives).map((value) => `${step.node.pod}=${value}`) : [],
    );
}

test("the probe's own repl-timeout is left to the probe", () => {
  const down = changed(healthyObservation(), usual, config('redis-5-0', REPL, '5'), replicaLinkDown('redis-5-0'));
  expect(setBy(down)).toEqual([]);
});

test('only who differs by somebody else is set, however many the probe has set for a while', () => {
  const both = changed(
    healthyObservation(),
    usual,
    ...['redis-2-0', 'redis-4-0', 'redis-6-0'].map((pod) => config(pod, REPL, '5')),
    config('redis-5-0', REPL, '7'),
  );
  expect(setBy(both)).toEqual(['redis-5-0=20']);
});
