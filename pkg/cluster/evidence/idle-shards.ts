/**
 * Shards of the record that own no slot: their keys were given up and their slots went to others, or they were emptied by hand. `scale` to the
 * shape that is recorded gives them slots again; but slots can be given to a primary only, and a replica becomes none while its own
 * primary leads.
 */
import { compareNatural } from '../natural-order.ts';
import { failoverCommand } from '../model/failover-command.ts';
import { scaleCommand } from '../model/scale-command.ts';
import { ordinalsOf, podName, shardOf, type ClusterSpec } from '../model/spec.ts';
import type { ClusterNode } from '../model/state.ts';

export interface IdleShard {
  readonly name: string;
  /** Pods of its nodes that there are. */
  readonly pods: readonly string[];
  /** All of them answer, and follow primaries of other shards: nobody in it could take a slot. */
  readonly followsOthers: boolean;
  /** Of their nodes, one whose primary leads slots beside another owner of its own shard: it took them over, and can hand them back. */
  readonly heir: ClusterNode | null;
}

/** Of the shards that stay. A node that goes may still lead one of them. */
export function idleShards(nodes: readonly ClusterNode[], spec: ClusterSpec): IdleShard[] {
  const ordinals = ordinalsOf(spec);
  const leaving = new Set(spec.scaling?.leaving);
  const staying = new Set(ordinals.filter((one) => !leaving.has(one)).map((one) => shardOf(spec, one)));
  return [...staying].sort(compareNatural).flatMap((name): IdleShard[] => {
    const pods = new Set(
      ordinals.filter((one) => shardOf(spec, one) === name).map((one) => podName(spec.cluster.name, one)),
    );
    const own = nodes.filter(({ pod }) => pod !== null && pods.has(pod.name));
    if (own.some(({ slots }) => slots.length > 0)) return [];
    const ids = new Set(own.map(({ nodeId }) => nodeId));
    const followsOthers =
      own.length > 0 &&
      own.every(({ role, reply }) => role === 'replica' && reply?.kind === 'answered') &&
      own.some(({ primaryId }) => !ids.has(primaryId)) &&
      // (The primary of this shard may only be away.)
      own.every(({ primaryId }) => ids.has(primaryId) || nodes.some((one) => leadsAnother(one, primaryId, name)));
    const heir = followsOthers ? own.find((node) => followsSecondOwner(nodes, node)) : undefined;
    return [{ name, pods: own.flatMap(({ pod }) => pod?.name ?? []), followsOthers, heir: heir ?? null }];
  });
}

function leadsAnother({ nodeId, pod, slots, shardLabel }: ClusterNode, id: string | null, shard: string): boolean {
  return nodeId !== null && nodeId === id && pod !== null && slots.length > 0 && shardLabel !== shard;
}

function followsSecondOwner(nodes: readonly ClusterNode[], { primaryId }: ClusterNode): boolean {
  const owners = nodes.filter(({ slots }) => slots.length > 0);
  const primary = owners.find(({ nodeId }) => nodeId !== null && nodeId === primaryId);
  return primary !== undefined && owners.some((one) => one !== primary && one.shardLabel === primary.shardLabel);
}

/** Those of which nobody can lead: new nodes take their place. */
export function namesToReplace(idle: readonly IdleShard[]): string[] {
  return idle.filter(({ followsOthers, heir }) => followsOthers && heir === null).map(({ name }) => name);
}

/** The command that gives the cluster the shape that is recorded. */
export function finishesShape(nodes: readonly ClusterNode[], spec: ClusterSpec): string {
  const { cluster } = spec;
  const idle = idleShards(nodes, spec);
  const heir = idle.flatMap((one) => one.heir ?? [])[0];
  if (heir !== undefined) return `${failoverCommand(cluster, heir)} lets it lead the slots of its shard again`;
  const scale = scaleCommand(cluster.name, spec);
  const replaced = namesToReplace(idle);
  if (replaced.length > 0) {
    const names = idle.flatMap(({ name, pods }) => (replaced.includes(name) ? pods : []));
    return `${scale} makes nodes that can own slots, in place of ${names.join(', ')}, which follow primaries of other shards`;
  }
  if (idle.length === 0) return `${scale} finishes it`;
  return `${scale} gives slots to shard ${idle.map(({ name }) => name).join(', ')} again`;
}
