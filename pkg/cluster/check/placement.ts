/** A shard's nodes stand on different hosts and zones where there are enough (I9). */
import type { HostFacts } from '../model/observation.ts';
import type { Problem } from '../model/problem.ts';
import type { ClusterNode, Shard } from '../model/state.ts';
import type { Check, CheckContext } from './context.ts';
import { count, listNames, makeProblem } from './wording.ts';

export const checkPlacement: Check = (context, found) => {
  // Replicas that strayed into a shard are told by their label.
  const strayed = new Set(found.filter((one) => one.code === 'shard-label-stale').flatMap((one) => one.nodes));
  const shards = context.state.shards
    .filter((shard) => shard.slots.length > 0)
    .map((shard) => ({ ...shard, replicas: shard.replicas.filter((node) => !strayed.has(context.nameOf(node))) }));
  const hosts = usableHosts(context);
  const crowded = shards.filter((shard) => doubles(shard).size > 0);
  const avoidable = crowded.filter((shard) => membersOf(shard).length <= hosts);
  const sameHost = avoidable.map((shard) => sameHostProblem(context, shard));
  const forced = crowded.filter((shard) => !avoidable.includes(shard));
  const zonal = shards.filter((shard) => !crowded.includes(shard) && isInOneZone(context, shard));
  return [
    ...sameHost,
    ...tooFewHosts(context, forced, hosts),
    ...sameZone(context, zonal),
    ...crowdedPrimaries(context, hosts),
  ];
};

function membersOf(shard: Shard): ClusterNode[] {
  const members = [...(shard.primary === null ? [] : [shard.primary]), ...shard.replicas];
  return members.filter((node) => node.host !== null && node.nodeId !== null);
}

/** Hosts that take pods, and those that have some; without the right to list them, the latter. */
function usableHosts(context: CheckContext): number {
  const usable = context.observation.kube.hosts.filter(isUsable).map((host) => host.name);
  const used = context.state.nodes.flatMap((node) => (node.host === null ? [] : [node.host]));
  return new Set([...usable, ...used]).size;
}

function isUsable(host: HostFacts): boolean {
  return host.schedulable && host.ready;
}

/** Hosts with more than one node of the shard. */
function doubles(shard: Shard): Map<string, ClusterNode[]> {
  const byHost = new Map<string, ClusterNode[]>();
  for (const node of membersOf(shard)) byHost.set(node.host ?? '', [...(byHost.get(node.host ?? '') ?? []), node]);
  return new Map([...byHost].filter(([, nodes]) => nodes.length > 1));
}

function sameHostProblem(context: CheckContext, shard: Shard): Problem {
  const where = [...doubles(shard)].map(([host, nodes]) => `${listNames(nodes.map(context.nameOf))} stand on ${host}`);
  const nodes = [...doubles(shard).values()].flat().map(context.nameOf);
  const sentence = `Shard ${shard.name}: ${listNames(where)}.`;
  return makeProblem('same-host', context.state.cluster.name, { sentence, nodes, slots: shard.slots });
}

function tooFewHosts(context: CheckContext, shards: readonly Shard[], hosts: number): Problem[] {
  if (shards.length === 0) return [];
  const largest = Math.max(...shards.map((shard) => membersOf(shard).length));
  const names = shards.map((shard) => shard.name);
  const sentence = `There ${hosts === 1 ? 'is 1 host' : `are ${hosts} hosts`} for ${count(largest, 'node')} a shard: ${names.length === 1 ? 'shard' : 'shards'} ${listNames(names)} cannot be spread.`;
  const nodes = shards.flatMap((shard) => [...doubles(shard).values()].flat().map(context.nameOf));
  return [makeProblem('too-few-hosts', context.state.cluster.name, { sentence, nodes })];
}

function isInOneZone(context: CheckContext, shard: Shard): boolean {
  const members = membersOf(shard);
  const zones = new Set(members.map((node) => node.zone));
  const available = new Set(context.observation.kube.hosts.filter(isUsable).map((host) => host.zone));
  available.delete(null);
  return members.length > 1 && zones.size === 1 && !zones.has(null) && available.size > 1;
}

function sameZone(context: CheckContext, shards: readonly Shard[]): Problem[] {
  if (shards.length === 0) return [];
  const each = shards.map((shard) => `shard ${shard.name} in ${membersOf(shard)[0]?.zone ?? ''}`);
  const nodes = shards.flatMap((shard) => membersOf(shard).map(context.nameOf));
  const sentence = `All nodes of one shard are in one zone: ${listNames(each)}.`;
  return [makeProblem('same-zone', context.state.cluster.name, { sentence, nodes })];
}

/** More primaries on a host than an even spread needs, and so many that no majority is left without it. */
function crowdedPrimaries(context: CheckContext, hosts: number): Problem[] {
  const primaries = context.state.nodes.filter((node) => node.slots.length > 0 && node.host !== null);
  const byHost = new Map<string, ClusterNode[]>();
  for (const node of primaries) byHost.set(node.host ?? '', [...(byHost.get(node.host ?? '') ?? []), node]);
  return [...byHost].flatMap(([host, nodes]) => {
    const left = primaries.length - nodes.length;
    if (left > primaries.length / 2 || nodes.length <= Math.ceil(primaries.length / hosts)) return [];
    const names = nodes.map(context.nameOf);
    const sentence = `${nodes.length} of ${primaries.length} primaries (${listNames(names)}) stand on ${host}: without it no majority is left.`;
    return [makeProblem('primaries-share-host', context.state.cluster.name, { sentence, nodes: names })];
  });
}
