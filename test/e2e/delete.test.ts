/** `delete`, `create` on what it kept, hibernation and the NetworkPolicy: through the built command line. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { KubeObject } from '../../pkg/engine/ports.ts';
import type { RawService } from '../../pkg/kube/api-json.ts';
import { scaleSets, takeAddress } from '../support/change.ts';
import { cli, startCli, type Ended } from '../support/cli.ts';
import { describeCore, openClusterEnv, podObject, until, type ClusterEnv } from '../support/cluster-env.ts';
import { killCli } from '../support/kill-cli.ts';
import { allow } from '../support/rights.ts';
import { inRedis, manyInRedis } from '../support/seen-cluster.ts';

const KEYS = 60;
const OURS = 'kubectl-redis.io/cluster';

const KINDS = {
  services: ['v1', 'Service'],
  pods: ['v1', 'Pod'],
  claims: ['v1', 'PersistentVolumeClaim'],
  configmaps: ['v1', 'ConfigMap'],
  secrets: ['v1', 'Secret'],
  statefulsets: ['apps/v1', 'StatefulSet'],
  budgets: ['policy/v1', 'PodDisruptionBudget'],
  policies: ['networking.k8s.io/v1', 'NetworkPolicy'],
  leases: ['coordination.k8s.io/v1', 'Lease'],
} as const;
type Kind = keyof typeof KINDS;
const ALL = Object.keys(KINDS) as readonly Kind[];

interface Tools {
  readonly run: (...args: string[]) => Promise<Ended>;
  readonly names: (kinds: readonly Kind[], cluster: string) => Promise<string[]>;
  readonly addresses: (cluster: string) => Promise<string[]>;
  readonly scale: (cluster: string, replicas: number) => Promise<void>;
  readonly writeKeys: (cluster: string) => Promise<void>;
  readonly expectKeys: (cluster: string) => Promise<void>;
}

function toolsFor(env: () => ClusterEnv): Tools {
  const list = (kind: Kind, selector: string): Promise<readonly KubeObject[]> => {
    const [apiVersion, name] = KINDS[kind];
    return env().kube.list(apiVersion, name, { selector });
  };
  const numbers = Array.from({ length: KEYS }, (_, i) => i);
  return {
    run: (...args) => cli(args, { namespace: env().namespace }),
    names: async (kinds, cluster) => {
      const lists = await Promise.all(kinds.map((kind) => list(kind, `${OURS}=${cluster}`)));
      return lists.flatMap((objects, i) => objects.map(({ metadata }) => `${kinds[i]}/${metadata.name}`));
    },
    addresses: async (cluster) => {
      const services = await list('services', `name,${OURS}=${cluster}`);
      return services.map((each) => `${each.metadata.name}=${(each as RawService).spec?.clusterIP}`);
    },
    scale: (cluster, replicas) => scaleSets(env(), cluster, replicas),
    writeKeys: async (cluster) => {
      const commands = numbers.map((i) => ['SET', `key:${i}`, `value:${i}`] as const);
      expect(await manyInRedis(env().namespace, `${cluster}-1-0`, commands)).toEqual(numbers.map(() => 'OK'));
    },
    expectKeys: async (cluster) => {
      const commands = numbers.map((i) => ['GET', `key:${i}`] as const);
      // A primary that has just started refuses writes and reads for two seconds.
      const read = await until(
        () => manyInRedis(env().namespace, `${cluster}-1-0`, commands),
        (replies) => !replies.some((reply) => reply.startsWith('CLUSTERDOWN')),
        10_000,
      );
      expect(read).toEqual(numbers.map((i) => `value:${i}`));
    },
  };
}

describeCore('delete and create again', () => {
  let env: ClusterEnv;
  const { run, names, addresses, writeKeys, expectKeys } = toolsFor(() => env);
  beforeAll(async () => {
    env = await openClusterEnv({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    const made = await run('create', 'redis', '--storage', '100Mi', '--network-policy');
    expect([made.code, made.stderr]).toEqual([0, expect.stringContaining('✓ attach the replicas')]);
    await writeKeys('redis');
  }, 240_000);
  afterAll(() => env.close());

  test('the NetworkPolicy is one that the API server takes as it was meant', async () => {
    const policy = await env.kube.get('networking.k8s.io/v1', 'NetworkPolicy', 'redis-bus');
    const pods = { podSelector: { matchLabels: { [OURS]: 'redis' } } };
    expect(policy?.['spec']).toEqual({
      ...pods,
      policyTypes: ['Ingress'],
      ingress: [
        { ports: [{ protocol: 'TCP', port: 6379 }] },
        { from: [pods], ports: [{ protocol: 'TCP', port: 16379 }] },
      ],
    });
    const yaml = await run('create', 'other', '--network-policy', '--dry-run');
    expect([yaml.code, yaml.stdout]).toEqual([0, expect.stringContaining('name: other-bus')]);
  }, 60_000);

  test('--dry-run says what would go, and nothing goes', async () => {
    const before = await names(ALL, 'redis');
    const shown = await run('delete', 'redis', '--purge-data', '--dry-run');
    expect([shown.code, shown.stderr]).toEqual([0, '']);
    expect(shown.stdout).toContain(`loses       ${KEYS} keys of redis and 6 volumes, for ever`);
    const document = JSON.parse((await run('delete', 'redis', '--dry-run', '-o', 'json')).stdout) as object;
    expect(document).toMatchObject({ kind: 'DeletePlan', keys: KEYS, keeps: { length: 15 }, outcome: 'batches' });
    expect(await names(ALL, 'redis')).toEqual(before);
  }, 60_000);

  test('--purge-data without a person and without --yes: refused, with the number of keys', async () => {
    const refused = await run('delete', 'redis', '--purge-data');
    expect([refused.code, refused.stdout]).toEqual([3, '']);
    expect(refused.stderr).toContain(
      `error: delete --purge-data would delete ${KEYS} keys of redis and 6 volumes for ever\n` +
        `  try: To agree: kubectl redis delete redis --purge-data --yes -n ${env.namespace}\n`,
    );
    expect(await names(['pods'], 'redis')).toHaveLength(6);
  }, 60_000);

  test('missing rights are named before anything is gone', async () => {
    const reads = ['pods', 'services', 'configmaps', 'secrets', 'persistentvolumeclaims', 'statefulsets.apps'];
    await allow(env, 'e2e-reader', ['get', 'list', 'watch'], reads);
    const looks = ['poddisruptionbudgets.policy', 'leases.coordination.k8s.io'];
    await allow(env, 'e2e-reader', ['get', 'list'], looks);
    const refused = await run('delete', 'redis', '--as', 'e2e-reader');
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toMatch(/^error: no right to delete [\w.]+ in namespace /m);
    expect(await names(['statefulsets'], 'redis')).toHaveLength(6);
  }, 60_000);

  test('delete keeps what can be resumed from and says so; status calls it stopped; again it says so', async () => {
    const deleted = await run('delete', 'redis');
    expect([deleted.code, deleted.stdout]).toEqual([0, expect.stringMatching(/^redis is deleted \(\d+\.\d s\)\n/)]);
    expect(deleted.stdout).toContain('Kept:       6 PersistentVolumeClaims');
    expect(deleted.stdout).toContain(`Resume:     kubectl redis create redis -n ${env.namespace}`);
    expect(await names(['pods', 'statefulsets', 'budgets', 'policies', 'leases'], 'redis')).toEqual([]);
    expect(await names(['services'], 'redis')).toHaveLength(7);
    const status = await run('status', 'redis');
    expect([status.code, status.stdout]).toEqual([
      0,
      expect.stringContaining('was deleted; its data is kept on 6 volumes'),
    ]);
    const again = await run('delete', 'redis');
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('redis is deleted already.')]);
  }, 180_000);

  test('create without flags resumes with the same shape and all keys', async () => {
    const made = await run('create', 'redis');
    expect([made.code, made.stdout]).toEqual([0, expect.stringContaining('redis is ready: 3 shards, 6 nodes')]);
    await expectKeys('redis');
    expect(await names(['policies'], 'redis')).toEqual(['policies/redis-bus']);
  }, 180_000);

  test('with every Service of a node made anew at another address, the nodes find each other again; all keys are there', async () => {
    const before = await addresses('redis');
    expect((await run('delete', 'redis')).code).toBe(0);
    for (const line of before) {
      const [name = '', clusterIP = ''] = line.split('=');
      await takeAddress(env.kube, name, clusterIP);
    }
    const made = await run('create', 'redis', '--timeout', '2m');
    expect([made.code, made.stdout]).toEqual([0, expect.stringContaining('redis is ready: 3 shards, 6 nodes')]);
    expect(made.stderr).toContain('✓ lead the replicas to their primaries');
    const now = await addresses('redis');
    expect([now.length, now.filter((line) => before.includes(line))]).toEqual([6, []]);
    await expectKeys('redis');
    // A young node announces its pod's address until all others have dialed it anew.
    const known = async (): Promise<string[]> => {
      const view = await inRedis(env.namespace, 'redis-6-0', 'CLUSTER', 'NODES');
      return view
        .split('\n')
        .map((line) => line.split(' ')[1]?.split(':')[0] ?? '')
        .sort();
    };
    const announced = now.map((line) => line.split('=')[1] ?? '').sort();
    await until(known, (seen) => seen.join() === announced.join(), 30_000);
    const checked = await run('check', 'redis');
    expect([checked.code, checked.stdout]).toEqual([0, expect.stringContaining('No problems found')]);
  }, 240_000);

  test('--purge-data --yes leaves nothing; then there is nothing to delete', async () => {
    const purged = await run('delete', 'redis', '--purge-data', '--yes');
    expect([purged.code, purged.stdout]).toEqual([0, expect.stringMatching(/^redis is deleted, with all its data /)]);
    expect(await names(ALL, 'redis')).toEqual([]);
    const again = await run('delete', 'redis', '--purge-data', '--yes');
    expect([again.code, again.stderr]).toEqual([
      1,
      expect.stringMatching(/^error: there is no Redis Cluster redis in/),
    ]);
  }, 180_000);
});

describeCore('hibernation, and delete interrupted', () => {
  let env: ClusterEnv;
  const { run, names, scale, writeKeys, expectKeys } = toolsFor(() => env);
  beforeAll(async () => {
    env = await openClusterEnv();
    expect((await run('create', 'redis', '--storage', '100Mi')).code).toBe(0);
    await writeKeys('redis');
  }, 240_000);
  afterAll(() => env.close());

  async function sleep(): Promise<void> {
    await scale('redis', 0);
    await until(
      () => names(['pods'], 'redis'),
      (pods) => pods.length === 0,
      90_000,
    );
  }

  test('scaled to zero by label: it sleeps; scaled back: whole without a command of ours', async () => {
    await sleep();
    expect((await run('status', 'redis')).stdout).toContain('redis sleeps: its StatefulSets are scaled to zero');
    expect((await run('check', 'redis')).code).toBe(3);
    await scale('redis', 1);
    const whole = await until(
      () => run('check', 'redis'),
      (ended) => ended.code === 0,
      120_000,
    );
    expect(whole.code).toBe(0);
    await expectKeys('redis');
  }, 300_000);

  test('create wakes it, too', async () => {
    await sleep();
    const woken = await run('create', 'redis');
    expect(woken.code === 0 ? '' : woken.stderr).toBe('');
    expect(woken.stdout).toContain('redis is ready: 3 shards, 6 nodes');
    await expectKeys('redis');
  }, 240_000);

  test('Ctrl-C stops it with 130 and gives the lease back, SIGKILL does not stop the next one; no key is lost', async () => {
    const start = (...args: string[]): ReturnType<typeof startCli> => startCli(args, { namespace: env.namespace });
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      const first = start('delete', 'redis');
      await until(
        async () => first.output().stderr,
        (text) => text.includes('✓ stop the '),
        60_000,
      );
      if (signal === 'SIGINT') first.process.kill(signal);
      const ended = await (signal === 'SIGINT' ? first.ended : killCli(first, env, 'redis'));
      if (signal === 'SIGINT') expect([ended.code, ended.stderr]).toEqual([130, expect.stringContaining('Stopped.')]);
      if (signal === 'SIGINT') expect(await names(['leases'], 'redis')).toEqual([]);
    }
    expect((await run('delete', 'redis')).code).toBe(0);
    const made = await run('create', 'redis');
    expect(made.code === 0 ? '' : made.stderr).toBe('');
    await expectKeys('redis');
  }, 300_000);
});

describeCore('what delete does not touch', () => {
  let env: ClusterEnv;
  beforeAll(async () => {
    env = await openClusterEnv();
    await env.kube.create(podObject({ name: 'theirs-0', labels: { [OURS]: 'theirs' } }));
  }, 60_000);
  afterAll(() => env.close());

  test('a cluster that create did not make', async () => {
    const refused = await cli(['delete', 'theirs', '--purge-data', '--yes'], env);
    expect([refused.code, refused.stdout]).toEqual([3, '']);
    expect(refused.stderr).toMatch(
      /^error: theirs was not made by kubectl redis create, so delete does not touch it\n/,
    );
    expect(await env.kube.get('v1', 'Pod', 'theirs-0')).not.toBeNull();
  }, 60_000);

  test('one that is not there: the others are named', async () => {
    const none = await cli(['delete', 'theirz'], env);
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('did you mean theirs?')]);
  }, 60_000);
});
