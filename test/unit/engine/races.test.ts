import { expect, test } from '@jest/globals';
import { AppError } from '../../../pkg/errors.ts';
import { isLostRace, untilWon } from '../../../pkg/engine/races.ts';

/** Fails with these codes, one after the other, and then succeeds. */
function failing(...codes: readonly string[]): {
  readonly attempt: () => Promise<string>;
  readonly tries: () => number;
} {
  let tries = 0;
  const attempt = (): Promise<string> => {
    const code = codes[tries++];
    return code === undefined ? Promise.resolve('won') : Promise.reject(new AppError(code, { code }));
  };
  return { attempt, tries: () => tries };
}

test('a write that loses is tried again from the start', async () => {
  const { attempt, tries } = failing('conflict', 'already-exists');
  expect([await untilWon(3, attempt), tries()]).toEqual(['won', 3]);
});

test('others that keep writing, and what is no lost race, end it', async () => {
  const often = failing('conflict', 'conflict', 'conflict');
  await expect(untilWon(2, often.attempt)).rejects.toMatchObject({ code: 'conflict' });
  const forbidden = failing('forbidden');
  await expect(untilWon(9, forbidden.attempt)).rejects.toMatchObject({ code: 'forbidden' });
  expect([often.tries(), forbidden.tries()]).toEqual([2, 1]);
});

test('what counts as lost may be said', async () => {
  const lost = new Set(['not-found']);
  expect(await untilWon(2, failing('not-found').attempt, lost)).toBe('won');
  expect([isLostRace(new Error('conflict')), isLostRace(new AppError('', { code: 'not-found' }), lost)]).toEqual([
    false,
    true,
  ]);
});
