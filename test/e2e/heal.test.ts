/** What is lost comes back by itself: pods with all new addresses, a primary with its volume. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cli } from '../support/cli.ts';
import { describeCore, openClusterEnv, until, type ClusterEnv } from '../support/cluster-env.ts';
import { manyInRedis, slotsOf } from '../support/seen-cluster.ts';

const KEYS = Array.from({ length: 200 }, (_, i) => i);

describeCore('what is lost comes back by itself', () => {
  let env: ClusterEnv;
  beforeAll(async () => {
    env = await openClusterEnv();
    expect((await cli(['create', 'redis', '--storage', '100Mi'], env)).code).toBe(0);
    const written = await onAll((i) => ['SET', `key:${i}`, `value:${i}`]);
    expect(written).toEqual(KEYS.map(() => 'OK'));
  }, 240_000);
  afterAll(() => env.close());

  function onAll(command: (i: number) => readonly [string, ...string[]]): Promise<readonly string[]> {
    return manyInRedis(env.namespace, 'redis-2-0', KEYS.map(command));
  }

  /** All pods ready, then health good and every key there: nobody typed anything. */
  async function whole(): Promise<void> {
    await until(
      async () => (await env.kube.readFacts({ namespace: env.namespace, name: 'redis' })).pods,
      (pods) => pods.length === 6 && pods.every((pod) => pod.ready && !pod.terminating),
      90_000,
    );
    // Servers that have just started say that all is well before they know, and then refuse for a moment.
    const values = KEYS.map((i) => `value:${i}`);
    await until(
      () => onAll((i) => ['GET', `key:${i}`]),
      (found) => found.every((value, i) => value === values[i]),
      30_000,
    );
    await until(
      async () => (await cli(['status', 'redis', '-o', 'json'], env)).stdout,
      (text) => text !== '' && (JSON.parse(text) as { health: { level: string } }).health.level === 'healthy',
      90_000,
    );
  }

  test('a primary and its volume: its replica takes over, it comes back as a replica, with every key', async () => {
    const before = await slotsOf(env.namespace, 'redis');
    const pod = before.shards[0]?.primary?.pod ?? '';
    expect(pod).not.toBe('redis-2-0');
    const claim = await env.kube.get('v1', 'PersistentVolumeClaim', `data-${pod}`);
    await env.kube.remove('v1', 'PersistentVolumeClaim', `data-${pod}`);
    await env.kube.remove('v1', 'Pod', pod, { graceSeconds: 0 });
    const after = await until(
      () => slotsOf(env.namespace, 'redis'),
      ({ shards }) => shards.length === 3 && shards[0]?.replicas.some((replica) => replica.pod === pod) === true,
      120_000,
    );
    expect(after.shards[0]?.primary?.pod).toBe(before.shards[0]?.replicas[0]?.pod);
    const anew = await env.kube.get('v1', 'PersistentVolumeClaim', `data-${pod}`);
    expect(anew?.metadata.uid).not.toBe(claim?.metadata.uid);
    await whole();
  }, 240_000);

  test('all pods deleted at once: other addresses, the same cluster, every key', async () => {
    const facts = async (): Promise<readonly { readonly name: string; readonly uid: string; readonly ip: string }[]> =>
      (await env.kube.readFacts({ namespace: env.namespace, name: 'redis' })).pods;
    const before = await facts();
    await Promise.all(before.map(({ name, uid }) => env.kube.remove('v1', 'Pod', name, { uid })));
    const uids = new Set(before.map(({ uid }) => uid));
    const after = await until(facts, (pods) => pods.length === 6 && pods.every(({ uid }) => !uids.has(uid)), 120_000);
    expect(after.map(({ name }) => name).sort()).toEqual(before.map(({ name }) => name).sort());
    await whole();
  }, 300_000);
});
