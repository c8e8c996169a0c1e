/** Pods deleted and killed, gently and hard: a cluster that was written to all the while heals by itself. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Observation, PodFacts } from '../../../pkg/cluster/model/observation.ts';
import { describeCluster } from '../../support/cluster-env.ts';
import {
  CLIENT,
  inPod,
  allRunning,
  isWhole,
  openTriedCluster,
  othersAreWhole,
  type TriedCluster,
} from '../../support/survival/tried-cluster.ts';

const isNew = (seen: Observation, pod: PodFacts): boolean =>
  seen.kube.pods.some(({ name, uid }) => name === pod.name && uid !== pod.uid);

describeCluster('pods', () => {
  let tried: TriedCluster;
  beforeAll(async () => {
    // DEBUG SEGFAULT is how a process 1 can be crashed from inside.
    tried = await openTriedCluster({ masters: 3, replicas: 2, args: ['--config', 'enable-debug-command=local'] });
  }, 240_000);
  afterAll(() => tried.close());

  /** Seconds until links are up again: those of the others, who have a primary, or all, where the pod is back before them. */
  const othersWhole = (pod: PodFacts, withinMs: number): Promise<number> =>
    tried.untilSeen(
      'the others',
      (seen) => othersAreWhole(seen, new Set([pod.name])) || (isNew(seen, pod) && isWhole(seen)),
      withinMs,
    );

  test('all deleted at once: every slot served and every link up within 30 s of their running', async () => {
    const before = new Set((await tried.pods()).map(({ uid }) => uid));
    await tried.kubectl('delete', 'pods', '-l', 'kubectl-redis.io/cluster=redis', '--wait=false');
    const running = await tried.untilSeen(
      'new pods run',
      (seen) => allRunning(seen, 9) && seen.kube.pods.every(({ uid }) => !before.has(uid)),
      120_000,
    );
    const whole = await tried.whole(30_000);
    await tried.settle('all pods deleted at once', { 'pods run after': running, 'whole after that': whole });
  }, 240_000);

  test("a primary's deleted: the others' links up within 10 s, no client error", async () => {
    const { primary } = await tried.firstShard();
    await tried.kubectl('delete', 'pod', primary.name, '--wait=false');
    const others = await othersWhole(primary, 10_000);
    const whole = await tried.whole(60_000);
    const settled = await tried.settle("a primary's pod deleted", { "others' links up": others, whole });
    expect([settled.clientErrors, settled.lost]).toEqual([0, 0]);
  }, 120_000);

  test('a crashed process: links up within 30 s', async () => {
    const { primary } = await tried.firstShard();
    await inPod(tried.env, primary.name, `${CLIENT} debug segfault`);
    await tried.untilSeen(
      'restarted container',
      ({ kube }) => kube.pods.some((pod) => pod.name === primary.name && pod.container.restarts > 0),
      30_000,
    );
    const whole = await tried.whole(30_000);
    await tried.settle("a primary's process crashed", { whole });
  }, 120_000);

  test('a primary deleted with --grace-period=0 --force: links up within 30 s', async () => {
    const { primary } = await tried.firstShard();
    await tried.kubectl('delete', 'pod', primary.name, '--grace-period=0', '--force');
    const others = await othersWhole(primary, 30_000);
    const whole = await tried.whole(30_000);
    await tried.settle("a primary's pod deleted by force", { "others' links up": others, whole });
  }, 120_000);
});
