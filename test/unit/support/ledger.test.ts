/** Whether the checker would notice: what it says of readings that are as they should be, and of each way in which they may not. */
import { describe, expect, test } from '@jest/globals';
import { judge, type Found, type KeyKind, type Outcome, type Verdict } from '../../support/write-checker/ledger.ts';

const [U, A, R]: readonly [Outcome, Outcome, Outcome] = ['unknown', 'acked', 'replicated'];

const CASES: readonly (readonly [string, KeyKind, readonly Outcome[], Found, Partial<Verdict>])[] = [
  ['written once and there', 'once', [R], '1', {}],
  ['written once, no answer, gone', 'once', [U], null, {}],
  ['written once, no answer, there', 'once', [U], '1', {}],
  ['acknowledged and gone', 'once', [A], null, { lost: 1 }],
  ['replicated and gone', 'once', [R], null, { lost: 1, lostReplicated: 1 }],
  ['a value that nobody wrote', 'once', [R], '7', { wrong: 1 }],
  ['the last value', 'counter', [R, R, R], '3', {}],
  ['the one after an acknowledged one, without an answer', 'counter', [R, R, U], '3', {}],
  ['the acknowledged one before one without an answer', 'counter', [R, R, U], '2', {}],
  ['behind an acknowledged one', 'counter', [R, R, A], '2', { stale: 1 }],
  ['behind a replicated one', 'counter', [R, R, A], '1', { stale: 1, staleReplicated: 1 }],
  ['gone altogether', 'counter', [R], null, { stale: 1, staleReplicated: 1 }],
  ['from the future', 'counter', [R], '2', { wrong: 1 }],
  ['no number', 'counter', [R], 'x', { wrong: 1 }],
  ['all in order', 'list', [R, R, R], ['1', '2', '3'], {}],
  ['the last without an answer, not there', 'list', [R, R, U], ['1', '2'], {}],
  ['one twice', 'list', [R, R], ['1', '2', '2'], { duplicates: 1 }],
  ['one in the middle gone', 'list', [R, A, R], ['1', '3'], { lost: 1 }],
  ['a replicated one gone', 'list', [R, R], ['1'], { lost: 1, lostReplicated: 1 }],
  ['out of order', 'list', [R, R], ['2', '1'], { wrong: 1 }],
  ['no list at all', 'list', [R], null, { lost: 1, lostReplicated: 1 }],
  ['an element that nobody appended', 'list', [R], ['1', '9'], { wrong: 1 }],
];

const FINE = { lost: 0, lostReplicated: 0, stale: 0, staleReplicated: 0, wrong: 0, duplicates: 0 };

describe('the verdict', () => {
  test.each(CASES)('%s', (_, kind, outcomes, found, faults) => {
    const { examples, keys, ...counts } = judge([{ written: { key: 'k', kind, outcomes: [...outcomes] }, found }]);
    expect({ keys, ...counts }).toEqual({ keys: 1, ...FINE, ...faults });
    const atFault = counts.lost + counts.stale + counts.wrong > 0;
    expect(examples).toHaveLength(atFault ? 1 : 0);
  });

  test('adds up over keys, and shows some', () => {
    const gone = Array.from({ length: 30 }, (_, n) => ({
      written: { key: `once:${n}`, kind: 'once' as const, outcomes: [R] },
      found: null,
    }));
    const verdict = judge(gone);
    expect(verdict).toMatchObject({ keys: 30, lost: 30, lostReplicated: 30 });
    expect(verdict.examples).toHaveLength(10);
    expect(verdict.examples[0]).toBe('once:0: last write 1 replicated, found null');
  });
});
