/**
 * Closed pipes (FINDINGS T1): what only shows something ends quietly, what changes something goes on as if nobody
 * looked.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeCore, openClusterEnv, until, type ClusterEnv } from '../support/cluster-env.ts';
import { cli, inBash, startCli } from '../support/cli.ts';
import { slotsOf } from '../support/seen-cluster.ts';

describeCore('closed pipes', () => {
  let env: ClusterEnv;
  beforeAll(async () => {
    env = await openClusterEnv();
    const { code, stderr } = await cli(['create', 'redis', '--replicas', '0', '--storage', '100Mi', '--yes'], env);
    if (code !== 0) throw new Error(stderr);
  }, 300_000);
  afterAll(() => env.close());

  const lease = (): Promise<unknown> => env.kube.get('coordination.k8s.io/v1', 'Lease', 'redis-operation');
  const primaries = async (): Promise<number> => (await slotsOf(env.namespace, 'redis')).shards.length;

  test.each([
    [4, '2>&1 | head -1'],
    [3, '2>/dev/null | true'],
    [4, '2>&1 >/dev/null | true'],
  ])(
    'T1: scale to %d with %s comes to its end, gives the lease back and says 0',
    async (masters, pipe) => {
      const script = `plugin scale redis --masters ${masters} --yes ${pipe}; echo "code \${PIPESTATUS[0]}"`;
      const { stdout, stderr } = await inBash(script, env);
      expect([stdout.split('\n').at(-2), stderr]).toEqual(['code 0', '']);
      expect([await primaries(), await lease()]).toEqual([masters, null]);
    },
    300_000,
  );

  test('T1: what is refused is refused, also when nobody reads it', async () => {
    const before = await primaries();
    const script = 'plugin scale redis --masters 3 2>&1 | true; echo "code ${PIPESTATUS[0]}"';
    expect((await inBash(script, env)).stdout).toBe('code 3\n');
    expect([await primaries(), await lease()]).toEqual([before, null]);
  });

  test.each([
    ['nodes redis', 0],
    ['slots redis -o json', 0],
    ['check not-there', 1],
    ['status redis --watch', 0],
    ['--help', 0],
  ])(
    'T1: %s into a closed pipe ends quietly, with %d',
    async (words, code) => {
      const script = `plugin ${words} 2>&1 | true; echo "code \${PIPESTATUS[0]}"; plugin ${words} | head -1 >/dev/null`;
      const { stdout, stderr } = await inBash(script, env);
      expect(stdout).toBe(`code ${code}\n`);
      expect(stderr).not.toMatch(/EPIPE|at .*:\d+|node:internal/);
    },
    60_000,
  );

  test('T1: an operation that is told to stop when nobody reads it any more stops, and gives the lease back', async () => {
    const masters = (await primaries()) === 3 ? 4 : 3;
    const args = ['scale', 'redis', '--masters', String(masters), '--yes', '--max-bandwidth', '1k'];
    const running = startCli(args, env);
    running.process.stdout?.destroy();
    running.process.stderr?.destroy();
    await until(lease, (found) => found !== null, 60_000);
    running.process.kill('SIGTERM');
    expect((await running.ended).code).toBe(130);
    expect(await lease()).toBeNull();
    expect((await cli(['check', 'redis'], env)).stderr).not.toContain('error');
  }, 120_000);
});
