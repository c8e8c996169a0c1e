/** What ends a wait for pods: what happens while it lasts, not what was said before (C12). */
import { expect, test } from '@jest/globals';
import type { Clock, KubePort, PodTrouble } from '../../../pkg/engine/ports.ts';
import { systemClock } from '../../../pkg/engine/clock.ts';
import { waitPods } from '../../../pkg/engine/steps/wait-pods.ts';
import { AppError } from '../../../pkg/errors.ts';
import { healthyObservation } from '../../support/observation.ts';

const [POD] = healthyObservation().kube.pods;
const NAME = 'redis-1-0';

interface World {
  /** What the cluster says of the pod at that time, in seconds after the wait began. */
  readonly trouble: (second: number) => PodTrouble | null;
  /** When the pod is there and ready; null = never. */
  readonly readyAt: number | null;
  /** It is there, and fails. */
  readonly failing?: boolean;
}

function refusedAt(mark: string): PodTrouble {
  return {
    pod: NAME,
    code: 'rejected',
    sentence: 'the API server refuses the pod: exceeded quota',
    evidence: [],
    fatal: true,
    mark,
  };
}

function crashed(restarts: number): PodTrouble {
  const sentence = `container redis ends with exit code 1, restarted ${restarts} times`;
  return { pod: NAME, code: 'crash-loop', sentence, evidence: [], fatal: true, mark: String(restarts) };
}

/** Waits on a clock that only its sleeps move. @returns the second at which it ended, how, and what was touched */
async function wait({ trouble, readyAt, failing = false }: World, timeoutMs = 60_000) {
  if (POD === undefined) throw new Error('no pod');
  const pod = POD;
  let now = 0;
  let changed = (): void => undefined;
  const touched: string[] = [];
  const isReady = (): boolean => readyAt !== null && now >= readyAt * 1000;
  const asked = async (): Promise<PodTrouble | null> => trouble(now / 1000);
  const kube = {
    watchPods: (_: string, onChange: (pods: readonly unknown[]) => void) => {
      const bad = { ...pod, ready: false, container: { ...pod.container, restarts: 5, state: 'waiting' as const } };
      changed = () => onChange(isReady() ? [pod] : failing ? [bad] : []);
      changed();
      return new Promise<void>(() => undefined);
    },
    whyNoPod: asked,
    whyNotReady: asked,
    get: async (apiVersion: string, kind: string, name: string) => ({ apiVersion, kind, metadata: { name } }),
    replace: async (object: { readonly metadata: { readonly name: string } }) => {
      touched.push(object.metadata.name);
      return object;
    },
  } as unknown as KubePort;
  const clock = {
    now: () => now,
    monotonic: () => now,
    sleep: async (ms: number) => {
      now += ms;
      changed();
      await Promise.resolve();
    },
  };
  const deps = {
    kube,
    clock,
    report: () => undefined,
    signal: new AbortController().signal,
    timeoutMs,
    answers: async () => false,
    selector: 'a=b',
    resume: 'kubectl redis create redis',
  };
  const error: unknown = await waitPods(deps, [NAME]).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error !== null && !(error instanceof AppError)) throw error;
  return {
    second: now / 1000,
    code: error?.code ?? 'ready',
    why: (error?.cause as Error | undefined)?.message ?? '',
    touched,
  };
}

test('C12: a refusal from before the wait does not end it, and the controller is asked to try again', async () => {
  const mended = await wait({ trouble: () => refusedAt('18:21:40'), readyAt: 20 });
  expect(mended).toMatchObject({ code: 'ready', touched: ['redis-1'] });
  expect(mended.second).toBeGreaterThanOrEqual(20);
});

test('C12: one that is said again during the wait ends it', async () => {
  const again = await wait({ trouble: (second) => refusedAt(second < 10 ? '18:21:40' : '18:23:05'), readyAt: null });
  expect(again.code).toBe('pod-rejected');
  expect(again.second).toBeGreaterThanOrEqual(10);
  expect(again.second).toBeLessThan(20);
});

test('C12: when the time is up, an old refusal is told as what it is', async () => {
  const late = await wait({ trouble: () => refusedAt('18:21:40'), readyAt: null }, 30_000);
  expect(late).toMatchObject({
    code: 'pods-timeout',
    why: 'redis-1-0: the API server refuses the pod: exceeded quota (before this wait; not tried again since)',
  });
});

test('C12: a pod that had crashed often before the wait may come back', async () => {
  expect(await wait({ trouble: () => crashed(5), readyAt: 30, failing: true })).toMatchObject({
    code: 'ready',
    touched: [],
  });
  const again = await wait({ trouble: (second) => crashed(second < 10 ? 5 : 6), readyAt: null, failing: true });
  expect(again.code).toBe('pod-crash-loop');
});

test('what first happens during the wait ends it as soon as it was seen twice', async () => {
  const trouble = (second: number): PodTrouble | null => (second < 1 ? null : refusedAt('18:21:40'));
  expect(await wait({ trouble, readyAt: null })).toMatchObject({ code: 'pod-rejected', second: 5, touched: [] });
});

test('what is so now needs no mark: it ends the wait whenever it began', async () => {
  const now: PodTrouble = { pod: NAME, code: 'container-config', sentence: 'no Secret', evidence: [], fatal: true };
  expect(await wait({ trouble: () => now, readyAt: null })).toMatchObject({ code: 'pod-container-config', second: 5 });
});

test.each([
  ['before the first list is answered', false, false],
  ['while a pod is looked at', true, false],
  ['between two looks', true, true],
])('Ctrl-C ends it at once, %s', async (_, isListed, isBetween) => {
  const interrupt = new AbortController();
  const never = async (): Promise<never> => new Promise(() => undefined);
  const kube = {
    // As the real one: it ends without a word when it is stopped.
    watchPods: async (__: string, onChange: (pods: readonly unknown[]) => void, signal: AbortSignal) => {
      if (isListed) onChange([]);
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    },
    whyNoPod: isBetween ? async () => null : never,
    whyNotReady: never,
  } as unknown as KubePort;
  const quick = { now: () => 0, monotonic: () => 0, sleep: async () => undefined };
  let begin = (): void => undefined;
  const sleeps = new Promise<void>((resolve) => (begin = resolve));
  const sleep: Clock['sleep'] = (ms, signal) => {
    begin();
    return systemClock.sleep(ms, signal);
  };
  const clock = isBetween ? { ...systemClock, sleep } : quick;
  const waited = waitPods(
    {
      kube,
      clock,
      report: () => undefined,
      signal: interrupt.signal,
      timeoutMs: 60_000,
      answers: async () => false,
      selector: 'a=b',
      resume: 'kubectl redis create redis',
    },
    [NAME],
  );
  if (isBetween) await sleeps;
  interrupt.abort(new Error('interrupted'));
  await expect(waited).rejects.toMatchObject({ code: 'interrupted', exitCode: 130 });
});
