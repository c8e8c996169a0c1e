import { describe, expect, test } from '@jest/globals';
import type { Observation } from '../../../pkg/cluster/model/observation.ts';
import type { ObservePorts } from '../../../pkg/engine/observe.ts';
import type { Progress } from '../../../pkg/engine/report.ts';
import { awaitConvergence } from '../../../pkg/engine/steps/await-convergence.ts';
import { changeAnswer, changeReply, changed } from '../../support/observation-changes.ts';
import { linkDown, replicaLinkDown } from '../../support/observation-faults.ts';
import { healthyObservation } from '../../support/observation.ts';

const WHOLE = healthyObservation();
const [FIRST, SECOND] = WHOLE.kube.pods.map(({ name }) => name);
if (FIRST === undefined || SECOND === undefined) throw new Error('no pods');
const DISAGREED = changed(WHOLE, linkDown(SECOND, FIRST));

/** A cluster that looks so from these times on, by a clock that moves when somebody sleeps. */
async function waitOn(
  looks: readonly (readonly [fromMs: number, seen: Observation | ((now: number) => Observation)])[],
): Promise<{ now: number; said: Progress[] }> {
  const at = { now: 0, said: [] as Progress[] };
  const ports = {
    kube: { logTail: () => Promise.resolve([]), readFacts: () => Promise.resolve(WHOLE.kube) },
    redis: {
      ask: ({ name }: { readonly name: string }) => {
        const [, seen] = looks.findLast(([from]) => at.now >= from) ?? [0, WHOLE];
        const now = typeof seen === 'function' ? seen(at.now) : seen;
        return Promise.resolve(now.replies.find(({ pod }) => pod === name)?.reply);
      },
      run: () => Promise.resolve([]),
    },
    clock: { now: () => at.now, monotonic: () => at.now, sleep: async (ms: number) => void (at.now += ms) },
  } as unknown as ObservePorts;
  const report = (progress: Progress): void => void at.said.push(progress);
  await awaitConvergence(ports, WHOLE, { report, signal: new AbortController().signal, stillMs: 120_000 });
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
    expect(now).toBeGreaterThanOrEqual(500);
    expect(now).toBeLessThan(600);
    expect([said]).toEqual([[{ kind: 'agreeing', sentence: expect.stringMatching(/^6 of 6 nodes answer, /) }]]);
  });

  test('never: an error that says what is missing', async () => {
    await expect(waitOn([[0, DISAGREED]])).rejects.toMatchObject({ code: 'no-convergence' });
  });

  test('a replica that copies for ten minutes is waited for, for as long as that gets on (C1)', async () => {
    const copying = (now: number): Observation =>
      changed(
        WHOLE,
        replicaLinkDown('redis-6-0'),
        changeAnswer('redis-6-0', (answer) => ({
          ...answer,
          info: { ...answer.info, syncInProgress: true, copied: Math.floor(now / 50_000) },
        })),
      );
    const { now, said } = await waitOn([
      [0, copying],
      [600_000, WHOLE],
    ]);
    expect(now).toBeLessThan(601_000);
    expect(said).toEqual([
      { kind: 'agreeing', sentence: expect.stringMatching(/5 have their link, 1 copies its data$/) },
    ]);
    await expect(waitOn([[0, () => copying(0)]])).rejects.toThrow('got no further for 120 s');
    // One that fails and begins again, for ever.
    const again = Array.from({ length: 60 }, (_, n): [number, Observation] => [n * 10_000, copying((n % 4) * 50_000)]);
    await expect(waitOn(again)).rejects.toThrow('got no further for 120 s');
  });

  test('a node that loads is waited for while its percentage grows (C1)', async () => {
    const loading = (now: number): Observation =>
      changed(
        WHOLE,
        changeReply('redis-6-0', () => ({
          kind: 'unreachable',
          why: 'loading',
          detail: `It is loading its data: ${Math.floor(now / 10_000)} % done`,
        })),
      );
    const { now } = await waitOn([
      [0, loading],
      [300_000, WHOLE],
    ]);
    expect(now).toBeLessThan(301_000);
  });
});
