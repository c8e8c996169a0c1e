/** Whatever ends a verb in the middle, its error names the command that goes on. */
import { describe, expect, test } from '@jest/globals';
import { operate, withResume } from '../../../cmd/operate.ts';
import { AppError, EXIT, refusal } from '../../../pkg/errors.ts';

const RESUME = 'kubectl redis restart redis -n shop';
const away = (hint?: string): AppError =>
  new AppError('cannot reach the API server', {
    code: 'server-unreachable',
    cause: 'no answer',
    ...(hint === undefined ? {} : { hint }),
  });

describe('an error in the middle of an operation', () => {
  test.each<[string, AppError, string]>([
    [
      'says after its own hint how to go on',
      away('Check that the cluster runs.'),
      `Check that the cluster runs. Then ${RESUME} goes on from here`,
    ],
    ['says it where it had no hint', away(), `${RESUME} goes on from here`],
    ['says it once', away('Run the same command again'), 'Run the same command again'],
    ['says it once, in other words', away('X goes on from here'), 'X goes on from here'],
    ['says nothing of a refusal, which names what is first', refusal('no', 'not so', 'do this'), 'do this'],
  ])('%s', (_, error, hint) => {
    const { code, cause, exitCode, message, stack } = error;
    expect(withResume(error, RESUME)).toMatchObject({ hint, code, exitCode, message });
    const { cause: why, stack: at } = withResume(error, RESUME) as AppError;
    expect([why, at]).toEqual([cause, stack]);
  });

  test('a bug of ours stays what it is', () => {
    const bug = new TypeError('undefined');
    expect(withResume(bug, RESUME)).toBe(bug);
  });

  test('in every verb: they all run by operate', async () => {
    const terminal = { say: () => undefined, live: false, size: () => null };
    const deps = { terminal, clock: { monotonic: () => 0 }, signal: new AbortController().signal };
    const run = operate(deps as never, { colour: false, resume: RESUME }, () => Promise.reject(away()));
    await expect(run).rejects.toMatchObject({ exitCode: EXIT.failed, hint: expect.stringContaining(RESUME) });
  });
});
