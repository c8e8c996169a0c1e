/** K2: the manifests that an older version printed, applied over a cluster of this one; and objects that were deleted. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cli, kubectl } from '../support/cli.ts';
import { describeCluster, describeCore, openClusterEnv, until, type ClusterEnv } from '../support/cluster-env.ts';
import { MANAGERS, startGitLoop, type Way } from '../support/git-loop.ts';
import { printedBefore } from '../support/printed-before.ts';
import { expectHealthy, slotsOf } from '../support/seen-cluster.ts';
import { startWritingKeys, type WrittenKeys } from '../support/written-keys.ts';

const EVERY_MS = 10_000;

interface Found {
  readonly code: string;
  readonly severity: string;
  readonly subject: string | null;
  readonly sentence: string;
}

/** A cluster of 3x1 with keys; `redis-2-0` is whom clients ask. */
function useCluster(): {
  readonly env: () => ClusterEnv;
  readonly keys: () => WrittenKeys;
  readonly problems: () => Promise<readonly Found[]>;
  readonly fix: () => Promise<void>;
  readonly loseVolume: (shard: string) => Promise<void>;
  readonly expectNothingLost: () => Promise<void>;
} {
  let env: ClusterEnv | null = null;
  let keys: WrittenKeys | null = null;
  const there = <T>(value: T | null): T => {
    if (value === null) throw new Error('there is no cluster');
    return value;
  };
  beforeAll(async () => {
    env = await openClusterEnv();
    const { namespace } = env;
    await until(
      () => cli(['create', 'redis', '--storage', '100Mi'], { namespace }),
      ({ code }) => code === 0,
      200_000,
    );
    keys = startWritingKeys(env, 'redis', 'redis-2-0');
  }, 240_000);
  afterAll(async () => {
    await keys?.end();
    await env?.close();
  });
  const problems = async (): Promise<readonly Found[]> => {
    const { stdout } = await cli(['check', 'redis', '-o', 'json'], there(env));
    return stdout === '' ? [] : (JSON.parse(stdout) as { readonly items: readonly Found[] }).items;
  };
  const expectNothingLost = async (): Promise<void> => {
    const { written, lost } = await there(keys).missing();
    expect(lost).toEqual([]);
    expect(written).toBeGreaterThan(0);
  };
  return {
    env: () => there(env),
    keys: () => there(keys),
    problems,
    expectNothingLost,
    fix: async () => {
      await until(
        () => cli(['fix', 'redis', '--yes'], there(env)),
        ({ code }) => code === 0,
        120_000,
      );
      await expectHealthy(there(env), 'redis', 60_000);
    },
    loseVolume: async (shard) => {
      const { kube, namespace } = there(env);
      await until(problems, isQuiet, 120_000);
      await there(keys).hold();
      const seen = async () => (await slotsOf(namespace, 'redis')).shards.find(({ name }) => name === shard);
      const pod = (await seen())?.primary?.pod ?? '';
      await kube.remove('v1', 'PersistentVolumeClaim', `data-${pod}`);
      await kube.remove('v1', 'Pod', pod, { graceSeconds: 0 });
      const isReplica = (one: Awaited<ReturnType<typeof seen>>): boolean =>
        one?.primary?.pod !== pod && one?.replicas.some((replica) => replica.pod === pod) === true;
      await until(seen, isReplica, 200_000);
      await expectNothingLost();
      there(keys).resume();
    },
  };
}

/** Nothing but what the manifests changed. */
const isQuiet = (found: readonly Found[]): boolean =>
  found.every(({ code, severity }) => code.startsWith('objects-') || severity === 'info');

describeCluster('manifests that an older version printed', () => {
  const { env, problems, fix, loseVolume, expectNothingLost } = useCluster();

  describe.each(['client-side apply', 'server-side apply with force'] as const)('%s', (way) => {
    test('in a loop: the templates still know the record, and a lost volume costs nothing; it is named, and fix mends it', async () => {
      const loop = startGitLoop(env(), await printedBefore(env()), way, EVERY_MS);
      try {
        await loop.again();
        const found = await until(problems, (list) => list.length > 0, 60_000);
        expect(found.filter(({ severity }) => severity === 'critical')).toEqual([]);
        expect(found.find(({ subject }) => subject === 'ConfigMap/redis-config')?.sentence).toMatch(
          new RegExp(`holds an old record .formed: false. that no pod reads; ${MANAGERS[way]} wrote it last`),
        );
        await loseVolume('1');
      } finally {
        await loop.stop();
      }
      await fix();
    }, 500_000);
  });

  test('replaced: critical at once, with who did it; fix puts it right, and then a lost volume costs nothing', async () => {
    const way: Way = 'replace';
    const loop = startGitLoop(env(), await printedBefore(env()), way, 3_600_000);
    await loop.stop();
    const found = await until(problems, (list) => list.length > 0, 60_000);
    const unsafe = found.filter(({ code }) => code === 'objects-unsafe').map(({ subject }) => subject);
    expect(unsafe).toEqual([1, 2, 3, 4, 5, 6].map((n) => `StatefulSet/redis-${n}`));
    // A replace that only takes fields away leaves no trace in managedFields: then the last one is whoever wrote before.
    expect(found[0]?.sentence).toMatch(/; (kubectl-replace|argocd-controller) wrote it last, at /);
    await fix();
    await loseVolume('2');
    await fix();
  }, 500_000);

  test('everything that Git holds deleted: create makes it again from the record, with every key', async () => {
    // The addresses are free then for others: nodes may get new ones.
    const { stderr } = await kubectl(['delete', '-f', '-', '--wait=false'], {
      ...env(),
      input: await printedBefore(env()),
    });
    expect(stderr).toBe('');
    await until(
      () => env().kube.list('v1', 'Pod', { selector: 'kubectl-redis.io/cluster=redis' }),
      (pods) => pods.length === 0,
      120_000,
    );
    await until(
      () => cli(['create', 'redis'], env()),
      ({ code }) => code === 0,
      240_000,
    );
    await fix();
    await expectNothingLost();
  }, 500_000);
});

describeCore('objects that must be remembered by, deleted', () => {
  const { env, problems, fix, loseVolume, expectNothingLost } = useCluster();
  const objects = {
    'formed-mark-missing': ['v1', 'ConfigMap', 'redis-state'],
    'config-missing': ['v1', 'ConfigMap', 'redis-config'],
    'client-service-missing': ['v1', 'Service', 'redis'],
  } as const;

  test.each([
    ['NAME-state', ['formed-mark-missing']],
    ['NAME-config', ['config-missing']],
    ['Service NAME', ['client-service-missing']],
    ['all three', ['formed-mark-missing', 'config-missing', 'client-service-missing']],
  ] as const)(
    '%s: named as critical, restored, nothing lost',
    async (_, codes) => {
      const before = await env().kube.get('v1', 'ConfigMap', 'redis-state');
      for (const code of codes) {
        const [apiVersion, kind, name] = objects[code];
        await env().kube.remove(apiVersion, kind, name);
      }
      const critical = async (): Promise<readonly string[]> =>
        (await problems()).filter(({ severity }) => severity === 'critical').map(({ code }) => code);
      expect(await until(critical, (found) => found.length === codes.length, 60_000)).toEqual([...codes]);
      await fix();
      const after = await env().kube.get('v1', 'ConfigMap', 'redis-state');
      const specOf = (object: typeof after): unknown =>
        JSON.parse((object?.['data'] as Record<string, string> | undefined)?.['spec'] ?? '{}');
      expect(specOf(after)).toEqual(specOf(before));
      await expectNothingLost();
    },
    240_000,
  );

  test('and a lost volume costs nothing after that', async () => {
    await loseVolume('3');
    await fix();
  }, 400_000);
});
