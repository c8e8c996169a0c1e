/**
 * What is recorded of a cluster: the one place where it is read. Pure.
 *
 * It lives in ConfigMap NAME-state, which no printed manifest holds. Before that object was there, it lived in ConfigMap NAME-config and in
 * annotations of Service NAME: those are read field by field where NAME-state says nothing.
 *
 * | field  | read from, the first that says it                                                                              |
 * |--------|----------------------------------------------------------------------------------------------------------------|
 * | formed | true where anybody says so (no manifest ever said `true`); false as NAME-state, else NAME-config says           |
 * | nodes  | NAME-state, NAME-config                                                                                         |
 * | spec   | NAME-state; Service NAME, with the nodes whose StatefulSets are there besides; a StatefulSet                    |
 */
import {
  BUDGETS_KEY,
  FORMED_KEY,
  MANAGED_BY,
  MANAGED_BY_LABEL,
  MASTERS_ANNOTATION,
  NAMESPACE_KEY,
  NODES_KEY,
  REPLICAS_ANNOTATION,
  SHARD_LABEL,
  SPEC_ANNOTATION,
  SPEC_KEY,
} from './labels.ts';
import { parseNodeTable, type NodeLine } from './node-table.ts';
import type { ClusterRef, KubeFacts } from './observation.ts';
import { ordinalOfNode, ordinalsOf, shardOf, type ClusterSpec } from './spec.ts';
import { parseSpec } from './spec-text.ts';
import type { DesiredShape } from './state.ts';

export interface ClusterRecord {
  /** `state`: NAME-state is there; `config`: only what older versions wrote, or a manifest; `none`: nothing. */
  readonly source: 'state' | 'config' | 'none';
  /** null = nobody says. A `false` that is not of `state` may come from a manifest. */
  readonly formed: boolean | null;
  /** The table of nodes; empty where none is recorded. */
  readonly nodes: readonly NodeLine[];
  /** null: `create` did not make the cluster, or what it recorded is lost. */
  readonly spec: ClusterSpec | null;
  /** Of the spec; or, where only that is left, of the annotations that are for people. */
  readonly shape: DesiredShape | null;
  /** As BUDGETS_KEY says; null where nothing is recorded. */
  readonly budgets: string | null;
}

/** The objects that a record is read from. */
export type RecordFacts = Pick<KubeFacts, 'config' | 'state' | 'services' | 'statefulSets'>;

type StringMap = Readonly<Record<string, string>>;

/**
 * What is recorded of a cluster, in the objects of its namespace. A record that was copied or restored from another namespace names that
 * one; what is rendered from it here must never be written there, and its addresses are those of other nodes.
 */
export function recordOf(facts: RecordFacts, cluster: ClusterRef): ClusterRecord {
  const state = facts.state ?? null;
  const annotations = facts.services.find(({ name }) => name === cluster.name)?.annotations ?? {};
  const kept = parseSpec(state?.[SPEC_KEY]);
  const recorded = kept ?? copiedSpec(facts, cluster, annotations);
  const spec = recorded === null ? null : { ...recorded, cluster };
  const shape = spec === null ? shapeForPeople(annotations) : shapeOf(spec);
  const old = facts.config?.[FORMED_KEY] !== undefined || facts.config?.[NODES_KEY] !== undefined || shape !== null;
  const lines = parseNodeTable(state?.[NODES_KEY] ?? '');
  // Records of older versions say it in the spec alone, and those of pods that people brought nowhere.
  const home = state?.[NAMESPACE_KEY] ?? kept?.cluster.namespace ?? cluster.namespace;
  const nodes = home === cluster.namespace ? lines : lines.map((line) => ({ ...line, address: null }));
  return {
    source: state !== null ? 'state' : old ? 'config' : 'none',
    formed: formedMark(state, facts.config),
    nodes: nodes.length > 0 ? nodes : parseNodeTable(facts.config?.[NODES_KEY] ?? ''),
    spec,
    shape,
    budgets: state?.[BUDGETS_KEY] ?? facts.config?.[BUDGETS_KEY] ?? null,
  };
}

/**
 * Whether ConfigMap NAME-config must hold a copy, for pods whose scripts know no other place: they were made from templates of older
 * versions, or will be. Once it is there, it is kept right.
 */
export function needsOldRecord({
  config,
  pods,
  statefulSets,
}: Pick<KubeFacts, 'config' | 'pods' | 'statefulSets'>): boolean {
  if (config?.[FORMED_KEY] !== undefined || config?.[NODES_KEY] !== undefined) return true;
  return [...pods, ...statefulSets].some(({ readsState }) => readsState === false);
}

function formedMark(state: StringMap | null, config: StringMap | null): boolean | null {
  if (state?.[FORMED_KEY] === 'true' || config?.[FORMED_KEY] === 'true') return true;
  // NAME-state that leaves it out does so on purpose: it was made anew, and nobody knew.
  const said = state === null ? config?.[FORMED_KEY] : state[FORMED_KEY];
  return said === 'false' ? false : null;
}

function copiedSpec(facts: RecordFacts, cluster: ClusterRef, annotations: StringMap): ClusterSpec | null {
  for (const copy of [annotations, ...facts.statefulSets.map((set) => set.annotations)]) {
    const spec = parseSpec(copy[SPEC_ANNOTATION]);
    if (spec !== null) return withNodesThatAre(spec, facts, cluster);
  }
  return null;
}

/**
 * A manifest that was applied again takes the annotation back to an older shape. `scale` records a node before it makes its StatefulSet,
 * and removes the StatefulSet before it takes the node from the record: so one that is there and not recorded means an old annotation.
 */
function withNodesThatAre(spec: ClusterSpec, { statefulSets }: RecordFacts, cluster: ClusterRef): ClusterSpec {
  const recorded = new Set(ordinalsOf(spec));
  const others = statefulSets.flatMap(({ name, templateLabels }): [string, string][] => {
    const ordinal = ordinalOfNode(cluster.name, name);
    const shard = templateLabels[SHARD_LABEL];
    const ours = templateLabels[MANAGED_BY_LABEL] === MANAGED_BY && shard !== undefined;
    return ours && ordinal !== null && !recorded.has(ordinal) ? [[String(ordinal), shard]] : [];
  });
  if (others.length === 0) return spec;
  const known = [...recorded].map((ordinal): [string, string] => [String(ordinal), shardOf(spec, ordinal)]);
  const nodes = Object.fromEntries([...known, ...others]);
  const sizes = new Map<string, number>();
  for (const shard of Object.values(nodes)) sizes.set(shard, (sizes.get(shard) ?? 0) + 1);
  return { ...spec, nodes, masters: sizes.size, replicas: Math.min(...sizes.values()) - 1, scaling: null };
}

function shapeOf(spec: ClusterSpec): DesiredShape {
  const { masters, replicas, nodes } = spec;
  const leaving = spec.scaling?.leaving ?? [];
  return {
    masters,
    replicas,
    ...(nodes === null ? {} : { ordinals: ordinalsOf(spec) }),
    ...(leaving.length === 0 ? {} : { leaving }),
  };
}

function shapeForPeople(annotations: StringMap): DesiredShape | null {
  const masters = readCount(annotations[MASTERS_ANNOTATION]);
  const replicas = readCount(annotations[REPLICAS_ANNOTATION]);
  return masters === null || replicas === null ? null : { masters, replicas };
}

function readCount(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : null;
}
