/**
 * What the operation before sent and no server has read yet: bytes that wait in a tunnel that hangs, or in a network
 * that is cut, may come minutes later. Who takes over ends its connections at the servers; what comes over them then is
 * nobody's word.
 */
import type { ClusterRef, PodFacts } from '../../cluster/model/observation.ts';
import type { ObservePorts } from '../observe.ts';
import type { RedisCommand } from '../ports.ts';
import { connectionName } from './lease-object.ts';

const DEADLINE_MS = 5_000;

/**
 * A node that can't be asked is left out: that it does not answer is seen by what comes next.
 * @param predecessor the id of that operation
 * @throws AppError when Kubernetes can't be read
 */
export async function endOpenWork(ports: ObservePorts, cluster: ClusterRef, predecessor: string): Promise<void> {
  const { pods } = await ports.kube.readFacts(cluster);
  const running = pods.filter(({ container, ip }) => container.state === 'running' && ip !== '');
  await Promise.allSettled(running.map((pod) => endOn(ports, pod, connectionName(predecessor))));
}

async function endOn({ redis }: ObservePorts, pod: PodFacts, name: string): Promise<void> {
  const [list] = await redis.run(pod, [['CLIENT', 'LIST']], DEADLINE_MS);
  const kills = connectionsOf(String(list), name).map((id): RedisCommand => ['CLIENT', 'KILL', 'ID', id]);
  if (kills.length > 0) await redis.run(pod, kills, DEADLINE_MS);
}

/** @param list a reply to CLIENT LIST. @returns ids of the connections of that name */
export function connectionsOf(list: string, name: string): string[] {
  return list.split('\n').flatMap((line) => {
    const words = line.trim().split(' ');
    const id = /^id=(\d+)$/.exec(words[0] ?? '')?.[1];
    return id !== undefined && words.includes(`name=${name}`) ? [id] : [];
  });
}
