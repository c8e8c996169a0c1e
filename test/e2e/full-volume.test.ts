/** K20: a primary whose volume is full, on pods that people brought with a volume of six mebibytes. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cli, IMAGE, kubectl, type Ended } from '../support/cli.ts';
import { describeCluster, openClusterEnv, until, type ClusterEnv } from '../support/cluster-env.ts';
import { inRedis } from '../support/seen-cluster.ts';

const POD = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'full' },
  spec: {
    serviceName: 'full',
    replicas: 6,
    podManagementPolicy: 'Parallel',
    selector: { matchLabels: { app: 'full' } },
    template: {
      metadata: { labels: { app: 'full', 'kubectl-redis.io/cluster': 'full' } },
      spec: {
        containers: [{ name: 'redis', image: IMAGE, imagePullPolicy: 'IfNotPresent' }],
        volumes: [{ name: 'data', emptyDir: { medium: 'Memory', sizeLimit: '6Mi' } }],
      },
    },
  },
};
/** 200 keys of 2000 bytes in one slot. */
const FILL = `for i = ARGV[1], ARGV[1] + 199 do redis.call('SET', KEYS[1] .. i, string.rep('x', 2000)) end return 1`;

describeCluster('K20: a full volume', () => {
  let env: ClusterEnv;
  const run = (...args: string[]): Promise<Ended> => cli(args, { namespace: env.namespace });
  beforeAll(async () => {
    env = await openClusterEnv();
    const options = { namespace: env.namespace };
    const injected = await cli(['inject', '-f', '-'], { ...options, input: JSON.stringify(POD) });
    const applied = await kubectl(['apply', '-f', '-'], { ...options, input: injected.stdout });
    const made = await run('create', 'full', '--replicas', '1');
    expect([applied.code, made.code]).toEqual([0, 0]);
  }, 180_000);
  afterAll(() => env.close());

  test('is a critical problem with the slots, health says so, and no slot moves', async () => {
    const owner = JSON.parse((await run('slots', 'full', '--key', '{a}', '-o', 'json')).stdout) as {
      readonly primary: { readonly pod: string };
      readonly slot: number;
    };
    const { pod } = owner.primary;
    await until(
      async () => {
        for (let from = 0; from < 4_000; from += 200)
          await inRedis(env.namespace, pod, 'EVAL', FILL, '1', '{a}', String(from));
        return inRedis(env.namespace, pod, 'SET', '{a}', 'x');
      },
      (reply) => reply.startsWith('MISCONF'),
      60_000,
    );
    const check = await run('check', 'full');
    expect([check.code, check.stdout]).toEqual([
      3,
      expect.stringMatching(
        new RegExp(
          `^critical +writes-refused\\n +${pod}, a primary, refuses writes \\(MISCONF: .*can be read, not written`,
        ),
      ),
    ]);
    expect((await run('status', 'full')).stdout).toMatch(new RegExp(`: broken\\n${pod}, a primary, refuses writes`));
    expect((await run('slots', 'full')).stdout).toMatch(new RegExp(`primary +${pod} .*refuses writes \\(MISCONF\\)`));
    const moved = await run('rebalance', 'full', '--weight', `${pod}=0.5`, '--yes');
    expect([moved.code, moved.stderr]).toEqual([3, expect.stringMatching(new RegExp(`error: ${pod} refuses writes`))]);
    expect((await run('slots', 'full')).stdout).not.toContain('open');
  }, 180_000);
});
