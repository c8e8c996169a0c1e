/** `fix` where something that the cluster stands on is gone: a Service, its address with it, and at last every volume. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { KubeObject } from '../../pkg/engine/ports.ts';
import { scaleSets, takeAddress } from '../support/change.ts';
import { cli, type Ended } from '../support/cli.ts';
import { describeCore, openClusterEnv, until, type ClusterEnv } from '../support/cluster-env.ts';
import { expectHealthy, inRedis, manyInRedis, slotsOf } from '../support/seen-cluster.ts';

const KEYS = Array.from({ length: 100 }, (_, i) => i);
const NODE = 'redis-2';
const OURS = 'kubectl-redis.io/cluster=redis';

describeCore('fix of what is gone', () => {
  let env: ClusterEnv;
  beforeAll(async () => {
    env = await openClusterEnv();
    expect((await cli(['create', 'redis', '--storage', '100Mi'], env)).code).toBe(0);
    expect(await onAll((i) => ['SET', `key:${i}`, `${i}`])).toEqual(KEYS.map(() => 'OK'));
  }, 240_000);
  afterAll(() => env.close());

  function onAll(command: (i: number) => readonly [string, ...string[]]): Promise<readonly string[]> {
    return manyInRedis(env.namespace, 'redis-1-0', KEYS.map(command));
  }

  const fix = (...flags: readonly string[]): Promise<Ended> => cli(['fix', 'redis', '--yes', ...flags], env);

  async function codes(): Promise<readonly string[]> {
    const { stdout } = await cli(['check', 'redis', '-o', 'json'], env);
    return [...stdout.matchAll(/"code": "([a-z-]+)"/g)].map(([, code = '']) => code);
  }

  const healthy = (): Promise<void> => expectHealthy(env, 'redis', 60_000);

  async function service(): Promise<KubeObject> {
    const found = await env.kube.get('v1', 'Service', NODE);
    if (found === null) throw new Error(`no Service ${NODE}`);
    return found;
  }

  const addressOf = ({ spec }: KubeObject): string => (spec as { readonly clusterIP?: string }).clusterIP ?? '';

  test('a deleted Service is made again at the address that its node announces', async () => {
    const before = addressOf(await service());
    await env.kube.remove('v1', 'Service', NODE);
    expect(await until(codes, (seen) => seen.includes('service-missing'), 30_000)).toContain('service-missing');
    const fixed = await fix();
    expect([fixed.code, fixed.stdout]).toEqual([0, expect.stringMatching(/^redis: repaired service-missing/)]);
    expect(addressOf(await service())).toBe(before);
    await healthy();
    expect(await onAll((i) => ['GET', `key:${i}`])).toEqual(KEYS.map(String));
  }, 120_000);

  test('one whose address somebody else has by now: the node moves to its new address, nothing is lost', async () => {
    const old = await service();
    await takeAddress(env.kube, NODE, addressOf(old));
    await until(codes, (seen) => seen.includes('service-missing'), 30_000);
    for (let round = 1; round <= 4; round++) {
      const fixed = await fix();
      if (round === 4 || /nothing is to be repaired/.test(fixed.stdout)) {
        expect([fixed.code, fixed.stdout]).toEqual([0, expect.stringContaining('nothing is to be repaired')]);
        break;
      }
    }
    expect(addressOf(await service())).not.toBe(addressOf(old));
    await healthy();
    expect(await onAll((i) => ['GET', `key:${i}`])).toEqual(KEYS.map(String));
  }, 240_000);

  test('every volume lost: nobody starts by himself; --start-empty says what is lost, then the cluster is made anew', async () => {
    await scaleSets(env, 'redis', 0);
    // Else those that come back first would find others that still run, and know what became of their slots.
    const pods = (): Promise<readonly KubeObject[]> => env.kube.list('v1', 'Pod', { selector: OURS });
    await until(pods, (left) => left.length === 0, 90_000);
    const claims = await env.kube.list('v1', 'PersistentVolumeClaim');
    expect(claims).toHaveLength(6);
    await Promise.all(claims.map(({ metadata }) => env.kube.remove('v1', 'PersistentVolumeClaim', metadata.name)));
    await scaleSets(env, 'redis', 1);
    const asked = await until(
      () => fix(),
      ({ stdout }) => stdout.includes('--start-empty'),
      90_000,
    );
    expect([asked.code, asked.stdout]).toEqual([3, expect.stringContaining('--start-empty')]);
    const fixed = await fix('--start-empty');
    expect(fixed.stdout + fixed.stderr).toMatch(/every key/);
    const made = await cli(['create', 'redis', '--storage', '100Mi'], env);
    expect(made.code).toBe(0);
    await healthy();
    expect((await slotsOf(env.namespace, 'redis')).shards).toHaveLength(3);
    expect(await inRedis(env.namespace, 'redis-1-0', 'DBSIZE')).toBe('0');
  }, 300_000);
});
