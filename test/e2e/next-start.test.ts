/** What runs is not what the next start reads: directives that were set on running servers, and what a stop then costs. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cli, type Ended } from '../support/cli.ts';
import { describeCore, openClusterEnv, until, type ClusterEnv } from '../support/cluster-env.ts';
import { expectHealthy, inRedis, manyInRedis } from '../support/seen-cluster.ts';

const KEYS = Array.from({ length: 120 }, (_, i) => i);
const POD = 'redis-1-0';

describeCore('directives that are set and not recorded', () => {
  let env: ClusterEnv;
  beforeAll(async () => {
    env = await openClusterEnv();
    expect((await cli(['create', 'redis', '--replicas', '0', '--storage', '100Mi'], env)).code).toBe(0);
    expect(await onAll((i) => ['SET', `key:${i}`, `${i}`])).toEqual(KEYS.map(() => 'OK'));
  }, 240_000);
  afterAll(() => env.close());

  function onAll(command: (i: number) => readonly [string, ...string[]]): Promise<readonly string[]> {
    return manyInRedis(env.namespace, 'redis-2-0', KEYS.map(command));
  }

  const set = (...words: readonly string[]): Promise<string> => inRedis(env.namespace, POD, 'CONFIG', 'SET', ...words);
  const words = ({ stdout, stderr }: Ended): string => stdout + stderr;

  test('a log that was switched off: restart and delete name what they would lose, and touch nothing', async () => {
    await set('appendonly', 'no');
    await set('save', '3600 1');
    for (const verb of [
      ['restart', 'redis', '--yes'],
      ['delete', 'redis', '--yes'],
    ]) {
      const refused = await cli(verb, env);
      expect([refused.code, words(refused)]).toEqual([3, expect.stringContaining('--accept-data-loss 0-5460')]);
      expect(words(refused)).toContain(`${POD} keeps none on disk (it runs with appendonly no`);
    }
    expect(await onAll((i) => ['GET', `key:${i}`])).toEqual(KEYS.map(String));
  }, 120_000);

  test('switched on again and written: nothing is lost by a delete, and nothing is said to be', async () => {
    await set('appendonly', 'yes');
    await until(
      () => inRedis(env.namespace, POD, 'INFO', 'persistence'),
      (info) => /aof_base_size:[1-9]/.test(info) && info.includes('aof_rewrite_in_progress:0'),
      30_000,
    );
    const deleted = await cli(['delete', 'redis', '--yes'], env);
    expect([deleted.code, words(deleted)]).toEqual([
      0,
      expect.stringContaining('nothing: every key stays on its volume'),
    ]);
    const again = await cli(['restart', 'redis', '--yes'], env);
    expect([again.code, words(again)]).toEqual([3, expect.stringContaining('kubectl redis create redis')]);
    expect((await cli(['create', 'redis', '--yes'], env)).code).toBe(0);
    await expectHealthy(env, 'redis', 60_000);
    expect(await onAll((i) => ['GET', `key:${i}`])).toEqual(KEYS.map(String));
  }, 300_000);
});
