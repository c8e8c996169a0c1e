/** Looks at a cluster from two sides: our `slots -o json`, and Redis commands through the API server's port-forward. */
import { homedir } from 'node:os';
import { expect } from '@jest/globals';
import type { SlotRanges } from '../../pkg/cluster/model/slots.ts';
import type { PodFacts } from '../../pkg/cluster/model/observation.ts';
import type { RedisCommand, RedisPort } from '../../pkg/engine/ports.ts';
import { reasonOf } from '../../pkg/errors.ts';
import type { RawPod, RawService } from '../../pkg/kube/api-json.ts';
import { createRestClient } from '../../pkg/kube/client.ts';
import type { RestClient } from '../../pkg/kube/client.ts';
import { loadKubeTarget } from '../../pkg/kube/config.ts';
import { podFacts } from '../../pkg/kube/facts.ts';
import { listAll } from '../../pkg/kube/objects.ts';
import { createTunnelDialer } from '../../pkg/kube/tunnel.ts';
import { createRedisPort } from '../../pkg/redis/connect.ts';
import { cli } from './cli.ts';
import { until, type ClusterEnv } from './cluster-env.ts';

interface SeenNode {
  readonly pod: string;
  readonly host: string;
}

export interface SeenSlots {
  readonly shards: readonly {
    readonly name: string;
    readonly slots: SlotRanges;
    readonly primary: SeenNode | null;
    readonly replicas: readonly SeenNode[];
  }[];
}

export async function slotsOf(namespace: string, name: string): Promise<SeenSlots> {
  const ended = await cli(['slots', name, '-o', 'json'], { namespace });
  expect([ended.code, ended.stderr]).toEqual([0, '']);
  return JSON.parse(ended.stdout) as SeenSlots;
}

/** `check` finds nothing that is critical or a warning, within the time, and says so by its code. */
export async function expectHealthy(env: Pick<ClusterEnv, 'namespace'>, name: string, withinMs: number): Promise<void> {
  const { code } = await until(
    () => cli(['check', name, '-o', 'json'], env),
    ({ stdout }) => !/"severity": "(critical|warning)"/.test(stdout),
    withinMs,
  );
  expect(code).toBe(0);
}

/**
 * What redis-cli would print inside the pod (`-c` first: where a redirect leads), or what went wrong instead; never throws,
 * for use in polls.
 */
export async function inRedis(namespace: string, pod: string, ...words: readonly string[]): Promise<string> {
  const [first, ...rest] = words;
  const [name = '', ...args] = first === '-c' ? rest : words;
  try {
    const [reply] = await manyInRedis(namespace, pod, [[name, ...args]], first === '-c');
    return reply ?? '';
  } catch (error) {
    return reasonOf(error);
  }
}

/** Many commands at once, in the order given. @throws when the pod can't be reached */
export async function manyInRedis(
  namespace: string,
  pod: string,
  commands: readonly RedisCommand[],
  followRedirects = true,
): Promise<readonly string[]> {
  const inside = openInside(namespace);
  try {
    return await inside.many(pod, commands, followRedirects);
  } finally {
    inside.close();
  }
}

export interface Inside {
  many(pod: string, commands: readonly RedisCommand[], followRedirects?: boolean): Promise<readonly string[]>;
  close(): void;
}

/** `manyInRedis` again and again, on connections that stay open. */
export function openInside(namespace: string): Inside {
  const around = { env: {}, home: homedir(), inClusterRoot: '' };
  const target = loadKubeTarget({ kubeconfig: process.env['E2E_KUBECONFIG'] ?? '', namespace }, around);
  const client = createRestClient(target);
  const redis = createRedisPort({
    dial: createTunnelDialer(client, namespace),
    credentials: () => Promise.resolve(null),
    maxOpen: 8,
  });
  return {
    many: async (pod, commands, followRedirects = true) => {
      const pods = await podsByAddress(client, namespace);
      const replies = await runOn(redis, pods.get(pod), pod, commands);
      const all = await Promise.all(
        replies.map((reply, index) => (followRedirects ? follow(redis, pods, reply, commands[index]) : reply)),
      );
      return all.map(asText);
    },
    close: () => {
      redis.close();
      client.close();
    },
  };
}

/** By name, by pod IP, and by the ClusterIP of the Service that selects it alone. */
async function podsByAddress(client: RestClient, namespace: string): Promise<ReadonlyMap<string, PodFacts>> {
  const [pods, services] = await Promise.all([
    listAll<RawPod>(client, { apiVersion: 'v1', kind: 'Pod', namespace }),
    listAll<RawService>(client, { apiVersion: 'v1', kind: 'Service', namespace }),
  ]);
  const facts = pods.items.map(podFacts);
  const behind = services.items.flatMap(({ spec = {} }) => {
    const selector = Object.entries(spec.selector ?? {});
    const [only, ...more] = facts.filter(({ labels }) => selector.every(([key, value]) => labels[key] === value));
    return only === undefined || more.length > 0 || spec.clusterIP === undefined
      ? []
      : [[spec.clusterIP, only] as const];
  });
  return new Map([...facts.flatMap((pod) => [[pod.name, pod] as const, [pod.ip, pod] as const]), ...behind]);
}

async function runOn(
  redis: RedisPort,
  pod: PodFacts | undefined,
  name: string,
  commands: readonly RedisCommand[],
): Promise<readonly unknown[]> {
  if (pod === undefined) throw new Error(`there is no pod ${name}`);
  return redis.run(pod, commands, 10_000);
}

async function follow(
  redis: RedisPort,
  pods: ReadonlyMap<string, PodFacts>,
  reply: unknown,
  command: RedisCommand | undefined,
): Promise<unknown> {
  const [, address = ''] = reply instanceof Error ? (/^MOVED \d+ (\S+):\d+/.exec(reply.message) ?? []) : [];
  if (address === '' || command === undefined) return reply;
  const [moved] = await runOn(redis, pods.get(address), address, [command]);
  return moved;
}

function asText(reply: unknown): string {
  if (Array.isArray(reply)) return reply.map(asText).join('\n');
  if (reply instanceof Error) return reply.message;
  return typeof reply === 'string' || typeof reply === 'number' ? String(reply).trim() : '';
}
