/** Whoever agreed to a loss agreed to no larger one. */
import { describe, expect, test } from '@jest/globals';
import { joinLosses, type Loss } from '../../../../../pkg/cluster/model/loss.ts';
import type { SlotRanges } from '../../../../../pkg/cluster/model/slots.ts';
import { agreeTo, covers, isNamedIn, NOTHING_AGREED } from '../../../../../pkg/cluster/plan/fix/agreement.ts';
import type { Repair } from '../../../../../pkg/cluster/plan/fix/fix-plan.ts';

const SLOTS = [{ start: 0, end: 5460 }];
const loss = (seconds: number | null, keys: number | null, slots = SLOTS): Loss => ({
  slots,
  seconds,
  keys,
  sentence: 'x',
});
const repairOf = (loses: Loss | null): Repair => ({
  code: 'primary-down',
  severity: 'critical',
  title: 'take over',
  titles: ['take over'],
  nodes: ['redis-4-0'],
  why: '',
  slots: [],
  batches: [],
  loses,
});

test.each<[string, Loss | null, Loss | null, boolean]>([
  ['nothing', null, null, true],
  ['a loss where none was named', null, loss(1, null), false],
  ['the same', loss(30, null), loss(30, null), true],
  ['measured a little later', loss(30, null), loss(32, null), true],
  ['ten times as much', loss(30, null), loss(300, null), false],
  ['every key in place of some seconds', loss(30, null), loss(null, null), false],
  ['a number of keys in place of some seconds', loss(30, null), loss(null, 100), false],
  ['fewer keys', loss(null, 100), loss(null, 90), true],
  ['more keys', loss(null, 100), loss(null, 101), false],
  ['an unknown number of keys', loss(null, 100), loss(null, null), false],
  ['some seconds, where every key was agreed to', loss(null, null), loss(30, null), true],
  ['other slots', loss(null, null), loss(null, null, [{ start: 0, end: 5461 }]), false],
])('%s', (_, agreed, now, covered) => {
  expect(covers(agreeTo(NOTHING_AGREED, repairOf(agreed)), repairOf(now))).toBe(covered);
});

describe('several losses that were agreed to in one question', () => {
  const [first, second] = [
    { start: 0, end: 5460 },
    { start: 5461, end: 10922 },
  ].map((range) => [range]);
  const both = joinLosses([loss(null, null, first), loss(75, null, second)]);
  const agreed = agreeTo(NOTHING_AGREED, repairOf(both));

  test.each<[string, Loss | null, boolean]>([
    ['one of them', loss(75, null, second), true],
    ['both', both, true],
    ['one that has grown, beside one that nobody could measure', loss(3600, null, second), false],
    ['both, and one has grown', joinLosses([loss(null, null, first), loss(3600, null, second)]), false],
    ['every key of one whose seconds were named', loss(null, null, second), false],
  ])('%s', (_, now, covered) => {
    expect(covers(agreed, repairOf(now))).toBe(covered);
  });

  test('the sum of keys that were named is agreed to of none of them', () => {
    const summed = agreeTo(NOTHING_AGREED, repairOf(joinLosses([loss(null, 100, first), loss(null, 1, second)])));
    expect(covers(summed, repairOf(loss(null, 2, second)))).toBe(false);
  });
});

describe('where nobody can be asked: what the plan named, or what was typed', () => {
  const shown = { repairs: [repairOf(loss(30, null))] };
  const others = [{ start: 5461, end: 10922 }];
  test.each<[string, Loss | null, SlotRanges, boolean]>([
    ['nothing', null, [], true],
    ['what was named', loss(30, null), [], true],
    ['more than was named', loss(300, null), [], false],
    ['slots that were not named', loss(1, null, others), [], false],
    ['slots that were typed', loss(1, null, others), others, true],
    ['some of them were neither', joinLosses([loss(30, null), loss(1, null, others)]), [], false],
    ['one was named, and one typed', joinLosses([loss(30, null), loss(1, null, others)]), others, true],
  ])('%s', (_, now, typed, named) => {
    expect(isNamedIn(shown, repairOf(now), typed)).toBe(named);
  });
});
