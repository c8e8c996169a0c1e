/**
 * K2: the printed manifests are applied again every few seconds, as a GitOps tool does, while a cluster is made, changed, restarted, repaired
 * and loses volumes. Nothing is lost, and no verb is undone.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cli, kubectl, type Ended } from '../support/cli.ts';
import { describeCluster, onPlayground, openClusterEnv, until, type ClusterEnv } from '../support/cluster-env.ts';
import { MANAGERS, startGitLoop, type GitLoop, type Way } from '../support/git-loop.ts';
import { expectHealthy, slotsOf } from '../support/seen-cluster.ts';
import { startWritingKeys, type WrittenKeys } from '../support/written-keys.ts';

const WAYS: readonly Way[] = ['client-side apply', 'server-side apply with force', 'replace'];
const EVERY_MS = 10_000;
/** Another image that the hosts have, of the same version or a later one; on the playground an image is only a name. */
const NEXT_IMAGE = process.env['E2E_NEXT_IMAGE'] ?? (onPlayground ? 'docker.io/library/redis:8.5' : '');

interface Found {
  readonly code: string;
  readonly severity: string;
  readonly subject: string | null;
  readonly sentence: string;
}

/** Nothing but what the manifests changed. */
const isQuiet = (found: readonly Found[]): boolean =>
  found.every(({ code, severity }) => code.startsWith('objects-') || severity === 'info');

describeCluster('GitOps', () => {
  describe.each(WAYS)('%s', (way) => {
    let env: ClusterEnv;
    let loop: GitLoop | null = null;
    let keys: WrittenKeys | null = null;
    let manifests = '';
    beforeAll(async () => {
      env = await openClusterEnv();
      const printed = await cli(['create', 'redis', '--storage', '100Mi', '--dry-run'], env);
      expect([printed.code, printed.stderr]).toEqual([0, '']);
      manifests = printed.stdout;
      // Who replaces must have made them before.
      if (way === 'replace')
        expect((await kubectl(['create', '-f', '-'], { ...env, input: manifests })).stderr).toBe('');
      loop = startGitLoop(env, manifests, way, EVERY_MS);
    }, 60_000);
    afterAll(async () => {
      await keys?.end();
      await stopLoop();
      await env.close();
    });

    const stopLoop = async (): Promise<number> => {
      const times = await loop?.stop();
      loop = null;
      return times ?? 0;
    };

    const must = async (...args: readonly string[]): Promise<Ended> => {
      // A host that is busy with others may be slow to answer; the same command goes on.
      const ended = await until(
        () => cli([...args, '--yes'], env),
        ({ code, stderr }) => code === 0 || !/does not answer|can't be asked|timed out/.test(stderr),
        240_000,
      );
      if (ended.code !== 0) throw new Error(`${args.join(' ')}: exit code ${ended.code}: ${ended.stderr}`);
      return ended;
    };
    const problems = async (): Promise<readonly Found[]> => {
      const { stdout } = await cli(['check', 'redis', '-o', 'json'], env);
      return stdout === '' ? [] : (JSON.parse(stdout) as { readonly items: readonly Found[] }).items;
    };
    const shape = async (): Promise<readonly number[]> =>
      (await slotsOf(env.namespace, 'redis')).shards.map(({ replicas }) => replicas.length);
    const expectNothingLost = async (): Promise<void> => {
      const { written, lost } = (await keys?.missing()) ?? { written: 0, lost: [] };
      expect(lost).toEqual([]);
      expect(written).toBeGreaterThan(100);
    };

    test('create', async () => {
      await must('create', 'redis', '--storage', '100Mi');
      expect(await shape()).toEqual([1, 1, 1]);
      await loop?.again();
      // Who replaces takes the address out of the templates; nothing else is to be done, and no pod goes.
      expect((await cli(['create', 'redis'], env)).stdout).toMatch(
        way === 'replace' ? /is ready|already/ : /is there already/,
      );
      keys = startWritingKeys(env, 'redis', 'redis-2-0');
    }, 300_000);

    test('scale up: its record stays, and the copy that the manifest took back is named with who did it', async () => {
      await must('scale', 'redis', '--masters', '4');
      await loop?.again();
      expect(await shape()).toEqual([1, 1, 1, 1]);
      const found = await until(problems, (list) => list.some(({ subject }) => subject === 'Service/redis'), 60_000);
      expect(found.filter(({ severity }) => severity === 'critical')).toEqual([]);
      expect(found.find(({ subject }) => subject === 'Service/redis')).toMatchObject({
        code: 'objects-differ',
        sentence: expect.stringMatching(new RegExp(`says masters: 3, .*; ${MANAGERS[way]} wrote it last`)),
      });
      // Nothing is begun again from the old shape; the addresses that `replace` took out of templates are put back at most.
      expect((await must('scale', 'redis', '--masters', '4')).stdout).toMatch(
        way === 'replace' ? /has its new shape|Nothing was changed/ : /Nothing was changed/,
      );
      expect(await shape()).toEqual([1, 1, 1, 1]);
      await expectNothingLost();
    }, 400_000);

    test('a restart of every pod', async () => {
      await must('restart', 'redis');
      await loop?.again();
      await expectNothingLost();
    }, 400_000);

    test('scale down', async () => {
      await must('scale', 'redis', '--masters', '3');
      await loop?.again();
      expect(await shape()).toEqual([1, 1, 1]);
      await expectNothingLost();
    }, 400_000);

    test.each(['1', '2'])(
      'the volume of the primary of shard %s is lost: its replica takes over',
      async (shard) => {
        // By what is there now: the volumes of both nodes of a shard would be all that there is of it.
        await until(problems, isQuiet, 120_000);
        await keys?.hold();
        await loop?.again();
        const primaryOf = async () => (await slotsOf(env.namespace, 'redis')).shards.find(({ name }) => name === shard);
        const pod = (await primaryOf())?.primary?.pod ?? '';
        await env.kube.remove('v1', 'PersistentVolumeClaim', `data-${pod}`);
        await env.kube.remove('v1', 'Pod', pod, { graceSeconds: 0 });
        await until(
          primaryOf,
          (seen) => seen?.primary?.pod !== pod && seen?.replicas.some((replica) => replica.pod === pod) === true,
          200_000,
        );
        await expectNothingLost();
        keys?.resume();
      },
      400_000,
    );

    test('fix takes back what the manifests changed, once they are applied no more', async () => {
      // While they are, it ends, and leaves nothing that is critical.
      expect([0, 3]).toContain((await cli(['fix', 'redis', '--yes'], env)).code);
      expect((await problems()).filter(({ severity }) => severity === 'critical')).toEqual([]);
      expect(await stopLoop()).toBeGreaterThan(10);
      await until(
        () => cli(['fix', 'redis', '--yes'], env),
        ({ code }) => code === 0,
        120_000,
      );
      await expectHealthy(env, 'redis', 60_000);
      await expectNothingLost();
    }, 300_000);

    (NEXT_IMAGE === '' ? test.skip : test)(
      'restart with another image than Git has stops, and names who',
      async () => {
        await stopLoop();
        loop = startGitLoop(env, manifests, way, 500);
        const ended = await cli(['restart', 'redis', '--image', NEXT_IMAGE, '--yes'], env);
        await stopLoop();
        expect([ended.code, ended.stderr]).toEqual([
          1,
          expect.stringContaining(`${MANAGERS[way]} has put StatefulSet `),
        ]);
        expect(ended.stderr).toContain('kubectl redis create redis --dry-run prints what to commit');
        // What is to be committed, and then it goes on to its end.
        const next = await cli(['create', 'redis', '--dry-run'], env);
        expect(next.stdout).toContain(`image: ${NEXT_IMAGE}`);
        loop = startGitLoop(env, next.stdout, way, EVERY_MS);
        await loop.again();
        await must('restart', 'redis');
        const { pods } = await env.kube.readFacts({ namespace: env.namespace, name: 'redis' });
        expect(new Set(pods.map(({ container }) => container.image))).toEqual(new Set([NEXT_IMAGE]));
        await expectNothingLost();
      },
      500_000,
    );
  });
});
