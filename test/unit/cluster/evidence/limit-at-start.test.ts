/** Which memory limit the next start of a server reads, and what a restart then loses: what runs now, set by hand, says nothing of it. */
import { describe, expect, test } from '@jest/globals';
import { limitAtStart } from '../../../../pkg/cluster/evidence/eviction.ts';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { PodFacts } from '../../../../pkg/cluster/model/observation.ts';
import { recordOf } from '../../../../pkg/cluster/model/record.ts';
import type { ClusterSpec } from '../../../../pkg/cluster/model/spec.ts';
import { restartTarget } from '../../../../pkg/cluster/plan/restart-goal.ts';
import { lossOfRestart } from '../../../../pkg/cluster/plan/restart-refuse.ts';
import { roomsOf } from '../../../../pkg/cluster/plan/scale-preflight.ts';
import { asMade } from '../../../support/as-made.ts';
import { changeAnswer, changed } from '../../../support/observation-changes.ts';
import { healthyObservation } from '../../../support/observation.ts';
import { specOf } from '../../../support/spec.ts';

const limited = (annotations: Record<string, string>): Pick<PodFacts, 'annotations' | 'container'> => ({
  annotations,
  container: { name: 'redis', image: 'redis:8', state: 'running', reason: null, restarts: 0, memoryLimitBytes: 1000 },
});
const injected = limited({ 'kubectl-redis.io/injected': '1' });

describe('the limit of the next start', () => {
  test.each<[string, Pick<ClusterSpec, 'config' | 'memory'>, typeof injected | null, number, string]>([
    ['nothing is recorded', { config: {}, memory: null }, null, 0, 'noeviction'],
    ['a limit', { config: { maxmemory: '2mb' }, memory: null }, null, 2 ** 21, 'noeviction'],
    ['a policy', { config: { 'maxmemory-policy': 'allkeys-lru' }, memory: null }, null, 0, 'allkeys-lru'],
    ['memory of the pods', { config: {}, memory: '1000' }, null, 700, 'noeviction'],
    ['memory, and a limit that people gave', { config: { maxmemory: '0' }, memory: '1000' }, null, 0, 'noeviction'],
    [
      'a limit of the container, which nobody tells the server',
      { config: {}, memory: null },
      limited({}),
      0,
      'noeviction',
    ],
    ['a limit of the container that the webhook tells it', { config: {}, memory: null }, injected, 700, 'noeviction'],
  ])('%s', (_, spec, pod, bytes, policy) => {
    expect(limitAtStart(spec, pod)).toEqual({ bytes, policy });
  });
});

/** CONFIG SET maxmemory 1mb on each of them, by hand. */
function lossWith(spec: Partial<ClusterSpec>): string | undefined {
  const used = ['redis-1-0', 'redis-2-0', 'redis-3-0'].map((pod) =>
    changeAnswer(pod, (answer) => ({
      ...answer,
      info: { ...answer.info, usedMemoryBytes: 3_000_000, maxMemoryBytes: 2 ** 20, maxMemoryPolicy: 'noeviction' },
    })),
  );
  const observation = asMade(changed(healthyObservation(), ...used), { ...specOf(), ...spec });
  const recorded = recordOf(observation.kube, observation.cluster).spec;
  const wish = { at: '2036-01-01T00:00:00Z', image: null, config: {}, live: [], pods: null };
  const target = restartTarget(observation.kube, recorded, wish);
  if (target === null) throw new Error('nothing to restart');
  return lossOfRestart({ state: interpret(observation), kube: observation.kube, target, recorded })?.sentence;
}

describe('a restart, while a limit that was set by hand runs', () => {
  test('loses nothing where no limit is recorded, whatever the recorded policy', () => {
    expect(lossWith({ config: { 'maxmemory-policy': 'allkeys-lru' } })).toBeUndefined();
  });

  test('loses what a recorded limit would evict', () => {
    const config = { 'maxmemory-policy': 'allkeys-lru' };
    const says = 'after its start, as recorded, it would evict what is beyond';
    expect(lossWith({ config: { ...config, maxmemory: '2mb' } })).toContain(`${says} 2097152 (allkeys-lru)`);
    expect(lossWith({ config, memory: '2Mi' })).toContain(`${says} 1468006 (allkeys-lru)`);
  });
});

test('a new shard has the room that it starts with, not that of the others', () => {
  const limit = changeAnswer('redis-1-0', (answer) => ({
    ...answer,
    info: { ...answer.info, maxMemoryBytes: 2 ** 20 },
  }));
  const state = interpret(changed(healthyObservation(), limit));
  expect(roomsOf(state, { config: {}, memory: null })('4').maxBytes).toBe(0);
  expect(roomsOf(state, { config: { maxmemory: '1mb' }, memory: null })('4').maxBytes).toBe(2 ** 20);
  expect(roomsOf(state, { config: {}, memory: null })('1').maxBytes).toBe(2 ** 20);
});
