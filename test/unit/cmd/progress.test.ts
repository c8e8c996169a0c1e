/** Progress without a terminal: a wait of minutes must not look like a hang. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createProgress, type ProgressLine } from '../../../cmd/progress.ts';
import type { Batch } from '../../../pkg/cluster/model/plan.ts';

const BATCH: Batch = { title: 'restart redis-1-0', steps: [] };

describe('a batch that says nothing', () => {
  let said: string[] = [];
  let progress: ProgressLine;

  beforeEach(() => {
    jest.useFakeTimers();
    said = [];
    start(false);
  });
  afterEach(() => void jest.useRealTimers());

  function start(live: boolean): void {
    progress = createProgress({ say: (text) => said.push(text.trimEnd()), live, width: 120, colour: false });
    progress.report({ kind: 'batch', batch: BATCH });
  }

  test('tells what it is at, ever more seldom', () => {
    jest.advanceTimersByTime(19_999);
    expect(said).toEqual([]);
    progress.report({ kind: 'agreeing', sentence: '5 of 6 nodes agree' });
    jest.advanceTimersByTime(150_000);
    expect(said).toEqual([
      '  still at it after 20 s: restart redis-1-0: 5 of 6 nodes agree',
      '  still at it after 60 s: restart redis-1-0: 5 of 6 nodes agree',
      '  still at it after 140 s: restart redis-1-0: 5 of 6 nodes agree',
    ]);
    jest.advanceTimersByTime(3_600_000);
    expect(said.length).toBeLessThan(20);
  });

  test('anything else that was said counts', () => {
    jest.advanceTimersByTime(15_000);
    progress.report({ kind: 'pods', ready: 5, total: 6, troubles: [] });
    jest.advanceTimersByTime(15_000);
    expect(said).toEqual(['  5 of 6 pods ready']);
    jest.advanceTimersByTime(5_000);
    expect(said[1]).toBe('  still at it after 35 s: restart redis-1-0: 5 of 6 pods ready');
  });

  test.each([
    ['it is over', (): void => progress.report({ kind: 'batch-done', batch: BATCH, elapsedMs: 1000 })],
    ['a question is asked, or it failed', (): void => progress.end()],
  ])('no more when %s', (_, over) => {
    over();
    const before = said.length;
    jest.advanceTimersByTime(600_000);
    expect(said.length).toBe(before);
  });

  test('nor on a terminal, where the line stands there', () => {
    progress.end();
    start(true);
    const before = said.length;
    jest.advanceTimersByTime(15_000);
    progress.report({ kind: 'batch-done', batch: BATCH, elapsedMs: 1 });
    jest.advanceTimersByTime(600_000);
    expect(said.slice(before).join('')).not.toContain('still at it');
  });
});
