/** What the tests of asking real servers share: servers and ports that are gone after each test. */
import { afterEach } from '@jest/globals';
import type { NodeAnswer, NodeReply, PodFacts } from '../../pkg/cluster/model/observation.ts';
import type { RedisPort } from '../../pkg/engine/ports.ts';
import { createRedisPort } from '../../pkg/redis/connect.ts';
import type { RedisPortDeps } from '../../pkg/redis/connect.ts';
import { createDirectDialer } from '../../pkg/redis/dial-direct.ts';
import { fakePod, startRedisServers } from './redis-server.ts';
import type { RedisServer, RedisServerOptions } from './redis-server.ts';

const cleanUps: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** Something to do after the test that runs now; last come, first done. */
export function afterThisTest(cleanUp: () => Promise<void> | void): void {
  cleanUps.push(cleanUp);
}

/** One server, for this test. */
export async function startServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const running = await startRedisServers(options);
  afterThisTest(() => running.stop());
  return at(running.servers, 0);
}

/** A port, for this test; without a password unless told. */
export function openPort(deps: Partial<RedisPortDeps> = {}): RedisPort {
  const redis = createRedisPort({ dial: createDirectDialer(), credentials: async () => null, ...deps });
  afterThisTest(() => redis.close());
  return redis;
}

export function answered(reply: NodeReply): NodeAnswer {
  if (reply.kind !== 'answered') throw new Error(`${reply.why}: ${reply.detail}`);
  return reply.answer;
}

/** `answered`, or why not: a reply without what differs from run to run. */
export function outcome(reply: NodeReply): string {
  return reply.kind === 'answered' ? 'answered' : `${reply.why}: ${reply.detail}`;
}

export function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`no item ${index} of ${items.length}`);
  return item;
}

/** A pod that nobody listens at. */
export function deadPod(): PodFacts {
  return fakePod(0, '127.0.0.1', 1);
}
