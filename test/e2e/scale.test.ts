/** `scale` and `rebalance` on a real Kubernetes, with data and while clients write, through the built command line. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeCluster, openClusterEnv, podObject, until, type ClusterEnv } from '../support/cluster-env.ts';
import { killCli } from '../support/kill-cli.ts';
import { cli, IMAGE, kubectl, startCli } from '../support/cli.ts';
import { inRedis, slotsOf } from '../support/seen-cluster.ts';
import { startWriteChecker, type WriteChecker } from '../support/write-checker/checker-pod.ts';
import type { Phase } from '../support/write-checker/protocol.ts';

const KEYS = 2000;
/** So that a move lasts long enough to be interrupted. */
const SLOWLY = ['--max-bandwidth', '4k'];
const LIBRARY = `#!lua name=mylib\nredis.register_function('answer', function() return 42 end)`;
/** No node of the cluster: any of those may be removed. */
const CLIENT = 'client';

describeCluster('scale', () => {
  let env: ClusterEnv;
  /** Address of the client Service: a cluster need not have DNS. */
  let host = '';
  /** Writes all the while: nodes come, slots move and nodes go under it. */
  let checker: WriteChecker;
  beforeAll(async () => {
    env = await openClusterEnv();
    await env.kube.create(podObject({ name: CLIENT, image: IMAGE, command: ['sleep', '3600'] }));
    // A host that is busy with others may be slow to answer; create goes on.
    await until(
      () => cli(['create', 'redis', '--storage', '100Mi'], env),
      ({ code }) => code === 0,
      200_000,
    );
    const service = await env.kube.get('v1', 'Service', 'redis');
    const spec = service?.['spec'] as { readonly clusterIP?: string } | undefined;
    host = spec?.clusterIP ?? '';
    const lines = `for n in $(seq 1 ${KEYS}); do echo "SET data:$n value-$n"; done | redis-cli -c -h ${host} | grep -c OK`;
    expect(await inShell(lines)).toBe(String(KEYS));
    for (const { primary } of (await slotsOf(env.namespace, 'redis')).shards)
      expect(await inRedis(env.namespace, primary?.pod ?? '', 'FUNCTION', 'LOAD', LIBRARY)).toBe('mylib');
    checker = await startWriteChecker(env, { cluster: 'redis' });
  }, 300_000);
  afterAll(() => env.close());

  const inShell = async (script: string): Promise<string> => {
    return (await kubectl(['exec', CLIENT, '--', 'sh', '-c', script], env)).stdout.trim();
  };
  const scale = (masters: number, replicas: number, ...more: string[]): readonly string[] => [
    'scale',
    'redis',
    '--masters',
    String(masters),
    '--replicas',
    String(replicas),
    ...more,
  ];

  /** What it printed. @throws Error with what it complained of */
  const must = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await cli(args, env);
    if (code !== 0) throw new Error(`${args.join(' ')}: exit code ${code}: ${stderr}`);
    return stdout;
  };

  /** Nothing that was acknowledged is lost, old or out of order, and no client saw an error. @returns what it wrote since the last time */
  const expectNothingLost = async (): Promise<Phase> => {
    const phase = await checker.mark();
    const { lost, stale, wrong, examples } = await checker.verify();
    expect({ lost, stale, wrong, examples }).toEqual({ lost: 0, stale: 0, wrong: 0, examples: [] });
    expect(phase.errors).toEqual({});
    expect(phase.acked).toBeGreaterThan(200);
    return phase;
  };

  /** Slots, replicas, keys and objects, and that nobody finds anything wrong with it. */
  const expectShape = async (masters: number, replicas: number): Promise<void> => {
    const { shards } = await slotsOf(env.namespace, 'redis');
    expect(shards.map((shard) => shard.replicas.length)).toEqual(Array.from({ length: masters }, () => replicas));
    const counts = shards.map(({ slots }) => slots.reduce((sum, { start, end }) => sum + end - start + 1, 0));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(16384);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    const read = `for n in $(seq 1 ${KEYS}); do echo "GET data:$n"; done | redis-cli -c -h ${host} | grep -v Redirected | grep -c value-`;
    expect(await inShell(read)).toBe(String(KEYS));
    // A client may call a function on whoever owns its keys.
    const called = await Promise.all(
      shards.map(({ primary }) => inRedis(env.namespace, primary?.pod ?? '', 'FCALL', 'answer', '0')),
    );
    expect(called).toEqual(shards.map(() => '42'));
    const check = await until(
      () => cli(['check', 'redis', '-o', 'json'], env),
      ({ stdout }) => !/"severity": "(critical|warning)"/.test(stdout),
      30_000,
    );
    expect(check.stdout).not.toMatch(/"severity": "(critical|warning)"/);
    const names = async (apiVersion: string, kind: string): Promise<number> =>
      (await env.kube.list(apiVersion, kind, { selector: 'kubectl-redis.io/cluster=redis' })).length;
    const nodes = masters * (1 + replicas);
    expect([
      await names('apps/v1', 'StatefulSet'),
      await names('v1', 'Pod'),
      await names('v1', 'PersistentVolumeClaim'),
      await names('v1', 'Service'),
      await names('policy/v1', 'PodDisruptionBudget'),
    ]).toEqual([nodes, nodes, nodes, nodes + 1, masters]);
  };

  test('what it would do is shown first, and what takes volumes away needs consent', async () => {
    expect(JSON.parse(await must(...scale(5, 2), '--dry-run', '-o', 'json'))).toMatchObject({
      kind: 'ScalePlan',
      to: { masters: 5, replicas: 2 },
      outcome: 'batches',
    });
    const refused = await cli(scale(3, 0), env);
    expect([refused.code, refused.stdout]).toEqual([3, '']);
    expect(refused.stderr).toContain('scale would remove 3 nodes with their volumes');
    await expectShape(3, 1);
  }, 120_000);

  test('3x1 to 5x2 while a client writes, killed in the middle: the same command finishes, nothing is lost', async () => {
    const killed = startCli(scale(5, 2, ...SLOWLY), env);
    await Promise.race([
      until(
        () => Promise.resolve(killed.output().stderr),
        (text) => / slots \(\d+ %\)/.test(text),
        240_000,
      ),
      killed.ended,
    ]);
    await killCli(killed, env, 'redis');
    const unfinished = await cli(['create', 'redis'], env);
    expect([unfinished.code, unfinished.stderr]).toEqual([3, expect.stringContaining('was begun and is not finished')]);
    expect(await must(...scale(5, 2))).toMatch(/redis has its new shape: 5 primaries, 10 replicas/);
    expect((await expectNothingLost()).replicated).toBeGreaterThan(200);
    await expectShape(5, 2);
    expect(await must('create', 'redis')).toBe(
      'redis is there already: 5 shards, 15 nodes, 16384 slots. Nothing was changed.\n',
    );
  }, 480_000);

  test('Ctrl-C while slots move: it stops at a clean point and says how to go on; then down to 3x0 while a client writes', async () => {
    const stopped = startCli(scale(3, 0, '--yes', ...SLOWLY), env);
    await Promise.race([
      until(
        () => Promise.resolve(stopped.output().stderr),
        (text) => / slots \(\d+ %\)/.test(text),
        240_000,
      ),
      stopped.ended,
    ]);
    const operation = await cli(['status', 'redis'], env);
    stopped.process.kill('SIGINT');
    const ended = await stopped.ended;
    expect([ended.code, ended.stderr]).toEqual([130, expect.stringContaining('scale redis --masters 3 --replicas 0')]);
    expect(operation.stdout).toMatch(/Operation: +scale by /);
    expect(await env.kube.get('coordination.k8s.io/v1', 'Lease', 'redis-operation')).toBeNull();
    await must(...scale(3, 0, '--yes'));
    await expectNothingLost();
    await expectShape(3, 0);
  }, 480_000);

  test('3x0 to 3x1: no slot moves', async () => {
    const grown = await cli(scale(3, 1), env);
    expect([grown.code, grown.stderr]).toEqual([0, expect.not.stringContaining('move slots')]);
    await expectNothingLost();
    await expectShape(3, 1);
  }, 240_000);

  test('rebalance by weight, and back', async () => {
    expect(await must('rebalance', 'redis', '--weight', '1=2')).toContain('is balanced by slots');
    const { shards } = await slotsOf(env.namespace, 'redis');
    const first = shards.find((shard) => shard.name === '1');
    expect(first?.slots.reduce((sum, { start, end }) => sum + end - start + 1, 0)).toBe(8192);
    for (const by of ['keys', 'memory', 'slots']) await must('rebalance', 'redis', '--by', by, '--threshold', '0');
    await expectNothingLost();
    await expectShape(3, 1);
  }, 240_000);

  test('nodes that were removed stay forgotten', async () => {
    const { shards } = await slotsOf(env.namespace, 'redis');
    const view = await inRedis(env.namespace, shards[0]?.primary?.pod ?? '', 'CLUSTER', 'NODES');
    expect(view.split('\n')).toHaveLength(6);
    expect(view).not.toMatch(/fail|noaddr|handshake/);
  }, 60_000);
});
