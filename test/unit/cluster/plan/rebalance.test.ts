import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../pkg/cluster/model/observation.ts';
import { countSlots } from '../../../../pkg/cluster/model/slots.ts';
import { balanceOf, planRebalance, readWeights, type RebalanceInput } from '../../../../pkg/cluster/plan/rebalance.ts';
import { simulate } from '../../../../pkg/cluster/plan/simulate.ts';
import { failedOver } from '../../../support/observation-failover.ts';
import { duplicatedOwner, openSlot, staleView, unreachable, version } from '../../../support/observation-faults.ts';
import { changeAnswer, changed, type Change } from '../../../support/observation-changes.ts';
import { healthyObservation, nodeIdOf } from '../../../support/observation.ts';

type Settings = Partial<Omit<RebalanceInput, 'state'>>;

function inputOf(observation: Observation, settings: Settings = {}): RebalanceInput {
  return {
    state: interpret(observation),
    by: 'slots',
    weights: new Map(),
    measured: null,
    thresholdPercent: 0,
    ...settings,
  };
}

function runToEnd(start: Observation, settings: Settings, cut: (step: number) => boolean = () => true): Observation {
  let observation = start;
  for (let round = 0; round < 20; round++) {
    const plan = planRebalance(inputOf(observation, settings));
    if (plan.kind === 'nothing') return observation;
    if (plan.kind === 'refused') throw new Error(plan.sentence);
    const [batch] = plan.batches;
    if (batch === undefined) break;
    observation = simulate(observation, { ...batch, steps: batch.steps.filter((_, i) => cut(i + round)) });
  }
  throw new Error('it never ends');
}

const slotsOf = (observation: Observation): number[] =>
  interpret(observation)
    .nodes.filter((node) => node.role === 'primary')
    .map((node) => countSlots(node.slots));

describe('planRebalance', () => {
  test('an even cluster: nothing', () => {
    expect(planRebalance(inputOf(healthyObservation())).kind).toBe('nothing');
  });

  test('by weights, cut short anywhere: the same end, and then nothing', () => {
    const some = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 3, maxLength: 6 });
    fc.assert(
      fc.property(some, fc.infiniteStream(fc.boolean()), (numbers, cut) => {
        const start = healthyObservation({ masters: numbers.length, replicas: 0 });
        const weights = new Map(numbers.map((weight, i) => [nodeIdOf(i + 1), weight]));
        const whole = slotsOf(runToEnd(start, { weights }));
        const sum = numbers.reduce((all, one) => all + one, 0);
        whole.forEach((slots, i) => expect(Math.abs(slots - (16384 * (numbers[i] ?? 0)) / sum)).toBeLessThan(1));
        const cuts = slotsOf(runToEnd(start, { weights }, (step) => step > 12 || cut.next().value === true));
        cuts.forEach((slots, i) => expect(Math.abs(slots - (whole[i] ?? 0))).toBeLessThanOrEqual(1));
      }),
      { numRuns: 40 },
    );
  });

  test('a weight of 0 empties a primary', () => {
    const weights = new Map([[nodeIdOf(2), 0]]);
    expect(slotsOf(runToEnd(healthyObservation({ replicas: 0 }), { weights }))).toEqual([8192, 0, 8192]);
  });

  test('within the threshold nothing moves', () => {
    const weights = new Map([[nodeIdOf(1), 1.01]]);
    const input = inputOf(healthyObservation(), { weights });
    expect(planRebalance({ ...input, thresholdPercent: 2 }).kind).toBe('nothing');
    expect(planRebalance(input).kind).toBe('batches');
    expect(balanceOf(input).worstPercent).toBeCloseTo(0.67, 1);
  });

  test('by keys: full slots count, empty ones are spread too', () => {
    const measured = new Float64Array(16384);
    measured.fill(10, 0, 3000);
    const end = interpret(runToEnd(healthyObservation({ replicas: 0 }), { by: 'keys', measured, thresholdPercent: 1 }));
    const keys = end.nodes.map(({ slots }) =>
      slots.reduce(
        (sum, { start, end: last }) => sum + measured.slice(start, last + 1).reduce((all, one) => all + one, 0),
        0,
      ),
    );
    for (const one of keys) expect(Math.abs(one - 10_000)).toBeLessThan(200);
  });

  test('in the middle of an upgrade slots go to newer servers, and never to older ones', () => {
    const old = '7.0.15';
    const planned = (weights: Settings['weights'], ...changes: readonly Change[]): unknown => {
      const plan = planRebalance(inputOf(changed(healthyObservation(), ...changes), { weights: weights ?? new Map() }));
      return plan.kind === 'refused' ? plan : plan.kind;
    };
    const toSecond = new Map([[nodeIdOf(2), 3]]);
    expect(planned(toSecond, version('redis-2-0', 'redis', old))).toEqual({
      kind: 'refused',
      code: 'target-older',
      sentence:
        'Slots would have to go to an older server, which takes no key of them: redis-1-0 runs redis 8.6.3, and redis-2-0 runs redis 7.0.15',
      hint: 'kubectl redis restart redis finishes the upgrade first; then run the same command again',
    });
    // Away from it, to another patch, and from Redis to a Valkey that reads its data.
    expect(planned(new Map([[nodeIdOf(2), 0.5]]), version('redis-2-0', 'redis', old))).toBe('batches');
    expect(planned(toSecond, version('redis-2-0', 'redis', '8.6.1'))).toBe('batches');
    const shared = ['redis-1-0', 'redis-3-0'].map((pod) => version(pod, 'redis', '7.2.4'));
    expect(planned(toSecond, ...shared, version('redis-2-0', 'valkey', '9.1.2'))).toBe('batches');
    expect(planned(toSecond, version('redis-2-0', 'valkey', '9.1.2'))).toMatchObject({ code: 'target-older' });
    // Nothing goes there, so nothing is refused.
    expect(planned(new Map(), version('redis-2-0', 'redis', old))).toBe('nothing');
    const open = openSlot(7, 'redis-1-0', 'redis-2-0');
    expect(planned(new Map(), open, version('redis-2-0', 'redis', old))).toMatchObject({
      code: 'target-older',
      hint: expect.stringContaining('kubectl redis fix redis takes them back'),
    });
    expect(planned(new Map(), open, version('redis-1-0', 'redis', old))).toBe('batches');
  });

  test('slots that are open between two primaries are finished first; others are refused', () => {
    const open = changed(healthyObservation(), openSlot(7, 'redis-1-0', 'redis-2-0'));
    const plan = planRebalance(inputOf(open));
    expect(plan.kind === 'batches' ? plan.batches.map((batch) => [batch.title, batch.steps]) : plan).toEqual([
      [
        'finish what was open',
        [
          expect.objectContaining({
            kind: 'move-slots',
            source: expect.objectContaining({ pod: 'redis-1-0' }),
            target: expect.objectContaining({ pod: 'redis-2-0' }),
            ranges: [{ start: 7, end: 7 }],
          }),
        ],
      ],
    ]);
    const torn = changed(healthyObservation(), openSlot(7, 'redis-1-0', 'redis-4-0'));
    expect(planRebalance(inputOf(torn))).toMatchObject({ kind: 'refused', code: 'slots-open' });
  });

  test('slots whose old end follows the new one since a failover are finished with the new one', () => {
    const pairs = [
      ['redis-4-0', 'importing', 'redis-4-0', 'redis-2-0'],
      ['redis-5-0', 'migrating', 'redis-1-0', 'redis-5-0'],
    ] as const;
    for (const [promoted, sides, source, target] of pairs) {
      const open = changed(healthyObservation(), openSlot(7, 'redis-1-0', 'redis-2-0', sides), failedOver(promoted));
      const plan = planRebalance(inputOf(open));
      expect(plan.kind === 'batches' ? plan.batches.flatMap(({ steps }) => steps) : plan).toEqual([
        expect.objectContaining({
          kind: 'move-slots',
          source: expect.objectContaining({ pod: source }),
          target: expect.objectContaining({ pod: target }),
          ranges: [{ start: 7, end: 7 }],
        }),
      ]);
    }
  });

  test('a weight is that of the shard: a failover in the middle of the run keeps it (C4)', () => {
    const start = healthyObservation();
    const weights = readWeights(['redis-2-0=0'], interpret(start));
    const half = runToEnd(changed(start, failedOver('redis-5-0')), { weights });
    expect(slotsOf(half).filter((slots) => slots > 0)).toEqual([8192, 8192]);
    const owners = interpret(half).nodes.flatMap(({ pod, slots }) => (slots.length > 0 ? [pod?.name] : []));
    expect(owners).not.toContain('redis-5-0');
  });

  test('nodes that do not agree whose slots they are, or who is who: refused (K11)', () => {
    const twice = changed(healthyObservation(), duplicatedOwner('redis-2-0', [{ start: 0, end: 9 }]));
    expect(planRebalance(inputOf(twice))).toMatchObject({ kind: 'refused', code: 'slots-contested' });
    const stale = changed(healthyObservation(), staleView('redis-4-0', [{ start: 0, end: 9 }], 'redis-3-0'));
    expect(planRebalance(inputOf(stale))).toMatchObject({ kind: 'refused' });
    const down = changed(
      healthyObservation(),
      changeAnswer('redis-6-0', (answer) => ({ ...answer, clusterInfo: { ...answer.clusterInfo, state: 'fail' } })),
    );
    const plan = planRebalance(inputOf(down));
    expect(plan).toMatchObject({ kind: 'refused', code: 'not-converged' });
    expect(JSON.stringify(plan)).toContain('redis-6-0 says that the cluster is down');
  });

  test('an owner that does not answer: refused by name', () => {
    const silent = changed(healthyObservation(), unreachable('redis-2-0', 'timeout', 'up'));
    const plan = planRebalance(inputOf(silent));
    expect(plan).toMatchObject({ kind: 'refused', code: 'owner-silent' });
    expect(plan.kind === 'refused' ? plan.sentence : '').toContain('redis-2-0');
  });
});

describe('readWeights', () => {
  const state = interpret(healthyObservation());
  test('by pod, by shard, and a replica means its shard', () => {
    expect(readWeights(['redis-1-0=2', '2=0.5', 'redis-6-0=0'], state)).toEqual(
      new Map([
        [nodeIdOf(1), 2],
        [nodeIdOf(4), 2],
        [nodeIdOf(2), 0.5],
        [nodeIdOf(5), 0.5],
        [nodeIdOf(3), 0],
        [nodeIdOf(6), 0],
      ]),
    );
  });

  test.each([['redis-1-0'], ['redis-1-0=x'], ['=2'], ['redis-9-0=1'], ['1=-1']])('%s is wrong usage', (typed) => {
    expect(() => readWeights([typed], state)).toThrow(expect.objectContaining({ code: 'usage', exitCode: 2 }));
  });

  test('nobody can have nothing', () => {
    expect(() => readWeights(['1=0', '2=0', '3=0'], state)).toThrow('all weights are 0');
  });
});
