/** What `failover` and `restart` show: the plan as text and as a document. */
import { describe, expect, test } from '@jest/globals';
import { failoverPlanOf } from '../../../cmd/document/failover-plan.ts';
import { restartPlanOf } from '../../../cmd/document/restart-plan.ts';
import { withWayBack } from '../../../cmd/restart/way-back.ts';
import { failoverPlanLines } from '../../../cmd/view/failover-plan.ts';
import { restartPlanLines } from '../../../cmd/view/restart-plan.ts';
import type { Observation } from '../../../pkg/cluster/model/observation.ts';
import { AppError } from '../../../pkg/errors.ts';
import { prepareFailover, type PreparedFailover } from '../../../pkg/engine/failover.ts';
import type { KubePort, RedisPort } from '../../../pkg/engine/ports.ts';
import { prepareRestart, type PreparedRestart } from '../../../pkg/engine/restart.ts';
import { movingClock } from '../../support/fake-clock.ts';
import { expectSchema } from '../../support/expect-schema.ts';
import { restartWorld } from '../../support/restart-world.ts';

const NOW = Date.parse('2026-11-23T12:00:00.000Z');
const CLUSTER = { namespace: 'default', name: 'redis' };
const signal = new AbortController().signal;
const look = { width: 100, colour: false };

function portsOf({ kube, replies }: Observation): Parameters<typeof prepareRestart>[0] {
  const ask: RedisPort['ask'] = (pod) => {
    const found = replies.find((one) => one.pod === pod.name)?.reply;
    return found === undefined ? Promise.reject(new Error(pod.name)) : Promise.resolve(found);
  };
  return {
    kube: { readFacts: () => Promise.resolve(kube) } as Partial<KubePort> as KubePort,
    redis: { ask } as Partial<RedisPort> as RedisPort,
    clock: movingClock(NOW),
  };
}

describe('C20: a restart whose first pod does not come back', () => {
  const failed = new AppError('0 of 1 pods were ready after 30 s', {
    code: 'pods-timeout',
    cause: new Error('redis-4-0: image redis:nope can not be had'),
    hint: 'kubectl redis restart redis --image redis:nope -n default goes on from here; --timeout gives it more time',
  });
  const prepare = (image: string | null): Promise<PreparedRestart> =>
    prepareRestart(portsOf(restartWorld()), {
      cluster: CLUSTER,
      image,
      config: {},
      pods: [],
      tell: () => undefined,
      signal,
    });

  test('names the command that goes back, and what it goes back to', async () => {
    const prepared = await prepare('redis:nope');
    const running = prepared.seen.observation.kube.pods[0]?.container.image;
    const error = withWayBack(failed, prepared) as AppError;
    expect([error.message, error.code, error.cause]).toEqual([failed.message, 'pods-timeout', failed.cause]);
    expect(error.hint).toBe(
      `kubectl redis restart redis --image ${running} -n default goes back to the image that the other pods run. To stay with redis:nope: kubectl redis restart redis --image redis:nope -n default goes on from here; --timeout gives it more time`,
    );
  });

  test('is left as it is where no other image is asked for, or no pod failed', async () => {
    expect(withWayBack(failed, await prepare(null))).toBe(failed);
    const lease = new AppError('the lease was lost', { code: 'lease-lost' });
    expect(withWayBack(lease, await prepare('redis:nope'))).toBe(lease);
  });
});

describe('failover', () => {
  const prepare = (
    who: string,
    to: string | null = null,
    how: 'coordinated' | 'force' = 'coordinated',
  ): Promise<PreparedFailover> =>
    prepareFailover(portsOf(restartWorld()), { cluster: CLUSTER, wish: { who, to, how }, signal });

  test('as text: who, from whom, how, and that nothing is lost', async () => {
    const prepared = await prepare('redis-1-0');
    expect(failoverPlanLines(prepared, look).join('\n')).toBe(`\
redis-4-0 takes over from redis-1-0 in redis, namespace default

  slots       0-5460 (5461)
  how         the old primary holds its writes until the replica has them all, then follows it
  behind      0 bytes
  place       from host host-1 (zone-1) to host host-2 (zone-2)
  loses       no acknowledged write that the replica has; clients are redirected`);
    expectSchema('failover-plan', failoverPlanOf(prepared));
  });

  test('by force from a primary that lives: what it could lose', async () => {
    const prepared = await prepare('redis-4-0', null, 'force');
    expect(prepared.loss?.sentence).toContain('redis-1-0 is not dead for certain');
    expectSchema('failover-plan', failoverPlanOf(prepared));
  });

  test('nothing to do', async () => {
    const prepared = await prepare('redis-4-0', 'redis-1-0');
    expect(failoverPlanLines(prepared, look)).toEqual(['redis-1-0 of redis leads already: nothing to do']);
    expectSchema('failover-plan', failoverPlanOf(prepared));
  });
});

describe('restart', () => {
  const prepare = (
    change: Partial<Pick<Parameters<typeof prepareRestart>[1], 'image' | 'config' | 'pods'>>,
    shape: Parameters<typeof restartWorld>[0] = {},
  ): Promise<PreparedRestart> =>
    prepareRestart(portsOf(restartWorld(shape)), {
      cluster: CLUSTER,
      image: null,
      config: {},
      pods: [],
      tell: () => undefined,
      signal,
      ...change,
    });

  test('as text: which pods in which order, and what changes', async () => {
    const prepared = await prepare({ image: 'redis:9', config: { databases: '4', 'maxmemory-policy': 'allkeys-lru' } });
    expect(restartPlanLines(prepared, look).join('\n')).toBe(`\
Restart 6 pods of redis in namespace default

  SHARD   IN THIS ORDER          HANDS OVER
  1       redis-4-0, redis-1-0   before redis-1-0 goes
  2       redis-5-0, redis-2-0   before redis-2-0 goes
  3       redis-6-0, redis-3-0   before redis-3-0 goes

  image       redis:9 instead of redis:8
  sets        maxmemory-policy allkeys-lru, on running servers; then recorded
  changes     databases 4, with the restart
  one by one  the next pod goes when the last one is in step, as far as budgets allow
  loses       no key; clients are redirected`);
    expectSchema('restart-plan', restartPlanOf(prepared));
  });

  test('without replicas: what is away', async () => {
    const prepared = await prepare({ pods: ['redis-1'] }, { replicas: 0 });
    expect([prepared.slotsAway, prepared.shards]).toEqual([
      5461,
      [{ name: '1', order: ['redis-1-0'], primary: 'redis-1-0', handsOver: false, slotsAway: 5461 }],
    ]);
    expectSchema('restart-plan', restartPlanOf(prepared));
  });

  test('a directive only: no pod', async () => {
    const prepared = await prepare({ config: { 'maxmemory-policy': 'allkeys-lru' } });
    expect(restartPlanLines(prepared, look)[0]).toBe('Set directives of redis in namespace default');
    expectSchema('restart-plan', restartPlanOf(prepared));
  });

  test.each([
    ['an older image', { image: 'redis:7' }, {}, 'older-image'],
    ['a pod that is not there', { pods: ['redis-9'] }, {}, 'usage'],
    ['an image for a cluster of others', { image: 'redis:9' }, { kind: 'foreign' }, 'foreign-cluster'],
  ] as const)('%s is refused', async (_, change, shape, code) => {
    await expect(prepare(change, shape)).rejects.toMatchObject({ code });
  });
});
