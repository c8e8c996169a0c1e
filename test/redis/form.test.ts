/**
 * Forming on real servers, through the real engine; only Kubernetes is a table of pods. Killed at every command that it
 * sends: before it is sent, and after it was sent but before its reply was read (an unknown result, law L12).
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { interpret } from '../../pkg/cluster/interpret.ts';
import type { KubeFacts, Observation } from '../../pkg/cluster/model/observation.ts';
import type { ClusterState } from '../../pkg/cluster/model/state.ts';
import { planCreate } from '../../pkg/cluster/plan/create.ts';
import { isConverged } from '../../pkg/cluster/plan/form.ts';
import { systemClock } from '../../pkg/engine/clock.ts';
import { converge } from '../../pkg/engine/converge.ts';
import { observePods, type ObservePorts } from '../../pkg/engine/observe.ts';
import type { KubePort, RedisPort } from '../../pkg/engine/ports.ts';
import { applyStep } from '../../pkg/engine/steps/apply.ts';
import { createRedisPort } from '../../pkg/redis/connect.ts';
import { dyingRun } from '../support/dying-port.ts';
import { poll, startRedisServers, type RedisServers } from '../support/redis-server.ts';
import { specOf } from '../support/spec.ts';

const SPEC = specOf({ masters: 3, replicas: 1 });
const WORDS_OF_READING = new Set(['MYID', 'NODES']);

/** A port that dies at its `at`-th changing command. */
function dyingPort(
  real: RedisPort,
  at: number,
  when: 'before' | 'after',
): RedisPort & { readonly count: () => number } {
  const { run, changes } = dyingRun(real, at, when, (words) => !WORDS_OF_READING.has(String(words[1])));
  return { count: changes, ask: (pod, options) => real.ask(pod, options), run, close: () => undefined };
}

describe('forming real servers', () => {
  let redis: RedisServers;
  let port: RedisPort;
  let kube: KubeFacts;
  beforeAll(async () => {
    redis = await startRedisServers({
      count: 6,
      nodeTimeoutMs: 1000,
      config: [
        ['repl-diskless-sync-delay', '0'],
        ['cluster-allow-replica-migration', 'no'],
        ['cluster-require-full-coverage', 'no'],
      ],
    });
    port = createRedisPort({ dial: redis.dial, credentials: () => Promise.resolve(null) });
    const hosts = ['h1', 'h2', 'h3'];
    kube = {
      pods: redis.servers.map((server, index) => ({
        ...server.pod,
        name: `p-${index}`,
        host: hosts[index % 3] ?? '',
        owner: null,
        annotations: {},
      })),
      services: [],
      statefulSets: [],
      hosts: hosts.map((name, index) => ({ name, zone: `z${index}`, ready: true, schedulable: true })),
      claims: [],
      config: null,
      operation: null,
      gaps: [],
    };
  }, 60_000);
  afterAll(async () => {
    port.close();
    await redis.stop();
  });

  beforeEach(async () => {
    await Promise.all(kube.pods.map((pod) => port.run(pod, [['FLUSHALL']], 5000)));
    await Promise.all(
      kube.pods.map((pod) =>
        port.run(
          pod,
          [
            ['CLUSTER', 'RESET', 'HARD'],
            ['CONFIG', 'SET', 'cluster-node-timeout', 1000],
          ],
          5000,
        ),
      ),
    );
    await poll('six nodes that know nobody', 10_000, async () => {
      const answers = (await look()).replies.flatMap(({ reply }) => (reply.kind === 'answered' ? [reply.answer] : []));
      return answers.length === 6 && answers.every((answer) => answer.view.length === 1) ? true : null;
    });
  });

  function portsOf(redisPort: RedisPort): ObservePorts {
    return {
      kube: { readFacts: () => Promise.resolve(kube) } as unknown as KubePort,
      redis: redisPort,
      clock: systemClock,
    };
  }

  function look(redisPort: RedisPort = port): Promise<Observation> {
    return observePods(portsOf(redisPort), SPEC.cluster, kube, { deadlineMs: 2000, withConfig: true });
  }

  async function form(redisPort: RedisPort): Promise<ClusterState> {
    const signal = new AbortController().signal;
    const report = (): void => undefined;
    const deps = {
      ...portsOf(redisPort),
      spec: SPEC,
      report,
      signal,
      podsTimeoutMs: 1000,
      resume: 'again',
      ownsObjects: false,
    };
    const done = await converge({
      observe: () => look(redisPort),
      plan: (observation) =>
        planCreate({
          state: interpret(observation),
          kube: observation.kube,
          spec: SPEC,
          policy: { fastForming: false },
        }),
      apply: (step, observation) => applyStep(deps, step, observation),
      lease: { pass: () => Promise.resolve() },
      report,
      clock: systemClock,
      signal,
    });
    return interpret(done.last);
  }

  function expectWhole(state: ClusterState): void {
    expect(isConverged(state)).toBe(true);
    expect(state.contested).toEqual([]);
    expect(state.shards.map((shard) => [shard.primary !== null, shard.replicas.length])).toEqual([
      [true, 1],
      [true, 1],
      [true, 1],
    ]);
    expect(new Set(state.shards.map((shard) => shard.primary?.gossip?.configEpoch)).size).toBe(3);
    for (const shard of state.shards) expect(shard.replicas[0]?.host).not.toBe(shard.primary?.host);
  }

  test('from six fresh nodes to a whole cluster; then there is nothing to do', async () => {
    expectWhole(await form(port));
    const again = dyingPort(port, 1, 'before');
    expectWhole(await form(again));
    expect(again.count()).toBe(0);
  }, 60_000);

  test('slots that two fresh nodes were given are kept by one of them, and the cluster is formed', async () => {
    const [first, second] = kube.pods;
    if (first === undefined || second === undefined) throw new Error('no pods');
    for (const pod of [first, second]) await port.run(pod, [['CLUSTER', 'ADDSLOTSRANGE', 100, 110]], 5000);
    expectWhole(await form(port));
  }, 60_000);

  // 3 slots + 3 epochs, then 15 meetings (of which some are needless after the first), then 3 replicas.
  test.each([1, 2, 3, 4, 5, 6, 7, 9, 12, 14, 16, 17])(
    'killed at change %i, before and after it is sent: the next run finishes',
    async (at) => {
      for (const when of ['before', 'after'] as const) {
        const dying = dyingPort(port, at, when);
        await form(dying).catch((error: unknown) => expect(String(error)).toContain('killed'));
      }
      expectWhole(await form(port));
    },
    60_000,
  );

  test('a node that a handshake lost, so that it knows all and nobody knows it, is introduced again', async () => {
    await form(port);
    const [first, ...others] = redis.servers;
    if (first === undefined) throw new Error('no servers');
    const [id] = await port.run(first.pod, [['CLUSTER', 'MYID']], 2000);
    // Its replica keeps it: nobody forgets whom it follows.
    for (const { pod } of others) await port.run(pod, [['CLUSTER', 'FORGET', String(id)]], 2000);
    expectWhole(await form(port));
  }, 60_000);

  test('one node frozen: refused within the deadline, and named', async () => {
    redis.servers[4]?.kill('SIGSTOP');
    try {
      await expect(form(port)).rejects.toMatchObject({
        code: 'node-silent',
        message: expect.stringContaining("p-4 can't be asked (timeout"),
      });
    } finally {
      redis.servers[4]?.kill('SIGCONT');
    }
    expectWhole(await form(port));
  }, 60_000);

  test('keys in a fresh node: refused, and the keys are still there', async () => {
    const [pod] = kube.pods;
    if (pod === undefined) throw new Error('no pod');
    // Owning one slot makes it take a key; a second node with one more key would be just the same.
    await port.run(pod, [['CLUSTER', 'ADDSLOTS', 12182]], 5000);
    await poll('ok', 10_000, async () =>
      (await port.run(pod, [['SET', 'foo', 'bar']], 5000))[0] === 'OK' ? true : null,
    );
    await port.run(pod, [['CLUSTER', 'DELSLOTS', 12182]], 5000);
    await expect(form(port)).rejects.toMatchObject({
      code: 'node-not-empty',
      message: 'p-0 holds 1 keys and belongs to no cluster yet',
    });
    expect((await port.run(pod, [['DBSIZE']], 5000))[0]).toBe(1);
  }, 60_000);

  test('two clusters are not merged', async () => {
    const [a, b] = [kube.pods[0], kube.pods[1]];
    if (a === undefined || b === undefined) throw new Error('no pods');
    const others = { ...kube, pods: kube.pods.slice(1) };
    await port.run(a, [['CLUSTER', 'MEET', b.ip, b.port]], 5000);
    await poll('they know each other', 10_000, async () =>
      String((await port.run(b, [['CLUSTER', 'NODES']], 5000))[0])
        .split('\n')
        .filter((line) => line.includes('connected')).length === 2
        ? true
        : null,
    );
    const observation = await observePods(portsOf(port), SPEC.cluster, others, { deadlineMs: 2000 });
    const spec = specOf({ masters: 5, replicas: 0 });
    const plan = planCreate({ state: interpret(observation), kube: others, spec, policy: { fastForming: false } });
    expect(plan).toMatchObject({ kind: 'refused', code: 'foreign-node' });
  }, 60_000);
});
