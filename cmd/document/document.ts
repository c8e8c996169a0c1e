/**
 * What `-o json` and `-o yaml` print: stable, documented in docs/output.md and docs/schemas. New fields may be added; a
 * field that is there keeps its name, type and meaning within `kubectl-redis.io/v1`.
 */
import type { ClusterNode, ClusterState, Shard } from '../../pkg/cluster/model/state.ts';
import type { Loss } from '../../pkg/cluster/model/loss.ts';
import type { SlotRanges } from '../../pkg/cluster/model/slots.ts';
import { nameOfNode, remarksOn } from '../view/remarks.ts';

export const API_VERSION = 'kubectl-redis.io/v1';

export interface Metadata {
  readonly name: string;
  readonly namespace: string;
  /** ISO 8601. */
  readonly observedAt: string;
}

export interface NodeReference {
  readonly nodeId: string;
  /** null for an id that no pod has. */
  readonly pod: string | null;
}

/** A node as every document names it. */
export interface Member {
  readonly pod: string | null;
  readonly nodeId: string | null;
  readonly role: 'primary' | 'replica' | 'unknown';
  readonly address: string | null;
  readonly host: string | null;
  readonly zone: string | null;
  readonly keys: number | null;
  readonly reachable: boolean;
  readonly remarks: readonly string[];
}

export type Range = { readonly start: number; readonly end: number };

export function metadataOf(state: ClusterState): Metadata {
  return { name: state.cluster.name, namespace: state.cluster.namespace, observedAt: state.observedAt };
}

export function memberOf(state: ClusterState, node: ClusterNode, shard: Shard | null): Member {
  return {
    pod: node.pod === null ? null : nameOfNode(node),
    nodeId: node.nodeId,
    role: node.role,
    address: node.announced,
    host: node.host,
    zone: node.zone,
    keys: node.keys,
    reachable: node.reply?.kind === 'answered',
    remarks: remarksOn(state, node, shard).map(({ text }) => text),
  };
}

export function referTo(state: ClusterState): (nodeId: string) => NodeReference {
  const pods = new Map(state.nodes.map((node) => [node.nodeId, node.pod?.name ?? null]));
  return (nodeId) => ({ nodeId, pod: pods.get(nodeId) ?? null });
}

export function rangesOf(ranges: SlotRanges): Range[] {
  return ranges.map(({ start, end }) => ({ start, end }));
}

/** What would be lost; null = nothing that is known of. */
export function lossEntry(loss: Loss | null): object | null {
  if (loss === null) return null;
  const { slots, keys, seconds, sentence } = loss;
  return { slots: rangesOf(slots), keys, seconds, sentence };
}

/** A document as text, with a line break at its end. YAML is loaded when it is asked for. */
export async function printDocument(document: object, format: 'json' | 'yaml'): Promise<string> {
  if (format === 'json') return `${JSON.stringify(document, null, 2)}\n`;
  const { toYaml } = await import('./yaml.ts');
  // Views share objects between fields; an alias in the output would surprise everybody.
  return toYaml(document);
}
