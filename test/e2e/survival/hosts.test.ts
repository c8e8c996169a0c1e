/** Hosts that crash, hosts and an API server that are cut off, while the cluster is written to from a host that stays. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { PodFacts } from '../../../pkg/cluster/model/observation.ts';
import { openClusterEnv } from '../../support/cluster-env.ts';
import { away, createHosts, describeHosts, hostNames, LONG, testApi } from '../../support/survival/hosts.ts';
import { openTriedCluster, othersAreWhole, type TriedCluster } from '../../support/survival/tried-cluster.ts';

/** One pod of each shard, all on different hosts; every host has one of each shard. */
function onePerHost(pods: readonly PodFacts[]): readonly string[] {
  const hosts = [...new Set(pods.map(({ host }) => host ?? ''))].sort((a, b) => a.localeCompare(b));
  return hosts.flatMap((host, index) =>
    pods.filter((pod) => pod.host === host && pod.labels[SHARD] === String(index + 1)).map(({ name }) => name),
  );
}

const SHARD = 'kubectl-redis.io/shard';
const long = LONG ? ', for minutes' : '';

describeHosts('hosts', () => {
  const hosts = createHosts();
  let tried: TriedCluster;
  let stays = '';
  beforeAll(async () => {
    const env = await openClusterEnv();
    stays = (await hostNames(env))[0] ?? '';
    await env.close();
    tried = await openTriedCluster({ masters: 3, replicas: 2, host: stays });
  }, 240_000);
  afterEach(() => hosts.restore(tried.env), 240_000);
  afterAll(() => tried.close());

  /** Gives every host a primary; then a host other than that of the checker, and the pods on it. */
  const victim = async (): Promise<{ readonly host: string; readonly pods: ReadonlySet<string> }> => {
    const pods = await tried.pods();
    await tried.lead(onePerHost(pods));
    await tried.checker.mark();
    const host = pods.map((pod) => pod.host ?? '').find((name) => name !== stays) ?? '';
    return { host, pods: new Set(pods.filter((pod) => pod.host === host).map(({ name }) => name)) };
  };

  const servedWithout = (pods: ReadonlySet<string>): Promise<number> =>
    tried.untilSeen('the others', (seen) => othersAreWhole(seen, pods), 60_000);

  test(`one crashes${long} and is back`, async () => {
    const { host, pods } = await victim();
    await hosts.crash(host);
    const others = await servedWithout(pods);
    await away({ short: 0, long: 120 });
    await hosts.boot(host);
    const whole = await tried.whole(120_000);
    await tried.settle(`a host crashed${long}, and back`, { 'others whole': others, 'whole after boot': whole });
  }, 400_000);

  test(`one is cut off${long} and joined`, async () => {
    const { host, pods } = await victim();
    await hosts.cut(host);
    const others = await servedWithout(pods);
    await away({ short: 0, long: 120 });
    await hosts.join(host);
    const whole = await tried.whole(120_000);
    await tried.settle(`a host cut off${long}, and joined`, { 'others whole': others, 'whole after joining': whole });
  }, 400_000);

  test(`all but one are cut off${long} and joined`, async () => {
    await victim();
    const gone = (await hostNames(tried.env)).filter((name) => name !== stays);
    await Promise.all(gone.map((host) => hosts.cut(host)));
    await away({ short: 15, long: 180 });
    await Promise.all(gone.map((host) => hosts.join(host)));
    const whole = await tried.whole(120_000);
    await tried.settle(`all hosts but one cut off${long}, and joined`, { 'whole after joining': whole });
  }, 500_000);

  testApi(
    `the API server is away${LONG ? ' for a minute' : ''}: nothing changes for clients`,
    async () => {
      await tried.whole(60_000);
      await tried.checker.mark();
      await hosts.pauseApi();
      await away({ short: 10, long: 60 });
      await hosts.continueApi();
      const settled = await tried.settle(`the API server away${LONG ? ' for a minute' : ''}`, {});
      expect([settled.clientErrors, settled.lost]).toEqual([0, 0]);
      expect(settled.longestGapMs).toBeLessThan(1_000);
      await tried.whole(60_000);
    },
    240_000,
  );
});
