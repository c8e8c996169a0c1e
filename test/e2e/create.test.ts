/** `create` from an empty namespace to a cluster that serves, through the built command line. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { formatRanges } from '../../pkg/cluster/model/slots.ts';
import { describeCluster, describeCore, openClusterEnv, until, type ClusterEnv } from '../support/cluster-env.ts';
import { killCli } from '../support/kill-cli.ts';
import { cli, kubectl, startCli } from '../support/cli.ts';
import { slotsOf, inRedis } from '../support/seen-cluster.ts';

describeCore('create', () => {
  let env: ClusterEnv;
  // Everything runs where the strictest PodSecurity level is enforced.
  beforeAll(async () => {
    env = await openClusterEnv({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  }, 60_000);
  afterAll(() => env.close());
  const run = (...args: string[]): ReturnType<typeof cli> => cli(args, { namespace: env.namespace });

  test('an empty namespace becomes a cluster that serves', async () => {
    const made = await run('create', 'redis', '--storage', '100Mi');
    expect([made.code, made.stderr]).toEqual([0, expect.stringContaining('wait until all nodes agree')]);
    expect(made.stdout).toMatch(/^redis is ready: 3 shards, 6 nodes, 16384 slots \(\d+\.\d s\)\n$/);

    const slots = await slotsOf(env.namespace, 'redis');
    expect(slots.shards.map((shard) => formatRanges(shard.slots))).toEqual(['0-5460', '5461-10922', '10923-16383']);
    for (const shard of slots.shards) {
      expect(shard.replicas).toHaveLength(1);
      expect(shard.replicas[0]?.host).not.toBe(shard.primary?.host);
    }
    expect(new Set(slots.shards.map((shard) => shard.primary?.host)).size).toBe(3);

    expect(await inRedis(env.namespace, 'redis-1-0', '-c', 'SET', 'user:1', 'ann')).toBe('OK');
    expect(await inRedis(env.namespace, 'redis-5-0', '-c', 'GET', 'user:1')).toBe('ann');
    expect(await inRedis(env.namespace, 'redis-3-0', 'CONFIG', 'GET', 'cluster-node-timeout')).toContain('5000');
    expect((await run('check', 'redis')).stdout).toBe('No problems found in redis (6 nodes, 3 shards).\n');
    const epochs = (await inRedis(env.namespace, 'redis-1-0', 'CLUSTER', 'NODES'))
      .split('\n')
      .filter((line) => line.includes('master'));
    expect(new Set(epochs.map((line) => line.split(' ')[6])).size).toBe(3);
  }, 180_000);

  test('run again: says so and changes nothing', async () => {
    const kinds = [
      ['v1', 'Service'],
      ['v1', 'ConfigMap'],
      ['v1', 'Pod'],
      ['apps/v1', 'StatefulSet'],
      ['policy/v1', 'PodDisruptionBudget'],
    ] as const;
    const versions = async (): Promise<readonly unknown[]> => {
      const lists = await Promise.all(kinds.map(([apiVersion, kind]) => env.kube.list(apiVersion, kind)));
      return lists.flat().map(({ metadata }) => [metadata.name, metadata.uid, metadata['generation']]);
    };
    const before = await versions();
    const again = await run('create', 'redis');
    expect([again.code, again.stdout]).toEqual([
      0,
      'redis is there already: 3 shards, 6 nodes, 16384 slots. Nothing was changed.\n',
    ]);
    expect(await versions()).toEqual(before);
  }, 60_000);

  test('another shape is refused and scale is named', async () => {
    const refused = await run('create', 'redis', '--masters', '5');
    expect([refused.code, refused.stdout]).toEqual([3, '']);
    expect(refused.stderr).toBe(
      'error: redis is a cluster of 3 masters with one replica each, not 5 masters with one replica each\n' +
        '  try: kubectl redis scale redis --masters 5 --replicas 1 changes the shape of a cluster\n',
    );
  }, 60_000);

  test('what a formed cluster would not take over is said', async () => {
    const again = await run('create', 'redis', '--memory', '1Gi');
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('note: --memory "1Gi" is not applied')]);
  }, 60_000);
});

describeCore('create, interrupted and in parallel', () => {
  let env: ClusterEnv;
  beforeAll(async () => {
    env = await openClusterEnv();
  }, 60_000);
  afterAll(() => env.close());
  const start = (...args: string[]): ReturnType<typeof startCli> => startCli(args, { namespace: env.namespace });

  test('a second create at the same time is refused with the name of the holder', async () => {
    const first = start('create', 'twice', '--storage', '100Mi', '--replicas', '0');
    await until(
      () => env.kube.get('coordination.k8s.io/v1', 'Lease', 'twice-operation'),
      (lease) => lease !== null,
      30_000,
    );
    const second = await start('create', 'twice', '--replicas', '0').ended;
    expect([second.code, second.stderr]).toEqual([
      3,
      expect.stringMatching(/error: .+ \(pid \d+\) is running create on twice\n/),
    ]);
    expect((await first.ended).code).toBe(0);
    expect(await env.kube.get('coordination.k8s.io/v1', 'Lease', 'twice-operation')).toBeNull();
  }, 180_000);

  test('Ctrl-C stops it at once with exit code 130 and gives the lease back; the same command finishes', async () => {
    const first = start('create', 'stopped', '--storage', '100Mi', '--replicas', '0');
    await until(
      async () => first.output().stderr,
      (text) => text.includes('make the nodes'),
      60_000,
    );
    first.process.kill('SIGINT');
    const ended = await first.ended;
    expect([ended.code, ended.stderr]).toEqual([130, expect.stringContaining('create stopped')]);
    expect(await env.kube.get('coordination.k8s.io/v1', 'Lease', 'stopped-operation')).toBeNull();
    expect((await start('create', 'stopped').ended).code).toBe(0);
  }, 180_000);

  test('SIGKILL after each batch: the same command finishes, and nothing is left behind', async () => {
    const batches = [
      'make the Services',
      'make the configuration',
      'make the nodes',
      'wait for pods',
      'assign slots',
      'join the nodes',
      'attach the replicas',
    ];
    const seen: string[] = [];
    for (const at of batches.keys()) {
      const killed = start('create', 'killed', '--storage', '100Mi', '--replicas', '1');
      // A killed run may have done the next batch without a word of it, and then the next run never says it: the first
      // word of that batch or of a later one is what is waited for, or each run after it would run to its end.
      await until(
        async () => killed.output().stderr,
        (text) => batches.slice(at).some((batch) => text.includes(`✓ ${batch}`)) || killed.process.exitCode !== null,
        120_000,
      );
      seen.push(...((await killCli(killed, env, 'killed')).stderr.match(/(?<=✓ ).+(?= \()/g) ?? []));
    }
    const last = await start('create', 'killed').ended;
    expect([last.code, last.stdout]).toEqual([
      0,
      expect.stringMatching(/killed is (ready|there already): 3 shards, 6 nodes, 16384 slots/),
    ]);
    // The first run is killed when it has said its first batch; what later ones did and could not say any more is missing.
    expect(seen).toContain('make the Services');
    const timeouts = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((n) => inRedis(env.namespace, `killed-${n}-0`, 'CONFIG', 'GET', 'cluster-node-timeout')),
    );
    expect(timeouts.map((text) => text.split('\n').at(-1))).toEqual(['5000', '5000', '5000', '5000', '5000', '5000']);
    expect((await cli(['check', 'killed'], { namespace: env.namespace })).code).toBe(0);
  }, 300_000);

  test('the short timeout of a killed create is put back by the pods themselves', async () => {
    const pods = [1, 2, 3].map((n) => `twice-${n}-0`);
    for (const pod of pods) await inRedis(env.namespace, pod, 'CONFIG', 'SET', 'cluster-node-timeout', '500');
    await until(
      () => Promise.all(pods.map((pod) => inRedis(env.namespace, pod, 'CONFIG', 'GET', 'cluster-node-timeout'))),
      (texts) => texts.every((text) => text.endsWith('5000')),
      60_000,
    );
  }, 90_000);
});

describeCluster('create from the YAML of --dry-run', () => {
  let env: ClusterEnv;
  beforeAll(async () => {
    env = await openClusterEnv();
  }, 60_000);
  afterAll(() => env.close());

  test('passes kubectl apply --server-side; the pods wait and say for what; create finishes', async () => {
    const options = { namespace: env.namespace };
    const yaml = await cli(['create', 'dry', '--dry-run', '--replicas', '0', '--storage', '100Mi'], options);
    expect([yaml.code, yaml.stdout]).toEqual([0, expect.stringContaining('# Create dry in namespace')]);
    expect(await env.kube.get('v1', 'Service', 'dry')).toBeNull();
    const applied = await kubectl(['apply', '--server-side', '-f', '-'], { ...options, input: yaml.stdout });
    expect([applied.code, applied.stderr]).toEqual([0, '']);
    const waiting = await until(
      () => cli(['nodes', 'dry', '-o', 'json'], options),
      (ended) => (ended.stdout.match(/guard-waiting/g) ?? []).length >= 3,
      90_000,
    );
    expect(waiting.stdout).toContain('waiting for the address of Service dry-1');
    const made = await cli(['create', 'dry'], options);
    expect([made.code, made.stdout]).toEqual([0, expect.stringContaining('dry is ready: 3 shards, 3 nodes')]);
  }, 240_000);
});
