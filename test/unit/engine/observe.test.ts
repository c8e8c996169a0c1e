import { describe, expect, test } from '@jest/globals';
import type { Observation } from '../../../pkg/cluster/model/observation.ts';
import { observe } from '../../../pkg/engine/observe.ts';
import type { ReadPorts } from '../../../pkg/engine/observe.ts';
import { movingClock } from '../../support/fake-clock.ts';
import { OBSERVED_AT, healthyObservation } from '../../support/observation.ts';

/** Ports that say what an observation says, and write down what happens in which order. */
function portsOf(seen: Observation, tellsPods: boolean, fails: Error | null = null): [ReadPorts, string[]] {
  const log: string[] = [];
  const replies = new Map(seen.replies.map(({ pod, reply }) => [pod, reply]));
  const ports: ReadPorts = {
    kube: {
      readFacts: async (_cluster, _signal, options) => {
        if (tellsPods) options?.onPods?.(seen.kube.pods);
        await new Promise(setImmediate);
        log.push('facts');
        if (fails !== null) throw fails;
        return seen.kube;
      },
      logTail: () => Promise.resolve([]),
    },
    redis: {
      ask: (pod) => {
        log.push(pod.name);
        return Promise.resolve(replies.get(pod.name) ?? { kind: 'unreachable', why: 'no-pod', detail: '' });
      },
    },
    clock: movingClock(Date.parse(OBSERVED_AT)),
  };
  return [ports, log];
}

describe('nodes are asked once', () => {
  const seen = healthyObservation();
  const names = seen.kube.pods.map(({ name }) => name);

  test('while Kubernetes still tells the rest', async () => {
    const [ports, log] = portsOf(seen, true);
    expect(await observe(ports, seen.cluster, { deadlineMs: 100 })).toEqual(seen);
    expect(log).toEqual([...names, 'facts']);
  });

  test('afterwards, by a port that tells the pods only at the end', async () => {
    const [ports, log] = portsOf(seen, false);
    expect(await observe(ports, seen.cluster, { deadlineMs: 100 })).toEqual(seen);
    expect(log).toEqual(['facts', ...names]);
  });
});

test('Kubernetes that fails after it told the pods', async () => {
  const seen = healthyObservation();
  const broken = new Error('gone');
  const [ports] = portsOf(seen, true, broken);
  await expect(observe(ports, seen.cluster, { deadlineMs: 100 })).rejects.toBe(broken);
});
