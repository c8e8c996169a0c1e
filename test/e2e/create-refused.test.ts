/** What `create` refuses, and what it says when pods are stuck: through the built command line. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cli, kubectl, type Ended } from '../support/cli.ts';
import { allow } from '../support/rights.ts';
import { describeCore, openClusterEnv, testCluster, type ClusterEnv } from '../support/cluster-env.ts';

const READS = [
  'pods',
  'services',
  'configmaps',
  'persistentvolumeclaims',
  'statefulsets.apps',
  'leases.coordination.k8s.io',
];
const SMALL = ['--replicas', '0', '--storage', '100Mi'] as const;

describeCore('create refuses before it makes anything', () => {
  let env: ClusterEnv;
  beforeAll(async () => {
    env = await openClusterEnv();
    for (const [name, app] of [
      ['taken', 'web'],
      ['half-2', 'web'],
      ['strange', 'wide'],
    ] as const) {
      const spec = { selector: { app }, ports: [{ port: 80 }] };
      await env.kube.create({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec });
    }
  }, 60_000);
  afterAll(() => env.close());
  const create = (...args: string[]): Promise<Ended> =>
    cli(['create', ...args, ...SMALL], { namespace: env.namespace });

  test.each([
    [
      'a name that is taken',
      ['taken'],
      3,
      /^error: Service taken is there already and belongs to something else\n  try: Choose another name or namespace. kubectl describe service taken -n /,
    ],
    [
      "a node's name that is taken",
      ['half'],
      3,
      /^error: Service half-2 is there already and belongs to something else\n/,
    ],
    [
      "a Service of somebody's that would select our pods",
      ['wide'],
      3,
      /^error: Service strange selects app=wide, and so would send its clients to the pods of wide\n/,
    ],
    [
      'a storage class that is not there',
      ['x', '--storage-class', 'nope'],
      3,
      /^error: There is no StorageClass nope\n  try: There are: /,
    ],
    [
      'more hosts than there are',
      ['x', '--anti-affinity', 'hard', '--replicas', '50'],
      3,
      /^error: Hard anti-affinity needs 51 schedulable hosts/,
    ],
    ['two masters', ['x', '--masters', '2'], 2, /^error: --masters 2: a Redis Cluster needs at least 3 primaries/],
    ['minus one replica', ['x', '--replicas', '-1'], 2, /^error: .*--replicas "-1"/],
    ['a name like a node', ['redis-2'], 2, /^error: "redis-2" can't be a cluster's name/],
    ['a name with capitals', ['Redis'], 2, /^error: "Redis" can't be a cluster's name/],
    ['a quantity that is none', ['x', '--memory', '1GB'], 2, /^error: --memory 1GB is not a Kubernetes quantity\n/],
    [
      'a directive of ours',
      ['x', '--config', 'cluster-announce-ip=1.2.3.4'],
      2,
      /^error: --config cluster-announce-ip/,
    ],
    ['no name without a terminal', [], 2, /^error: create needs a name\n/],
  ])(
    '%s',
    async (_, args, code, stderr) => {
      const ended = await cli(
        ['create', ...args, ...SMALL.filter((flag, i) => !args.includes(flag) && !args.includes(SMALL[i - 1] ?? ''))],
        { namespace: env.namespace },
      );
      expect([ended.code, ended.stdout]).toEqual([code, '']);
      expect(ended.stderr).toMatch(stderr);
      expect(ended.stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(3);
      expect(await env.kube.list('v1', 'Service', { selector: 'kubectl-redis.io/cluster' })).toEqual([]);
    },
    60_000,
  );

  test('a namespace that is not there', async () => {
    const ended = await cli(['create', 'redis', ...SMALL], { namespace: 'there-is-no-such-namespace' });
    expect([ended.code, ended.stderr]).toEqual([
      1,
      expect.stringMatching(/^error: namespace there-is-no-such-namespace does not exist\n/),
    ]);
  }, 60_000);

  test('missing rights: verb and resource are named, and nothing is made', async () => {
    await allow(env, 'e2e-reader', ['get', 'list', 'watch'], READS);
    const reader = await create('redis', '--as', 'e2e-reader');
    expect([reader.code, reader.stdout]).toEqual([1, '']);
    expect(reader.stderr).toMatch(/^error: no right to patch [\w.]+ in namespace /);
    const nobody = await create('redis', '--as', 'e2e-nobody');
    expect([nobody.code, nobody.stderr]).toEqual([
      1,
      // They are asked for side by side.
      expect.stringMatching(/^error: no right to list (pods|services|statefulsets\.apps) in namespace /),
    ]);
    expect(await env.kube.list('v1', 'Service', { selector: 'kubectl-redis.io/cluster' })).toEqual([]);
  }, 60_000);
});

describeCore('create says why pods are stuck', () => {
  let env: ClusterEnv;
  const nobodysClass = `e2e-${randomBytes(4).toString('hex')}`;
  beforeAll(async () => {
    env = await openClusterEnv();
    await env.kube.create({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: nobodysClass },
      provisioner: 'example.com/nobody',
    });
  }, 60_000);
  afterAll(async () => {
    await env.kube.remove('storage.k8s.io/v1', 'StorageClass', nobodysClass);
    await env.close();
  }, 60_000);
  const create = (...args: string[]): Promise<Ended> =>
    cli(['create', ...args, ...SMALL], { namespace: env.namespace });

  testCluster(
    'an image that is not there, by name; then the right one finishes the job',
    async () => {
      const stuck = await create('image', '--image', 'example.invalid/redis:none', '--image-pull-policy', 'Never');
      expect([stuck.code, stuck.stderr]).toEqual([1, expect.stringMatching(/error: .*example\.invalid\/redis:none/)]);
      expect(stuck.stderr).toContain('kubectl redis create image');
      const made = await create(
        'image',
        '--image',
        process.env['KUBECTL_REDIS_IMAGE'] ?? '',
        '--image-pull-policy',
        'IfNotPresent',
      );
      expect([made.code, made.stdout]).toEqual([0, expect.stringContaining('image is ready: 3 shards, 3 nodes')]);
    },
    180_000,
  );

  testCluster(
    'C12: a quota; when it was raised the same command finishes the job, whatever was said before',
    async () => {
      const own = await openClusterEnv();
      try {
        const options = { namespace: own.namespace };
        const small = ['create', 'quota', 'small', '--hard=pods=2'];
        expect((await kubectl(small, options)).code).toBe(0);
        const refused = await cli(['create', 'tight', ...SMALL], options);
        expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('exceeded quota: small')]);
        const patch = ['patch', 'quota', 'small', '--type=merge', '-p', '{"spec":{"hard":{"pods":"10"}}}'];
        expect((await kubectl(patch, options)).code).toBe(0);
        const made = await cli(['create', 'tight', ...SMALL], options);
        expect([made.code, made.stdout]).toEqual([0, expect.stringContaining('tight is ready: 3 shards, 3 nodes')]);
      } finally {
        await own.close();
      }
    },
    180_000,
  );

  test('no host can take it: the constraint', async () => {
    const stuck = await create('big', '--cpu', '1000', '--timeout', '8s');
    expect([stuck.code, stuck.stderr]).toEqual([
      1,
      expect.stringMatching(/error: 0 of 3 pods were ready after 8 s\n  why: .*Insufficient cpu/),
    ]);
  }, 60_000);

  test('a crash loop: the last lines of its log', async () => {
    const stuck = await create('crash', '--config', 'maxmemory-policy=bogus');
    expect([stuck.code, stuck.stderr]).toEqual([1, expect.stringMatching(/error: .*\n  why: .*maxmemory-policy/)]);
  }, 120_000);

  test('a claim that is not bound', async () => {
    const stuck = await create('claim', '--storage-class', nobodysClass, '--timeout', '10s');
    expect([stuck.code, stuck.stderr]).toEqual([
      1,
      expect.stringMatching(/error: 0 of 3 pods were ready after 10 s\n  why: .*(claim|PersistentVolumeClaim|volume)/),
    ]);
  }, 60_000);
});
