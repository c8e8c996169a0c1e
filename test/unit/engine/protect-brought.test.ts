import { describe, expect, test } from '@jest/globals';
import { selects } from '../../../pkg/engine/steps/protect-brought.ts';

describe('whether a budget of people is over a pod', () => {
  test.each([
    [undefined, false],
    [{}, true],
    [{ matchLabels: { app: 'a' } }, true],
    [{ matchLabels: { app: 'b' } }, false],
    [{ matchExpressions: [{ key: 'app', operator: 'In', values: ['a'] }] }, true],
    [{ matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['a'] }] }, false],
    [{ matchExpressions: [{ key: 'no', operator: 'NotIn', values: ['a'] }] }, true],
    [{ matchExpressions: [{ key: 'app', operator: 'Exists' }] }, true],
    [{ matchLabels: { app: 'a' }, matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] }, false],
  ])('selector %j: %s', (selector, expected) => {
    expect(selects(selector, { app: 'a' })).toBe(expected);
  });
});
