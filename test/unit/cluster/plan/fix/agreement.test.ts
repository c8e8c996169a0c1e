/** Whoever agreed to a loss agreed to no larger one. */
import { expect, test } from '@jest/globals';
import type { Loss } from '../../../../../pkg/cluster/model/loss.ts';
import { agreeTo, covers, NOTHING_AGREED } from '../../../../../pkg/cluster/plan/fix/agreement.ts';
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
