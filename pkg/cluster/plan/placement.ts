/**
 * Who becomes primary, and who belongs to which shard. Deterministic: same input, same answer, whatever its order.
 *
 * Two goals, in this order: no two nodes of a shard on one host; then primaries spread over hosts, then over zones.
 */
import type { Place } from '../evidence/members.ts';

export interface ShardCandidates {
  readonly shard: string;
  readonly members: readonly Place[];
  /** The primary there is already; it is never changed here. */
  readonly fixed: string | null;
}

/** Two nodes of one shard on one host. */
export interface SharedHost {
  readonly shard: string;
  readonly host: string;
  readonly pods: readonly [string, string];
}

/**
 * One primary for each shard, so that the fullest host has as few primaries as possible, and then the fullest zone.
 *
 * Starts from a greedy choice and shortens it along cost-reducing paths: a chain of shards that each move their primary
 * one host on, from a host with at least two more than the last one. Without such a path the spread over hosts is optimal.
 */
export function choosePrimaries(shards: readonly ShardCandidates[]): Map<string, string> {
  const chosen = new Map<string, Place>();
  for (const shard of shards) {
    const fixed = shard.members.find((member) => member.pod === shard.fixed);
    const place = fixed ?? leastLoaded(shard.members, chosen);
    if (place !== undefined) chosen.set(shard.shard, place);
  }
  const movable = shards.filter((shard) => shard.fixed === null && shard.members.length > 1);
  while (shortenOnce(movable, chosen)) {
    // each pass lowers the sum of squares of the hosts' loads, so it ends
  }
  while (spreadZonesOnce(movable, chosen)) {
    // each pass lowers the sum of squares of the zones' loads and leaves the hosts' alone
  }
  return new Map([...chosen].map(([shard, place]) => [shard, place.pod]));
}

function loadsBy(chosen: ReadonlyMap<string, Place>, key: (place: Place) => string | null): Map<string, number> {
  const loads = new Map<string, number>();
  for (const place of chosen.values()) {
    const name = key(place);
    if (name !== null) loads.set(name, (loads.get(name) ?? 0) + 1);
  }
  return loads;
}

function leastLoaded(members: readonly Place[], chosen: ReadonlyMap<string, Place>): Place | undefined {
  const hosts = loadsBy(chosen, (place) => place.host);
  const zones = loadsBy(chosen, (place) => place.zone);
  const cost = (place: Place): number => 1000 * (hosts.get(place.host ?? '') ?? 0) + (zones.get(place.zone ?? '') ?? 0);
  return [...members].sort((a, b) => cost(a) - cost(b))[0];
}

/** Finds one cost-reducing path by breadth-first search from the fullest hosts and applies it. */
function shortenOnce(shards: readonly ShardCandidates[], chosen: Map<string, Place>): boolean {
  const loads = loadsBy(chosen, (place) => place.host);
  const sources = [...loads].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  for (const [source, load] of sources) {
    const path = pathToEmptier(source, load, shards, chosen, loads);
    if (path === null) continue;
    for (const move of path) chosen.set(move.shard, move.to);
    return true;
  }
  return false;
}

interface Move {
  readonly shard: string;
  readonly to: Place;
}

function pathToEmptier(
  source: string,
  load: number,
  shards: readonly ShardCandidates[],
  chosen: ReadonlyMap<string, Place>,
  loads: ReadonlyMap<string, number>,
): Move[] | null {
  const pathTo = new Map<string, Move[]>([[source, []]]);
  const queue = [source];
  for (let host = queue.shift(); host !== undefined; host = queue.shift()) {
    const path = pathTo.get(host) ?? [];
    for (const shard of shards) {
      if (chosen.get(shard.shard)?.host !== host) continue;
      for (const to of shard.members) {
        if (to.host === null || pathTo.has(to.host)) continue;
        const longer = [...path, { shard: shard.shard, to }];
        if ((loads.get(to.host) ?? 0) <= load - 2) return longer;
        pathTo.set(to.host, longer);
        queue.push(to.host);
      }
    }
  }
  return null;
}

function spreadZonesOnce(shards: readonly ShardCandidates[], chosen: Map<string, Place>): boolean {
  const hosts = loadsBy(chosen, (place) => place.host);
  const zones = loadsBy(chosen, (place) => place.zone);
  for (const shard of shards) {
    const now = chosen.get(shard.shard);
    if (now === undefined || now.zone === null) continue;
    const better = shard.members.find(
      (to) =>
        to.zone !== null &&
        (zones.get(to.zone) ?? 0) < (zones.get(now.zone ?? '') ?? 0) - 1 &&
        (hosts.get(to.host ?? '') ?? 0) < (hosts.get(now.host ?? '') ?? 0),
    );
    if (better === undefined) continue;
    chosen.set(shard.shard, better);
    return true;
  }
  return false;
}

/**
 * Shards for nodes that carry no shard label (pods that people brought): `masters` shards of `1 + replicas` nodes.
 *
 * What is attached already stays so. Missing primaries are taken host by host in turn; then, one replica a shard at a time, a
 * maximum matching between shards that lack one and free nodes on other hosts. Where the hosts do not allow it a shard shares
 * one, which `sharedHosts` then names.
 *
 * @param attached by position, pods of shards that exist already, the primary first; [] where a shard is still to be made
 * @returns shard name ("1" …) -> its nodes, the primary first
 */
export function assignShards(
  nodes: readonly Place[],
  masters: number,
  replicas: number,
  attached: readonly (readonly string[])[] = [],
): Map<string, Place[]> {
  const byPod = new Map(nodes.map((node) => [node.pod, node]));
  const shards = attached.map((pods) => pods.flatMap((pod) => byPod.get(pod) ?? []));
  const placed = new Set(shards.flat());
  const turn = interleaveByHost(nodes).filter((place) => !placed.has(place));
  while (shards.length < masters) shards.push([]);
  for (const shard of shards) if (shard.length === 0) shard.push(...turn.splice(0, 1));
  let free = turn;
  for (let round = 0; round < replicas; round++) {
    const lacking = shards.filter((shard) => shard.length < 1 + replicas);
    const taken = matchReplicas(lacking, free);
    lacking.forEach((shard, index) => {
      const place = taken.get(index) ?? free.find((candidate) => ![...taken.values()].includes(candidate));
      if (place === undefined) return;
      taken.set(index, place);
      shard.push(place);
    });
    const used = new Set(taken.values());
    free = free.filter((place) => !used.has(place));
  }
  return new Map(shards.map((members, index) => [String(index + 1), members]));
}

/** One node of each host in turn, hosts ordered so that neighbours lie in different zones where possible. */
function interleaveByHost(nodes: readonly Place[]): Place[] {
  const byHost = new Map<string, Place[]>();
  for (const node of [...nodes].sort((a, b) => a.pod.localeCompare(b.pod, 'en', { numeric: true }))) {
    const key = node.host ?? `?${node.pod}`;
    byHost.set(key, [...(byHost.get(key) ?? []), node]);
  }
  const hosts = roundRobin(groupBy([...byHost.values()], (places) => places[0]?.zone ?? ''));
  return roundRobin(hosts);
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return [...groups].sort((a, b) => (a[0] < b[0] ? -1 : 1)).map(([, group]) => group);
}

function roundRobin<T>(groups: readonly (readonly T[])[]): T[] {
  const longest = Math.max(0, ...groups.map((group) => group.length));
  return Array.from({ length: longest }, (_, i) => groups.flatMap((group) => group.slice(i, i + 1))).flat();
}

/** Kuhn's algorithm: shard index -> a free node on a host that the shard does not use, for as many shards as possible. */
function matchReplicas(shards: readonly (readonly Place[])[], free: readonly Place[]): Map<number, Place> {
  const shardOf = new Map<Place, number>();
  const fits = (shard: readonly Place[]): Place[] => {
    const hosts = new Set(shard.map((member) => member.host));
    const zones = new Set(shard.map((member) => member.zone));
    const other = free.filter((place) => place.host === null || !hosts.has(place.host));
    return other.sort((a, b) => Number(zones.has(a.zone)) - Number(zones.has(b.zone)));
  };
  const seek = (index: number, seen: Set<Place>): boolean => {
    for (const place of fits(shards[index] ?? [])) {
      if (seen.has(place)) continue;
      seen.add(place);
      const holder = shardOf.get(place);
      if (holder !== undefined && !seek(holder, seen)) continue;
      shardOf.set(place, index);
      return true;
    }
    return false;
  };
  shards.forEach((_, index) => seek(index, new Set()));
  return new Map([...shardOf].map(([place, index]) => [index, place]));
}

/** Every pair of nodes of one shard that lies on one host. */
export function sharedHosts(
  shards: readonly { readonly shard: string; readonly members: readonly Place[] }[],
): SharedHost[] {
  return shards.flatMap(({ shard, members }) =>
    members.flatMap((a, i) =>
      members
        .slice(i + 1)
        .filter((b) => a.host !== null && a.host === b.host)
        .map((b): SharedHost => ({ shard, host: a.host ?? '', pods: [a.pod, b.pod] })),
    ),
  );
}
