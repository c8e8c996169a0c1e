/** Who sits where in a generated cluster: ordinals, ids, addresses, shards, hosts. */
import type { HostFacts } from '../../pkg/cluster/model/observation.ts';
import { shardOfOrdinal } from '../../pkg/cluster/model/spec.ts';

export interface Shape {
  readonly masters: number;
  /** Per primary. */
  readonly replicas: number;
  readonly hosts: number;
  readonly zones: number;
  /** `ours`: made by this tool, announces ClusterIPs. `foreign`: one StatefulSet that announces pod IPs, as by hand. */
  readonly kind: 'ours' | 'foreign';
  readonly name: string;
  readonly namespace: string;
  readonly keysPerShard: number;
}

/** One Redis node as the generator plans it; ordinals count from 1, whatever the pods are called. */
export interface Seat {
  readonly ordinal: number;
  readonly pod: string;
  readonly nodeId: string;
  readonly shard: string;
  readonly primary: boolean;
  readonly podIp: string;
  readonly announced: string;
  readonly host: HostFacts;
}

/** The node id that the generator gives to an ordinal: 40 hex digits, ordinal last and a different start each. */
export function nodeIdOf(ordinal: number): string {
  const start = ((ordinal * 2654435761) % 4294967296).toString(16).padStart(8, '0');
  return `${start}${ordinal.toString(16).padStart(32, '0')}`;
}

/** The pod of an ordinal: `redis-3-0` for ours, `redis-2` for a foreign StatefulSet (which counts from 0). */
export function podNameOf(shape: Pick<Shape, 'name' | 'kind'>, ordinal: number): string {
  return shape.kind === 'ours' ? `${shape.name}-${ordinal}-0` : `${shape.name}-${ordinal - 1}`;
}

export function seatsOf(shape: Shape): Seat[] {
  const hosts = hostsOf(shape);
  const load = new Map(hosts.map((host) => [host.name, 0]));
  const members = new Map<string, HostFacts[]>();
  const seats: Seat[] = [];
  for (let ordinal = 1; ordinal <= shape.masters * (1 + shape.replicas); ordinal++) {
    const shard = shardOfOrdinal(ordinal, shape.masters);
    const used = members.get(shard) ?? [];
    const host = pickHost(hosts, used, load);
    members.set(shard, [...used, host]);
    load.set(host.name, (load.get(host.name) ?? 0) + 1);
    const podIp = `10.244.${Math.floor(ordinal / 200)}.${(ordinal % 200) + 2}`;
    seats.push({
      ordinal,
      pod: podNameOf(shape, ordinal),
      nodeId: nodeIdOf(ordinal),
      shard,
      primary: ordinal <= shape.masters,
      podIp,
      announced: shape.kind === 'ours' ? clusterIpOf(ordinal) : podIp,
      host,
    });
  }
  return seats;
}

/** A host that the shard does not use yet, in a zone that it does not use yet, with the fewest pods. */
function pickHost(
  hosts: readonly HostFacts[],
  used: readonly HostFacts[],
  load: ReadonlyMap<string, number>,
): HostFacts {
  const cost = (host: HostFacts): number =>
    (used.includes(host) ? 1e9 : 0) +
    (used.some((other) => other.zone === host.zone) ? 1e6 : 0) +
    (load.get(host.name) ?? 0);
  const [first, ...rest] = hosts;
  if (first === undefined) throw new RangeError('a cluster needs a host');
  return rest.reduce((best, host) => (cost(host) < cost(best) ? host : best), first);
}

export function hostsOf(shape: Shape): HostFacts[] {
  return Array.from({ length: shape.hosts }, (_, i) => ({
    name: `host-${i + 1}`,
    zone: shape.zones === 0 ? null : `zone-${(i % shape.zones) + 1}`,
    ready: true,
    schedulable: true,
  }));
}

export function clusterIpOf(ordinal: number): string {
  return `10.96.${Math.floor(ordinal / 200)}.${(ordinal % 200) + 10}`;
}
