/** Pods deleted and killed, gently and hard: a cluster that was written to all the while heals by itself. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeCluster } from '../../support/cluster-env.ts';
import { allRunning, openTriedCluster, seconds, type TriedCluster } from '../../support/survival/tried-cluster.ts';

describeCluster('pods', () => {
  let tried: TriedCluster;
  beforeAll(async () => {
    tried = await openTriedCluster({ masters: 3, replicas: 1 });
  }, 240_000);
  afterAll(() => tried.close());

  test('all deleted at once: served again within 30 s of their running, with every link up', async () => {
    const before = new Set((await tried.pods()).map(({ uid }) => uid));
    await tried.kubectl('delete', 'pods', '-l', 'kubectl-redis.io/cluster=redis', '--wait=false');
    const running = await tried.untilSeen(
      'six new pods run',
      (seen) => allRunning(seen, 6) && seen.kube.pods.every(({ uid }) => !before.has(uid)),
      120_000,
    );
    const from = performance.now();
    await tried.whole(30_000);
    await tried.settle('all pods deleted at once', { 'pods running': running, 'whole after that': seconds(from) });
  }, 240_000);
});
