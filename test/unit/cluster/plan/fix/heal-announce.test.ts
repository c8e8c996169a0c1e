/** C15: a node that lost its announced address is told it, where template and Service say the same; nothing "ends by itself" for ever. */
import { describe, expect, test } from '@jest/globals';
import { interpret } from '../../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../../pkg/cluster/model/observation.ts';
import { planFix } from '../../../../../pkg/cluster/plan/fix/fix.ts';
import { NO_POLICY, type FixPlan } from '../../../../../pkg/cluster/plan/fix/fix-plan.ts';
import { healthyObservation } from '../../../../support/observation.ts';
import { changeAnswer, changeLines, changed, type Change } from '../../../../support/observation-changes.ts';
import { addressMismatch, config } from '../../../../support/observation-faults.ts';
import { injected } from '../../check/announce-cases.ts';

const NAME = 'cluster-announce-ip';

function planOf(observation: Observation): FixPlan {
  return planFix(interpret(observation), NO_POLICY, { observation, slotKeys: null });
}

/** `pod=address` for each address that the plan sets. */
function told(observation: Observation): string[] {
  return planOf(observation)
    .repairs.flatMap(({ batches }) => batches.flatMap(({ steps }) => steps))
    .flatMap((step) =>
      step.kind === 'set-config'
        ? Object.entries(step.directives).map(([name, value]) => `${step.node.pod} ${name}=${value}`)
        : [],
    );
}

/** Its links are down, too, because nobody finds it where it says it is. */
const unlinked: Change = changeLines((line) => (line.ip === '10.96.200.200' ? { ...line, linkUp: false } : line));

describe('a node that announces another address', () => {
  test.each<[string, Observation]>([
    ['of a cluster of ours', changed(healthyObservation(), config('redis-5-0', NAME, '10.96.200.200'))],
    ['nothing', changed(healthyObservation(), config('redis-5-0', NAME, ''))],
    [
      'of pods that people brought',
      changed(healthyObservation(), injected(), config('redis-5-0', NAME, '10.96.200.200')),
    ],
    [
      'of pods that people brought, and the others look for it there in vain',
      changed(
        healthyObservation(),
        injected(),
        config('redis-5-0', NAME, '10.96.200.200'),
        addressMismatch('redis-5-0', '10.96.200.200'),
        unlinked,
      ),
    ],
  ])('is told its own: %s', (_, observation) => {
    expect(told(observation)).toEqual(['redis-5-0 cluster-announce-ip=10.96.0.15']);
  });

  test('is told nothing where table and Service do not say the same', () => {
    const doubt = changed(
      healthyObservation(),
      injected({ 'redis-5': '10.96.0.99' }),
      config('redis-5-0', NAME, '10.96.200.200'),
    );
    expect(told(doubt)).toEqual([]);
  });

  test('that may not be asked what it announces does not end by itself', () => {
    const mute = changed(
      healthyObservation(),
      addressMismatch('redis-5-0', '10.96.200.200'),
      changeAnswer('redis-5-0', (answer) => ({ ...answer, config: null })),
    );
    const { left } = planOf(mute);
    expect(left.map(({ problem, why, hint }) => [problem.code, why, hint])).toEqual([
      [
        'address-mismatch',
        'by-hand',
        'redis-5-0 may not be asked what it announces (CONFIG GET): see cluster-announce-ip there',
      ],
    ]);
  });
});
