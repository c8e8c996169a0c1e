/** A pod that may not go yet may have another role when it may. */
import { expect, test } from '@jest/globals';
import { restartPod, type RestartPodDeps } from '../../../pkg/engine/steps/restart-pod.ts';
import { AppError } from '../../../pkg/errors.ts';
import { healthyObservation, nodeIdOf } from '../../support/observation.ts';

const observation = healthyObservation();
const POD = 'redis-4-0';

/** The budget says no `refusals` times; the node gives these roles, one each time it is asked. null = it does not answer. */
function world(refusals: number, roles: readonly (string | null)[]) {
  let asked = 0;
  let tries = 0;
  let now = 0;
  const deps = {
    observation,
    signal: new AbortController().signal,
    clock: {
      now: () => now,
      monotonic: () => now,
      sleep: async (ms: number) => {
        now += ms;
      },
    },
    report: () => undefined,
    timeoutMs: 10_000,
    resume: 'kubectl redis restart redis',
    kube: {
      evict: async () => (tries++ < refusals ? { kind: 'not-now', why: 'a budget' } : { kind: 'gone' }),
      watchPods: () => Promise.reject(new AppError('evicted', { code: 'evicted' })),
      whyNoPod: async () => null,
      whyNotReady: async () => null,
    },
    redis: {
      run: async (_: unknown, [command]: readonly (readonly [string])[]) => {
        const [name] = command ?? [];
        if (name === 'CLUSTER') return [nodeIdOf(4)];
        const role = roles[Math.min(asked++, roles.length - 1)] ?? null;
        if (role === null) throw new AppError('silent', { code: 'timeout' });
        return [`# Replication\r\nrole:${role}\r\n`];
      },
    },
  } as unknown as RestartPodDeps;
  const uid = observation.kube.pods.find(({ name }) => name === POD)?.uid ?? '';
  const step = {
    kind: 'restart-pod',
    pod: POD,
    podUid: uid,
    node: { nodeId: nodeIdOf(4), pod: POD },
    reason: '',
  } as const;
  return { run: () => restartPod(deps, step), tries: () => tries };
}

test.each([
  ['it is what it was', 2, ['slave'], 'evicted', 3],
  ['it leads by now', 2, ['slave', 'slave', 'master'], 'role-changed', 2],
  ['it follows by now', 1, ['master', 'slave'], 'role-changed', 1],
  ['it can not be asked, before or now', 2, ['slave', null, 'slave'], 'evicted', 3],
  ['it may go at once', 0, ['slave', 'master'], 'evicted', 1],
] as const)('%s', async (_, refusals, roles, code, tries) => {
  const { run, tries: tried } = world(refusals, roles);
  await expect(run()).rejects.toMatchObject({ code });
  expect(tried()).toBe(tries);
});
