import { describe, expect, test } from '@jest/globals';
import { keepRounds } from '../../../webhook/rounds.ts';
import { readSettings, serverNames } from '../../../webhook/settings.ts';

const shownAs = (cert: string) => ({ leaf: { cert, key: 'k' }, bundle: 'b' });

test('shows what is new, goes on after a failure sooner, and ends with the signal', async () => {
  const rounds = [shownAs('a'), shownAs('a'), new Error('away'), shownAs('b')];
  const stop = new AbortController();
  const waits: number[] = [];
  const shown: string[] = [];
  const outcomes: (string | null)[] = [];
  await keepRounds({
    keep: async () => {
      const next = rounds.shift();
      if (rounds.length === 0) stop.abort();
      if (next === undefined || next instanceof Error) throw next ?? new Error('asked too often');
      return next;
    },
    clock: { now: () => 0, monotonic: () => 0, sleep: async (ms) => void waits.push(ms) },
    show: async ({ leaf }) => void shown.push(leaf.cert),
    onRound: (failure) => void outcomes.push(failure),
    signal: stop.signal,
  });
  expect(shown).toEqual(['a', 'b']);
  expect(outcomes).toEqual([null, null, 'away', null]);
  expect(waits).toEqual([60_000, 60_000, 5_000, 60_000]);
});

describe('settings', () => {
  test('have defaults', () => {
    const settings = readSettings({ PORT: '' });
    expect(settings).toMatchObject({
      namespace: 'kubectl-redis-system',
      port: 8443,
      healthPort: 8080,
      ownCertificates: true,
    });
    expect(serverNames(settings)[0]).toBe('kubectl-redis-webhook.kubectl-redis-system.svc');
  });

  test.each([
    [{ PORT: '0' }, /PORT/],
    [{ HEALTH_PORT: 'x' }, /HEALTH_PORT/],
    [{ LOG_LEVEL: 'loud' }, /LOG_LEVEL/],
  ])('%j can not be meant', (env, message) => {
    expect(() => readSettings(env)).toThrow(message);
  });
});
