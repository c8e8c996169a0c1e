import { describe, expect, test } from '@jest/globals';
import type { Observation } from '../../../pkg/cluster/model/observation.ts';
import type { ObservePorts } from '../../../pkg/engine/observe.ts';
import type { Progress } from '../../../pkg/engine/report.ts';
import { awaitConvergence } from '../../../pkg/engine/steps/await-convergence.ts';
import { changed } from '../../support/observation-changes.ts';
import { linkDown } from '../../support/observation-faults.ts';
import { healthyObservation } from '../../support/observation.ts';

const WHOLE = healthyObservation();
const [FIRST, SECOND] = WHOLE.kube.pods.map(({ name }) => name);
if (FIRST === undefined || SECOND === undefined) throw new Error('no pods');
const DISAGREED = changed(WHOLE, linkDown(SECOND, FIRST));

/** A cluster that looks so from these times on, by a clock that moves when somebody sleeps. */
async function waitOn(
  looks: readonly (readonly [fromMs: number, seen: Observation])[],
): Promise<{ now: number; said: Progress[] }> {
  const at = { now: 0, said: [] as Progress[] };
  const ports = {
    kube: { logTail: () => Promise.resolve([]) },
    redis: {
      ask: ({ name }: { readonly name: string }) => {
        const [, seen] = looks.findLast(([from]) => at.now >= from) ?? [0, WHOLE];
        return Promise.resolve(seen.replies.find(({ pod }) => pod === name)?.reply);
      },
      run: () => Promise.resolve([]),
    },
    clock: { now: () => at.now, monotonic: () => at.now, sleep: async (ms: number) => void (at.now += ms) },
  } as unknown as ObservePorts;
  await awaitConvergence(ports, WHOLE, (progress) => void at.said.push(progress), new AbortController().signal);
  return at;
}

describe('waiting until all nodes agree', () => {
  test('who agrees already does not wait', async () => {
    expect(await waitOn([[0, WHOLE]])).toEqual({ now: 0, said: [] });
  });

  test('until they do, with a sentence of how far they are', async () => {
    const { now, said } = await waitOn([
      [0, DISAGREED],
      [500, WHOLE],
    ]);
    expect([now, said]).toEqual([
      500,
      [{ kind: 'agreeing', sentence: expect.stringMatching(/^6 of 6 nodes answer, /) }],
    ]);
  });

  test('never: an error that says what is missing', async () => {
    await expect(waitOn([[0, DISAGREED]])).rejects.toMatchObject({ code: 'no-convergence' });
  });
});
