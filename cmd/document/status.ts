/** Document of `status`, and the facts that its page shows. */
import type { Health } from '../../pkg/cluster/check/health.ts';
import type { OperationFacts } from '../../pkg/cluster/model/observation.ts';
import type { Problem } from '../../pkg/cluster/model/problem.ts';
import type { ClusterState, DesiredShape } from '../../pkg/cluster/model/state.ts';
import { summarizeSlots } from '../view/slot-summary.ts';
import type { SlotSummary } from '../view/slot-summary.ts';
import { API_VERSION, metadataOf } from './document.ts';
import type { Metadata } from './document.ts';
import { problemEntry } from './problems.ts';
import type { ProblemEntry } from './problems.ts';

export interface Place {
  readonly name: string;
  readonly nodes: number;
  readonly primaries: number;
}

export interface StatusDocument {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: 'Status';
  readonly metadata: Metadata;
  readonly health: Health;
  /** `ours`: made by `create`; `foreign`: found. */
  readonly origin: ClusterState['origin'];
  readonly formed: boolean;
  /** Recorded by `create`; null for a cluster that it did not make. */
  readonly desired: DesiredShape | null;
  readonly primaries: number;
  readonly replicas: number;
  readonly nodes: { readonly total: number; readonly answered: number };
  readonly pods: { readonly total: number; readonly ready: number };
  readonly slots: Pick<SlotSummary, 'total' | 'covered' | 'open' | 'contested' | 'disputed'>;
  readonly viewsAgree: boolean;
  readonly keys: number | null;
  /** Names of shards whose primary could not be asked: their keys are not in `keys`. */
  readonly shardsNotCounted: readonly string[];
  /** Of the primaries that answered. maxBytes is null when one of them has no limit. */
  readonly memory: { readonly usedBytes: number; readonly maxBytes: number | null } | null;
  /** `redis 8.6.3`, each once. */
  readonly versions: readonly string[];
  readonly hosts: readonly Place[];
  readonly zones: readonly Place[];
  readonly operation: (OperationFacts & { readonly lapsed: boolean }) | null;
  readonly problems: readonly ProblemEntry[];
}

export interface StatusInput {
  readonly state: ClusterState;
  readonly problems: readonly Problem[];
  readonly health: Health;
}

export function statusOf({ state, problems, health }: StatusInput): StatusDocument {
  const slots = summarizeSlots(state);
  const pods = state.nodes.flatMap((node) => (node.pod === null ? [] : [node.pod]));
  return {
    apiVersion: API_VERSION,
    kind: 'Status',
    metadata: metadataOf(state),
    health: { level: health.level, sentence: health.sentence },
    origin: state.origin,
    formed: state.formed,
    desired: state.desired === null ? null : { masters: state.desired.masters, replicas: state.desired.replicas },
    primaries: state.nodes.filter((node) => node.role === 'primary' && node.slots.length > 0).length,
    replicas: state.nodes.filter((node) => node.role === 'replica').length,
    nodes: { total: state.nodes.length, answered: slots.answered },
    pods: { total: pods.length, ready: pods.filter((pod) => pod.ready).length },
    slots: pickSlots(slots),
    viewsAgree: slots.viewsAgree,
    keys: slots.keys,
    shardsNotCounted: slots.uncounted,
    memory: memoryOf(state),
    versions: versionsOf(state),
    hosts: placesOf(state, 'host'),
    zones: placesOf(state, 'zone'),
    operation:
      state.operation === null ? null : { ...state.operation, lapsed: hasLapsed(state.operation, state.observedAt) },
    problems: problems.map(problemEntry),
  };
}

function pickSlots({ total, covered, open, contested, disputed }: SlotSummary): StatusDocument['slots'] {
  return { total, covered, open, contested, disputed };
}

function memoryOf(state: ClusterState): StatusDocument['memory'] {
  const primaries = state.nodes.flatMap((node) =>
    node.role === 'primary' && node.reply?.kind === 'answered' ? [node.reply.answer.info] : [],
  );
  if (primaries.length === 0) return null;
  const usedBytes = primaries.reduce((sum, info) => sum + info.usedMemoryBytes, 0);
  const unlimited = primaries.some((info) => info.maxMemoryBytes === 0);
  return { usedBytes, maxBytes: unlimited ? null : primaries.reduce((sum, info) => sum + info.maxMemoryBytes, 0) };
}

function versionsOf(state: ClusterState): string[] {
  const versions = state.nodes.flatMap((node) =>
    node.reply?.kind === 'answered' ? [`${node.reply.answer.info.product} ${node.reply.answer.info.version}`] : [],
  );
  return [...new Set(versions)].sort();
}

function placesOf(state: ClusterState, where: 'host' | 'zone'): Place[] {
  const places = new Map<string, { nodes: number; primaries: number }>();
  for (const node of state.nodes) {
    const name = node[where];
    if (name === null) continue;
    const place = places.get(name) ?? { nodes: 0, primaries: 0 };
    places.set(name, place);
    place.nodes++;
    if (node.role === 'primary') place.primaries++;
  }
  return [...places]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, { nodes, primaries }]) => ({ name, nodes, primaries }));
}

/** Not heard of for longer than its lease lasts, as far as two clocks agree: one that is ahead of ours still runs. */
function hasLapsed(operation: OperationFacts, observedAt: string): boolean {
  const until = Date.parse(operation.renewedAt) + operation.durationSeconds * 1000;
  return Date.parse(observedAt) > until;
}
