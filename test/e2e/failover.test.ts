/** `failover`: the role goes where it was sent, all see it, and nothing that was written is gone. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cli, type Ended } from '../support/cli.ts';
import { describeCore, openClusterEnv, until, type ClusterEnv } from '../support/cluster-env.ts';
import { inRedis, manyInRedis, slotsOf } from '../support/seen-cluster.ts';

const KEYS = Array.from({ length: 100 }, (_, i) => i);

describeCore('failover', () => {
  let env: ClusterEnv;
  beforeAll(async () => {
    env = await openClusterEnv();
    // A host that is busy with others may be slow to answer; create goes on.
    await until(
      () => cli(['create', 'redis', '--storage', '100Mi'], env),
      ({ code }) => code === 0,
      200_000,
    );
    const written = await manyInRedis(
      env.namespace,
      'redis-2-0',
      KEYS.map((i) => ['SET', `key:${i}`, `value:${i}`]),
    );
    expect(written).toEqual(KEYS.map(() => 'OK'));
  }, 240_000);
  afterAll(() => env.close());

  const failover = (...args: readonly string[]): Promise<Ended> => cli(['failover', ...args], env);
  const firstShard = async (): Promise<{ readonly primary: string; readonly replica: string }> => {
    const [shard] = (await slotsOf(env.namespace, 'redis')).shards;
    return { primary: shard?.primary?.pod ?? '', replica: shard?.replicas[0]?.pod ?? '' };
  };
  const expectKeys = async (): Promise<void> => {
    const values = await manyInRedis(
      env.namespace,
      'redis-2-0',
      KEYS.map((i) => ['GET', `key:${i}`]),
    );
    expect(values).toEqual(KEYS.map((i) => `value:${i}`));
  };

  test('of a replica, then of the primary that it became: both times all see it, and every key is there', async () => {
    const before = await firstShard();
    const planned = await failover(before.replica, '--dry-run', '-o', 'json');
    expect(JSON.parse(planned.stdout)).toMatchObject({
      kind: 'FailoverPlan',
      how: 'coordinated',
      from: { pod: before.primary },
      to: { pod: before.replica },
      loses: null,
    });
    const done = await failover(before.replica);
    expect([done.code, done.stdout]).toEqual([
      0,
      expect.stringContaining(`${before.replica} leads in place of ${before.primary}`),
    ]);
    expect(await firstShard()).toEqual({ primary: before.replica, replica: before.primary });
    for (const n of [1, 2, 3, 4, 5, 6]) {
      const view = await inRedis(env.namespace, `redis-${n}-0`, 'CLUSTER', 'NODES');
      expect(view.split('\n').filter((line) => line.endsWith(' 0-5460') && line.includes('master'))).toHaveLength(1);
    }
    const again = await failover(before.primary, '--to', before.replica);
    expect([again.code, again.stdout]).toEqual([0, `${before.replica} leads already. Nothing was changed.\n`]);
    const back = await failover(before.replica);
    expect([back.code, back.stderr]).toEqual([0, expect.any(String)]);
    expect(await firstShard()).toEqual(before);
    await expectKeys();
  }, 120_000);

  test('without the primary, which lives: refused until somebody agrees to what it may lose', async () => {
    const { primary, replica } = await firstShard();
    const refused = await failover(replica, '--force');
    expect([refused.code, refused.stdout]).toEqual([3, '']);
    expect(refused.stderr).toMatch(new RegExp(`failover would lose writes .*${primary} is not dead for certain`));
    expect(await firstShard()).toEqual({ primary, replica });
    expect((await failover(replica, '--force', '--yes')).code).toBe(3);
    const wanted = await until(
      () => failover(replica, '--force', '--accept-data-loss', '0-5460', '--yes'),
      // Voters that have just voted for this shard do not vote again for two node timeouts.
      ({ code }) => code === 0,
      90_000,
    );
    expect(wanted.stdout).toContain(`${replica} leads in place of ${primary}`);
    await until(firstShard, (shard) => shard.primary === replica && shard.replica === primary, 30_000);
    await expectKeys();
  }, 180_000);

  test('of nobody that is there', async () => {
    const { code, stderr } = await failover('redis-77-0');
    expect([code, stderr]).toEqual([3, expect.stringContaining('redis has no node redis-77-0')]);
  }, 60_000);
});
