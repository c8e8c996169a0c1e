/** `planFix`: a table of faults and the repairs that they get, and what holds for every plan. */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { CODE_NAMES, FIXABLE } from '../../../../../pkg/cluster/check/codes.ts';
import { interpret } from '../../../../../pkg/cluster/interpret.ts';
import { partsOf } from '../../../../../pkg/cluster/model/loss.ts';
import type { NoRooms } from '../../../../../pkg/cluster/model/no-room.ts';
import type { Observation } from '../../../../../pkg/cluster/model/observation.ts';
import { formatRanges } from '../../../../../pkg/cluster/model/slots.ts';
import { planFix } from '../../../../../pkg/cluster/plan/fix/fix.ts';
import {
  NO_POLICY,
  type FixPlan,
  type FixPolicy,
  type SlotKeys,
} from '../../../../../pkg/cluster/plan/fix/fix-plan.ts';
import { STAGES } from '../../../../../pkg/cluster/plan/fix/order.ts';
import { simulate } from '../../../../../pkg/cluster/plan/simulate.ts';
import { someObservation, someShape } from '../../../../support/observation-arbitraries.ts';
import { healthyObservation } from '../../../../support/observation.ts';
import { CONTESTED_CASES } from './contested-cases.ts';
import { inWords } from './fix-words.ts';
import { breachesOf } from './laws.ts';
import { FULL_TARGET_CASES } from './full-target-cases.ts';
import { NODE_CASES } from './node-cases.ts';
import { OLDER_TARGET_CASES } from './older-target-cases.ts';
import { ONLY_COPY_CASES } from './only-copy-cases.ts';
import { PLACE_CASES } from './place-cases.ts';
import { ONE_MAY_RUN, QUORUM_CASES } from './quorum-cases.ts';
import { SILENT_CASES } from './silent-cases.ts';
import { START_EMPTY_CASES } from './start-empty-cases.ts';
import { SLOTS_CASES } from './slots-cases.ts';

function plan(
  observation: Observation,
  policy: Partial<FixPolicy> = {},
  slotKeys: SlotKeys | null = null,
  noRoom: NoRooms = new Map(),
): FixPlan {
  return planFix(interpret(observation), { ...NO_POLICY, ...policy }, { observation, slotKeys, noRoom });
}

test('every code that check knows has its place in the order of a repair', () => {
  const placed = STAGES.flatMap(({ answers }) => Object.keys(answers));
  expect([...placed].sort()).toEqual([...CODE_NAMES].sort());
});

test('what the table of codes says that fix repairs is what has a healer', () => {
  const healed = STAGES.flatMap(({ answers }) =>
    Object.entries(answers).flatMap(([code, answer]) => (typeof answer === 'function' ? [code] : [])),
  );
  expect([...FIXABLE].sort()).toEqual(healed.sort());
});

describe('plans', () => {
  test.each([
    ...SLOTS_CASES,
    ...NODE_CASES,
    ...CONTESTED_CASES,
    ...SILENT_CASES,
    ...QUORUM_CASES,
    ...PLACE_CASES,
    ...ONLY_COPY_CASES,
    ...START_EMPTY_CASES,
    ...OLDER_TARGET_CASES,
    ...FULL_TARGET_CASES,
  ])('%s', (_, observation, expected, options = {}) => {
    expect(inWords(plan(observation, options.policy, options.slotKeys ?? null, options.noRoom))).toEqual(expected);
  });
});

test('what there is room for on neither side says what to raise, and by how much', () => {
  const [, observation, , { slotKeys, noRoom } = {}] = FULL_TARGET_CASES[2] ?? [];
  if (observation === undefined || slotKeys === undefined) throw new Error('no such case');
  expect(plan(observation, {}, slotKeys, noRoom).left[0]?.hint).toBe(
    'redis-2-0 has no room for the rest of their keys and would evict others: raise its maxmemory by 3 MiB or more, then they go on; or raise that of redis-1-0 by 2 MiB or more, then they come back. Until then they stay open, and are served',
  );
});

describe('of any cluster', () => {
  test('a healthy one gets no repair', () => {
    fc.assert(
      fc.property(someShape, (shape) => {
        const healthy = healthyObservation({ ...shape, hosts: Math.max(shape.hosts, shape.replicas + 1) });
        expect(plan(healthy).repairs).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  test('no plan breaks a law, each problem is repaired or left, and a plan made twice is the same', () => {
    fc.assert(
      fc.property(someObservation, fc.boolean(), (observation, consent) => {
        const all = {
          acceptDataLoss: [{ start: 0, end: 16383 }],
          takeover: true,
          forgetStrangers: true,
          startEmpty: true,
        };
        const made = plan(observation, consent ? all : {});
        expect(breachesOf(observation, made, consent)).toEqual([]);
        // It is no way out of itself.
        expect(made.left.filter(({ hint }) => /^kubectl redis fix \S+\. By hand/.test(hint))).toEqual([]);
        expect(plan(observation, consent ? all : {})).toEqual(made);
      }),
      { numRuns: 400 },
    );
  });

  test('batch after batch, planned anew each time, it comes to an end, and then plans nothing', () => {
    fc.assert(
      fc.property(someObservation, (observation) => {
        let now = observation;
        const done: string[] = [];
        for (let round = 0; round < 40; round++) {
          const batch = plan(now).repairs[0]?.batches[0];
          if (batch === undefined) return;
          done.push(JSON.stringify(batch));
          // What the simulation can't show (keys that move, Kubernetes objects) would be planned again and again.
          if (done.filter((one) => one === done.at(-1)).length > 2) return;
          now = simulate(now, batch);
        }
        expect(done).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

test('a takeover names what the servers then elect by themselves, each as a loss of its own', () => {
  const { repairs } = plan(ONE_MAY_RUN, { takeover: true, acceptDataLoss: [{ start: 0, end: 10922 }] });
  const parts = partsOf(repairs[0]?.loses ?? null);
  expect(parts.map(({ slots }) => formatRanges(slots))).toEqual(['0-5460', '5461-10922']);
  expect(parts[1]?.sentence).toMatch(/redis-2-0 may be alive.*because the servers then elect redis-5-0 by themselves$/);
});
