/** `kubectl drain`, of one host and of two at once, while the cluster is written to. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { kubectl, type Ended } from '../../support/cli.ts';
import { describeCluster, openClusterEnv } from '../../support/cluster-env.ts';
import { createHosts, hostNames } from '../../support/survival/hosts.ts';
import { openTriedCluster, seconds, type TriedCluster } from '../../support/survival/tried-cluster.ts';

const OURS = 'kubectl-redis.io/cluster=redis';

/** A cluster with the checker on the first host, and the others, which may be drained. */
function drained(replicas: number): { readonly tried: () => TriedCluster; readonly hosts: () => readonly string[] } {
  let tried: TriedCluster;
  let hosts: readonly string[] = [];
  beforeAll(async () => {
    const env = await openClusterEnv();
    const [stays = '', ...others] = await hostNames(env);
    await env.close();
    hosts = others;
    tried = await openTriedCluster({ masters: 3, replicas, host: stays });
  }, 240_000);
  afterEach(() => createHosts().restore(tried.env), 240_000);
  afterAll(() => tried.close());
  return { tried: () => tried, hosts: () => hosts };
}

/** Only this cluster's pods: other tests' may be on the host, too. */
const drain = (tried: TriedCluster, host: string): Promise<Ended> =>
  kubectl(
    ['drain', host, '--ignore-daemonsets', '--delete-emptydir-data', `--pod-selector=${OURS}`, '--timeout=150s'],
    tried.env,
  );

const podsOn = async (tried: TriedCluster, host: string): Promise<number> =>
  (await tried.pods()).filter((pod) => pod.host === host && !pod.terminating).length;

describeCluster('a host with three nodes', () => {
  const cluster = drained(2);

  test('of three shards, all primaries, is drained under load: no client error', async () => {
    const [host = ''] = cluster.hosts();
    const tried = cluster.tried();
    const pods = (await tried.pods()).filter((pod) => pod.host === host);
    expect(pods).toHaveLength(3);
    await tried.lead(pods.map(({ name }) => name));
    await tried.checker.mark();
    const from = performance.now();
    const ended = await drain(tried, host);
    const drainSeconds = seconds(from);
    expect([ended.code, ended.stdout]).toEqual([0, expect.stringContaining(`${host} drained`)]);
    expect(await podsOn(tried, host)).toBe(0);
    await tried.kubectl('uncordon', host);
    const whole = await tried.whole(60_000);
    const settled = await tried.settle('a host with three primaries drained', {
      drained: drainSeconds,
      'whole after uncordon': whole,
    });
    expect([settled.clientErrors, settled.lost]).toEqual([0, 0]);
  }, 300_000);
});

describeCluster('two hosts', () => {
  const cluster = drained(1);

  test('drained at once: the second waits for the first and goes on', async () => {
    const [first = '', second = ''] = cluster.hosts();
    const tried = cluster.tried();
    await tried.checker.mark();
    const from = performance.now();
    const ended = await Promise.all([drain(tried, first), drain(tried, second)]);
    const drainSeconds = seconds(from);
    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
    const waited = ended.map(({ stderr }) => stderr).join('');
    expect(waited).toContain("Cannot evict pod as it would violate the pod's disruption budget");
    await tried.kubectl('uncordon', first, second);
    const whole = await tried.whole(60_000);
    const settled = await tried.settle('two hosts drained at once', {
      'both drained': drainSeconds,
      'whole after uncordon': whole,
    });
    // Up to three primaries hand over in one moment, and votes may tie: clients then wait for the next election, and may give up.
    expect(settled.lost).toBe(0);
  }, 400_000);
});
