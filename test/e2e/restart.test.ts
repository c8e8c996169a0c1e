/** `restart`: every pod renewed once, by role, cut short and gone on with, while clients write. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { PodFacts } from '../../pkg/cluster/model/observation.ts';
import { cli, IMAGE, startCli } from '../support/cli.ts';
import { describeCluster, describeCore, openClusterEnv, until, type ClusterEnv } from '../support/cluster-env.ts';
import { killCli } from '../support/kill-cli.ts';
import { inRedis, manyInRedis, openInside } from '../support/seen-cluster.ts';
import { openTriedCluster, seconds, type TriedCluster } from '../support/survival/tried-cluster.ts';

interface Writing {
  /** Ends it. @returns keys whose write was acknowledged */
  end(): Promise<readonly string[]>;
}

describeCore('restart', () => {
  let env: ClusterEnv;
  let load: Writing | null = null;
  beforeAll(async () => {
    env = await openClusterEnv();
    // A host that is busy with others may be slow to answer; create goes on.
    await until(
      () => cli(['create', 'redis', '--storage', '100Mi'], env),
      ({ code }) => code === 0,
      200_000,
    );
  }, 240_000);
  afterAll(async () => {
    await load?.end();
    await env.close();
  });

  const pods = async (): Promise<readonly PodFacts[]> =>
    (await env.kube.readFacts({ namespace: env.namespace, name: 'redis' })).pods;
  const uids = async (): Promise<ReadonlyMap<string, string>> =>
    new Map((await pods()).map(({ name, uid }) => [name, uid]));

  /** Writes keys one after the other until it is told to end, and leaves the processor to what is tested in between. */
  function startWriting(): Writing {
    const acknowledged: string[] = [];
    const running = { now: true };
    const inside = openInside(env.namespace);
    const loop = (async (): Promise<void> => {
      for (let n = 0; running.now; n++) {
        const batch = Array.from({ length: 20 }, (_, i) => `load:${n}:${i}`);
        const sets = batch.map((key) => ['SET', key, key] as const);
        const replies = await inside.many('redis-3-0', sets).catch(() => []);
        batch.forEach((key, i) => replies[i] === 'OK' && acknowledged.push(key));
        await delay(20);
      }
    })();
    return {
      end: async () => {
        running.now = false;
        await loop;
        inside.close();
        return acknowledged;
      },
    };
  }

  test('killed in the middle: status shows it, the same command goes on; every pod is new once, no write is lost', async () => {
    const before = await uids();
    load = startWriting();
    const killed = startCli(['restart', 'redis'], env);
    const begun = until(
      () => Promise.resolve(killed.output().stderr),
      (text) => /✓ .* takes over/.test(text),
      120_000,
    );
    await Promise.race([begun, killed.ended]);
    const operation = await cli(['status', 'redis'], env);
    await killCli(killed, env, 'redis');
    expect(operation.stdout).toMatch(/Operation: +restart by /);
    const halfway = await uids();
    const done = await cli(['restart', 'redis'], env);
    expect([done.code, done.stderr]).toEqual([0, expect.stringContaining('was begun and is not finished')]);
    const after = await uids();
    for (const [pod, uid] of before) expect([pod, after.get(pod)]).not.toEqual([pod, uid]);
    for (const [pod, uid] of halfway) if (uid !== before.get(pod)) expect([pod, after.get(pod)]).toEqual([pod, uid]);
    const acknowledged = await load.end();
    expect(acknowledged.length).toBeGreaterThan(20);
    const found = await manyInRedis(
      env.namespace,
      'redis-3-0',
      acknowledged.map((key) => ['GET', key]),
    );
    expect(found.filter((value, i) => value !== acknowledged[i])).toEqual([]);
    const check = await cli(['check', 'redis'], env);
    expect(check.code === 0 ? '' : check.stdout).toBe('');
    expect((await cli(['create', 'redis'], env)).stdout).toContain('Nothing was changed.');
  }, 400_000);

  test('a directive that servers take while they run: set and recorded, no pod goes; one that they refuse is not recorded', async () => {
    const before = await uids();
    const done = await cli(['restart', 'redis', '--config', 'maxmemory-policy=allkeys-lru'], env);
    expect([done.code, done.stdout]).toEqual([
      0,
      expect.stringContaining('1 directive set on every node, no pod restarted'),
    ]);
    expect(await inRedis(env.namespace, 'redis-5-0', 'CONFIG', 'GET', 'maxmemory-policy')).toContain('allkeys-lru');
    const again = await cli(['restart', 'redis', '--config', 'maxmemory-policy=allkeys-lru'], env);
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('Nothing was changed.')]);
    // A host that is busy with others may be slow to answer, and this is refused, too.
    const refused = await until(
      () => cli(['restart', 'redis', '--config', 'maxmemory-policy=whatever'], env),
      ({ stderr }) => !stderr.includes('does not answer'),
      60_000,
    );
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining('does not take maxmemory-policy whatever'),
    ]);
    const config = await env.kube.get('v1', 'ConfigMap', 'redis-config');
    expect((config as { readonly data?: Record<string, string> } | null)?.data?.['redis.conf']).toMatch(
      /^maxmemory-policy allkeys-lru$/m,
    );
    expect(await uids()).toEqual(before);
  }, 120_000);

  test('one pod, and then nothing that is unfinished', async () => {
    const before = await uids();
    const done = await cli(['restart', 'redis', '--pod', 'redis-2'], env);
    expect([done.code, done.stdout]).toEqual([0, expect.stringContaining('redis: 1 pod restarted')]);
    const changed = [...(await uids())].filter(([pod, uid]) => before.get(pod) !== uid).map(([pod]) => pod);
    expect(changed).toEqual(['redis-2-0']);
    // On a host that is busy with others a pod may be unready for a moment, and is not over then.
    const plan = await until(
      async () => JSON.parse((await cli(['restart', 'redis', '--dry-run', '-o', 'json'], env)).stdout) as object,
      (seen) => 'continues' in seen && seen.continues === false,
      60_000,
    );
    expect(plan).toMatchObject({ kind: 'RestartPlan', continues: false, slotsAway: 0 });
    const older = await cli(['restart', 'redis', '--image', 'redis:5.0'], env);
    expect([older.code, older.stderr]).toEqual([3, expect.stringContaining('redis:5.0 is not for this cluster')]);
  }, 180_000);
});

describeCluster('a rolling restart under the write checker', () => {
  let tried: TriedCluster;
  beforeAll(async () => {
    tried = await openTriedCluster({ masters: 3, replicas: 1 });
  }, 240_000);
  afterAll(() => tried.close());

  test('of six pods: no client error, nothing lost; the longest gap is a figure', async () => {
    await tried.checker.mark();
    const from = performance.now();
    const done = await tried.run('restart', 'redis');
    if (done.code !== 0) throw new Error(`exit code ${done.code}: ${done.stderr}`);
    const settled = await tried.settle(`rolling restart of six, ${IMAGE}`, { restarted: seconds(from) });
    expect([settled.clientErrors, settled.lost]).toEqual([0, 0]);
  }, 600_000);
});
