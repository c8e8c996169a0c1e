/** Volumes lost while the cluster is written to: the nodes come back as replicas by themselves, and no key is lost. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeCluster, until } from '../../support/cluster-env.ts';
import {
  allRunning,
  answersOf,
  CLIENT,
  inPod,
  openTriedCluster,
  type TriedCluster,
} from '../../support/survival/tried-cluster.ts';

describeCluster('volumes', () => {
  let tried: TriedCluster;
  beforeAll(async () => {
    tried = await openTriedCluster({ masters: 3, replicas: 1, args: ['--config', 'enable-debug-command=local'] });
  }, 240_000);
  afterAll(() => tried.close());

  const idOf = async (pod: string): Promise<string> => answersOf(await tried.look()).get(pod)?.myId ?? '';
  /** Claim and pod at once. */
  const lose = async (pod: string): Promise<void> => {
    await tried.kubectl('delete', 'pvc', `data-${pod}`, '--wait=false');
    await tried.kubectl('delete', 'pod', pod, '--grace-period=0', '--force');
  };
  /** Resolves when the pod is a replica with another identity in a cluster that is whole. */
  const backAsReplica = async (pod: string, oldId: string, withinMs: number): Promise<number> => {
    const back = await tried.untilSeen(
      `${pod} serves again as a replica`,
      (seen) => {
        const answer = answersOf(seen).get(pod);
        return answer !== undefined && answer.myId !== oldId && answer.info.primaryLinkUp === true;
      },
      withinMs,
    );
    await tried.whole(30_000);
    return back;
  };

  test("a primary's: its replica takes over, it comes back as a replica", async () => {
    const { primary } = await tried.firstShard();
    const id = await idOf(primary.name);
    await lose(primary.name);
    const back = await backAsReplica(primary.name, id, 60_000);
    await tried.settle("a primary's volume lost", { 'replica again after': back });
  }, 150_000);

  test("a primary's emptied under a crash, so that it is back before anybody has missed it", async () => {
    const { primary } = await tried.firstShard();
    const id = await idOf(primary.name);
    await inPod(tried.env, primary.name, `cd /var/lib/redis && rm -rf ./* ./.[!.]*; ${CLIENT} debug segfault`);
    const back = await backAsReplica(primary.name, id, 60_000);
    await tried.settle("a primary's volume emptied, its process crashed", { 'replica again after': back });
  }, 150_000);

  test("a replica's: no client notices", async () => {
    const { replica } = await tried.firstShard();
    const id = await idOf(replica.name);
    await lose(replica.name);
    const back = await backAsReplica(replica.name, id, 60_000);
    const settled = await tried.settle("a replica's volume lost", { 'replica again after': back });
    expect([settled.clientErrors, settled.lost]).toEqual([0, 0]);
  }, 150_000);

  test("a primary's during a restart of everything", async () => {
    const { primary } = await tried.firstShard();
    const id = await idOf(primary.name);
    const before = new Set((await tried.pods()).map(({ uid }) => uid));
    await tried.kubectl('delete', 'pvc', `data-${primary.name}`, '--wait=false');
    await tried.kubectl('delete', 'pod', primary.name, '--grace-period=0', '--force');
    await tried.kubectl('delete', 'pods', '-l', 'kubectl-redis.io/cluster=redis', '--wait=false');
    const running = await tried.untilSeen(
      'new pods run',
      (seen) => allRunning(seen, 6) && seen.kube.pods.every(({ uid }) => !before.has(uid)),
      120_000,
    );
    const back = await backAsReplica(primary.name, id, 60_000);
    await tried.settle("a primary's volume lost during a restart of everything", {
      'pods run after': running,
      'replica again after that': back,
    });
  }, 240_000);

  test('while its only replica is away: the guard waits, status and nodes say so, and the replica brings it back', async () => {
    const { primary, replica } = await tried.firstShard();
    const id = await idOf(primary.name);
    const set = `statefulset/${replica.name.replace(/-0$/, '')}`;
    await tried.kubectl('scale', set, '--replicas=0');
    await tried.untilSeen('no replica', ({ kube }) => kube.pods.length === 5, 60_000);
    await lose(primary.name);
    try {
      const waiting = `waiting for the cluster to let go of node ${id}`;
      for (const verb of ['nodes', 'status']) {
        await until(
          () => tried.run(verb, 'redis', '-o', 'json'),
          ({ stdout }) => stdout.includes(waiting),
          60_000,
        );
        expect((await tried.run(verb, 'redis')).stdout.replace(/\s+/g, ' ')).toContain(
          'waiting for the cluster to let go',
        );
      }
    } finally {
      await tried.kubectl('scale', set, '--replicas=1');
    }
    const back = await backAsReplica(primary.name, id, 60_000);
    await tried.settle("a primary's volume lost while its replica was away", { 'replica again after': back });
  }, 240_000);
});
