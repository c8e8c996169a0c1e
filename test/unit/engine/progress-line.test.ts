/** How far an operation is, as `status` on another terminal tells it. */
import { expect, test } from '@jest/globals';
import { progressTeller } from '../../../pkg/engine/progress-line.ts';
import type { Progress } from '../../../pkg/engine/report.ts';

const batch = { title: 'join nodes', steps: [] };

test.each<[string, readonly Progress[], string | null]>([
  ['before the first batch there is only what is waited for', [{ kind: 'trouble', sentence: 'waiting' }], 'waiting'],
  ['a batch', [{ kind: 'batch', batch }], 'join nodes'],
  [
    'and what it waits for',
    [
      { kind: 'batch', batch },
      { kind: 'agreeing', sentence: '5 of 6' },
    ],
    'join nodes: 5 of 6',
  ],
  [
    'its pods',
    [
      { kind: 'batch', batch },
      { kind: 'pods', ready: 1, total: 6, troubles: [] },
    ],
    'join nodes: 1 of 6 pods ready',
  ],
  [
    'its end is no news',
    [
      { kind: 'batch', batch },
      { kind: 'batch-done', batch, elapsedMs: 1 },
    ],
    null,
  ],
])('%s', (_, told, line) => {
  const tell = progressTeller();
  expect(told.map(tell).at(-1)).toBe(line);
});
