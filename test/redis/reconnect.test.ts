/**
 * Real servers that come back with their data at other addresses, as pods do whose Services were made anew: nobody finds
 * anybody. What `create` plans then, through the real engine; only Kubernetes is a table of pods.
 */
import { setMaxListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { interpret } from '../../pkg/cluster/interpret.ts';
import type { KubeFacts, Observation } from '../../pkg/cluster/model/observation.ts';
import { planCreate } from '../../pkg/cluster/plan/create.ts';
import { isConverged } from '../../pkg/cluster/plan/form.ts';
import { systemClock } from '../../pkg/engine/clock.ts';
import { converge } from '../../pkg/engine/converge.ts';
import { observePods } from '../../pkg/engine/observe.ts';
import type { KubePort, RedisPort } from '../../pkg/engine/ports.ts';
import { applyStep } from '../../pkg/engine/steps/apply.ts';
import { createRedisPort } from '../../pkg/redis/connect.ts';
import { formCluster, must } from '../support/form-cluster.ts';
import { poll, startRedisServers, type Directive, type RedisServers } from '../support/redis-server.ts';
import { specOf } from '../support/spec.ts';

const SPEC = specOf({ masters: 3, replicas: 1 });
const KEYS = 200;
const COMMON: readonly Directive[] = [
  ['appendonly', 'yes'],
  ['cluster-allow-replica-migration', 'no'],
  ['cluster-require-full-coverage', 'no'],
];

describe('servers that come back at other addresses', () => {
  let before: RedisServers;
  let after: RedisServers | null = null;
  const ports: RedisPort[] = [];

  function portOf(servers: RedisServers): RedisPort {
    const port = createRedisPort({ dial: servers.dial, credentials: () => Promise.resolve(null) });
    ports.push(port);
    return port;
  }

  beforeEach(async () => {
    before = await startRedisServers({ count: 6, nodeTimeoutMs: 1500, config: COMMON });
    const port = portOf(before);
    const answers = await formCluster(port, before.servers, 3);
    for (const [index, answer] of answers.slice(0, 3).entries()) {
      const sets = Array.from({ length: KEYS }, (_, n) => ['SET', `{${tagOf(answer.myId, answers)}}:${n}`, n] as const);
      await must(port, before.servers[index], sets);
    }
    // Every write is on its replica, too, before all of them stop.
    await must(port, before.servers[0], [['WAIT', 1, 5000]]);
    await Promise.all(before.servers.map((server) => server.stop()));
  }, 90_000);

  afterEach(async () => {
    for (const port of ports.splice(0)) port.close();
    await after?.stop();
    await before.stop();
  });

  /** A hash tag that falls into the slots of that primary: shards are thirds of the slots. */
  function tagOf(nodeId: string, answers: readonly { readonly myId: string }[]): string {
    return ['b', 'c', 'a'][answers.findIndex((answer) => answer.myId === nodeId)] ?? '';
  }

  /** The same volumes in pods with other addresses; the first `kept` keep theirs. */
  async function comeBack(kept: number): Promise<RedisServers> {
    const config = (index: number): readonly Directive[] => [...COMMON, ['dir', before.servers[index]?.dir ?? '']];
    if (kept === 0) return startRedisServers({ count: 6, nodeTimeoutMs: 1500, port: 7001, config });
    const fresh = await startRedisServers({ count: 6, nodeTimeoutMs: 1500, config });
    await Promise.all(fresh.servers.slice(0, kept).map((server) => server.stop()));
    await Promise.all(before.servers.slice(0, kept).map((server) => server.start()));
    return { ...fresh, servers: [...before.servers.slice(0, kept), ...fresh.servers.slice(kept)] };
  }

  function factsOf(servers: RedisServers): KubeFacts {
    const pods = servers.servers.map((server) => ({ ...server.pod, owner: null }));
    const nothing = { services: [], statefulSets: [], hosts: [], claims: [], config: null, operation: null, gaps: [] };
    return { ...nothing, pods };
  }

  async function create(servers: RedisServers): Promise<{ batches: string[]; last: Observation }> {
    const redis = portOf(servers);
    const kube = factsOf(servers);
    const observing = { kube: {} as KubePort, redis, clock: systemClock };
    const batches: string[] = [];
    const { signal } = new AbortController();
    setMaxListeners(0, signal);
    const report = (progress: { kind: string; batch?: { title: string } }): void => {
      if (progress.kind === 'batch') batches.push(progress.batch?.title ?? '');
    };
    const shared = { ...observing, report, signal };
    const deps = { ...shared, spec: SPEC, podsTimeoutMs: 1000, resume: 'again', ownsObjects: false };
    const policy = { fastForming: true };
    const done = await converge({
      ...shared,
      observe: () => observePods(observing, SPEC.cluster, kube, { deadlineMs: 2000, withConfig: true }),
      plan: (seen) => planCreate({ state: interpret(seen), kube: seen.kube, spec: SPEC, policy }),
      apply: (step, seen) => applyStep(deps, step, seen),
      lease: { pass: () => Promise.resolve() },
    });
    return { batches, last: done.last };
  }

  function expectWhole(last: Observation): void {
    const state = interpret(last);
    expect(isConverged(state)).toBe(true);
    expect(state.shards.map((shard) => [shard.primary?.keys, shard.replicas.map((node) => node.keys)])).toEqual(
      Array.from({ length: 3 }, () => [KEYS, [KEYS]]),
    );
    const known = last.replies.flatMap(({ reply }) =>
      reply.kind === 'answered' ? reply.answer.view.map((line) => line.ip) : [],
    );
    expect(new Set(known)).toEqual(new Set(last.kube.pods.map((pod) => pod.ip)));
  }

  test('all of them: replicas first, then the others; every key is there', async () => {
    after = await comeBack(0);
    const { batches, last } = await create(after);
    expect(batches.slice(0, 2)).toEqual(['lead the replicas to their primaries', 'lead the nodes to each other']);
    expectWhole(last);
  }, 90_000);

  test.each([2, 4])(
    'all but %i of them',
    async (kept) => {
      after = await comeBack(kept);
      expectWhole((await create(after)).last);
    },
    90_000,
  );

  test('healed by gossip alone, with replicas left where their primaries were: they are told again', async () => {
    after = await comeBack(0);
    const port = portOf(after);
    const [seed, ...others] = after.servers;
    // Only one node meets the others, so a replica hears of its primary's new address from gossip.
    await must(
      port,
      seed,
      others.map((server) => ['CLUSTER', 'MEET', server.address, server.port] as const),
    );
    await poll('six nodes that find each other', 30_000, async () => {
      const replies = await Promise.all(
        after?.servers.map((server) => port.ask(server.pod, { deadlineMs: 2000 })) ?? [],
      );
      const answers = replies.flatMap((reply) => (reply.kind === 'answered' ? [reply.answer] : []));
      return answers.length === 6 && answers.every((answer) => answer.clusterInfo.state === 'ok') ? true : null;
    });
    expectWhole((await create(after)).last);
  }, 90_000);
});
