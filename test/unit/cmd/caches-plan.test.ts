/** What the plan of a move says of servers that evict keys when they are full. */
import { describe, expect, test } from '@jest/globals';
import { rebalancePlanLines } from '../../../cmd/view/rebalance-plan.ts';
import { systemClock } from '../../../pkg/engine/clock.ts';
import type { ObservePorts } from '../../../pkg/engine/observe.ts';
import type { KubePort, RedisPort } from '../../../pkg/engine/ports.ts';
import { prepareRebalance } from '../../../pkg/engine/rebalance.ts';
import { worldOf } from '../../support/scale-world.ts';

const LIMITS = { maxPauseMs: 20, maxBandwidth: null };

describe('the plan of rebalance to caches', () => {
  /** Redis that moves slots by itself, each key of the size. */
  const cachePorts = (keyBytes: number): ObservePorts => {
    const world = worldOf({ replicas: 0 });
    const replies = world.observation.replies.map((one) => {
      if (one.reply.kind !== 'answered') return one;
      const { answer } = one.reply;
      const info = { ...answer.info, maxMemoryPolicy: 'allkeys-lru', usedMemoryBytes: 4_000_000 };
      return { ...one, reply: { ...one.reply, answer: { ...answer, info } } };
    });
    const observation = { ...world.observation, replies };
    const run: RedisPort['run'] = (_, commands) =>
      Promise.resolve(
        commands.map(([verb, sub, slot]) => {
          if (verb === 'INFO') return 'db0:keys=1,expires=0';
          if (verb === 'MEMORY') return keyBytes;
          const has = Number(slot) % 1000 === 0;
          return sub === 'COUNTKEYSINSLOT' ? Number(has) : has ? [`key of ${slot}`] : [];
        }),
      );
    const ask: RedisPort['ask'] = (pod) => {
      const found = replies.find((one) => one.pod === pod.name);
      return found === undefined ? Promise.reject(new Error(pod.name)) : Promise.resolve(found.reply);
    };
    const kube: Partial<KubePort> = {
      readFacts: () => Promise.resolve(observation.kube),
      get: () => Promise.resolve(null),
    };
    const redis: Partial<RedisPort> = { ask, run };
    return { kube: kube as KubePort, redis: redis as RedisPort, clock: systemClock };
  };
  const isThere = (): Promise<void> => Promise.resolve();
  const input = {
    cluster: { namespace: 'default', name: 'redis' },
    by: 'slots',
    weights: ['1=2'],
    thresholdPercent: 2,
    signal: new AbortController().signal,
    isThere,
  } as const;

  test('says what the slots hold that move, and what is done about eviction', async () => {
    const prepared = await prepareRebalance(cachePorts(150_000), input);
    expect(prepared.moves.map(({ keys, bytes }) => [keys, bytes])).toEqual([
      [1, 150_000],
      [1, 150_000],
    ]);
    const said = rebalancePlanLines(prepared, LIMITS, { width: null, colour: false }).join('\n');
    expect(said).toContain('about 293Ki');
    expect(said).toContain('redis-1-0, redis-2-0 and redis-3-0 would evict keys (allkeys-lru)');
    expect(said).not.toContain('by themselves');
  });

  test('is refused where they have no room for it', async () => {
    await expect(prepareRebalance(cachePorts(60_000_000), input)).rejects.toMatchObject({
      code: 'too-little-memory',
      message: expect.stringContaining('(120 MB would come)') as unknown,
    });
  });
});
