/**
 * Pods that people brought and that were injected mount ConfigMaps of ours, although none of their objects is ours. Their
 * record must be as good as that of a cluster that `create` made: `formed` before the first MEET, because from then on an
 * empty volume is a lost one; and the table of nodes with shards once they are known, because a node that comes back without
 * its volume looks there for the shard that it belongs to.
 */
import type { ClusterRef, KubeFacts, PodFacts } from '../model/observation.ts';
import { ANNOUNCE_ANNOTATION, FORMED_KEY, INJECTED_ANNOTATION, NODES_KEY, SHARD_LABEL } from '../model/labels.ts';
import { phantomLines } from '../evidence/missing-pods.ts';
import { injectedPods, isIdleService, ordinalOf } from '../interpret/injected.ts';
import { parseNodeTable, renderNodeTable, type NodeLine } from '../model/node-table.ts';
import type { Batch, Plan } from '../model/plan.ts';
import { needsOldRecord, recordOf } from '../model/record.ts';
import { nodeName } from '../model/spec.ts';
import type { ClusterState } from '../model/state.ts';

/** Whether injected pods wait for a ConfigMap, or for an address in the table. Pods without our mark need neither. */
export function lacksRecord(kube: KubeFacts, cluster: ClusterRef): boolean {
  const lines = readLines(kube, cluster);
  return injectedPods(kube).some((pod) => {
    const n = ordinalOf(cluster.name, pod);
    return kube.config === null || (n !== null && (lines.get(n)?.address ?? null) === null);
  });
}

/** The plan with what the record still lacks; without a ConfigMap of ours there is no record. */
export function withRecord(plan: Plan, state: ClusterState, kube: KubeFacts): Plan {
  if (plan.kind === 'refused' || kube.config === null || injectedPods(kube).length === 0) return plan;
  const rest = plan.kind === 'batches' ? plan.batches : [];
  if (!state.formedMark) {
    const reason = 'from here on an empty volume is a lost one';
    const mark: Batch = { title: 'mark as formed', steps: [{ kind: 'mark-formed', reason }] };
    return { kind: 'batches', batches: [mark, ...rest], remarks: plan.remarks };
  }
  const table = broughtTable(state, kube);
  if (rest.length > 0 || (isRecorded(kube, table) && isProtected(state.cluster, kube, table))) return plan;
  const reason = 'addresses and shards, for a node that comes back without its volume; Service and budgets';
  const record: Batch = { title: 'record the nodes', steps: [{ kind: 'apply-config', reason }] };
  return { kind: 'batches', batches: [record], remarks: plan.remarks };
}

/** Whether NAME-state says it, and NAME-config where pods know no other place. */
function isRecorded(kube: KubeFacts, table: string): boolean {
  if (kube.state?.[NODES_KEY] !== table) return false;
  return !needsOldRecord(kube) || (kube.config?.[NODES_KEY] === table && kube.config[FORMED_KEY] === 'true');
}

/** Whether clients have a Service, and drains the labels and budgets that keep them from taking two nodes of a shard. */
function isProtected(cluster: ClusterRef, kube: KubeFacts, table: string): boolean {
  const lines = parseNodeTable(table);
  return (
    kube.services.some(({ name }) => name === cluster.name) &&
    (recordOf(kube, cluster).budgets ?? '') === renderBudgets(budgetsFor(cluster.name, kube, lines)) &&
    unlabelledPods(cluster.name, kube, lines).length === 0
  );
}

/**
 * Shard -> its members, for shards of more than one. Only of pods that the webhook completed: it gives the shard's label to
 * their successors, and without it a budget would wait for them for ever.
 */
export function budgetsFor(cluster: string, kube: KubeFacts, lines: readonly NodeLine[]): ReadonlyMap<string, number> {
  const members = new Map<string, number>();
  for (const { shard } of webhookPods(cluster, kube, lines)) members.set(shard, (members.get(shard) ?? 0) + 1);
  return new Map([...members].filter(([, count]) => count > 1).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function renderBudgets(budgets: ReadonlyMap<string, number>): string {
  return [...budgets].map(([shard, members]) => `${shard}:${members}`).join(' ');
}

/** Pods that were made before their shard was known, and which it is. */
export function unlabelledPods(
  cluster: string,
  kube: KubeFacts,
  lines: readonly NodeLine[],
): readonly { readonly pod: PodFacts; readonly shard: string }[] {
  return webhookPods(cluster, kube, lines).filter(({ pod, shard }) => pod.labels[SHARD_LABEL] !== shard);
}

function webhookPods(
  cluster: string,
  kube: KubeFacts,
  lines: readonly NodeLine[],
): { readonly pod: PodFacts; readonly shard: string }[] {
  const shards = new Map(lines.map(({ ordinal, shard }) => [ordinal, shard]));
  return kube.pods.flatMap((pod) => {
    const n = ordinalOf(cluster, pod);
    const shard = n === null ? null : (shards.get(n) ?? null);
    return shard === null || pod.annotations[INJECTED_ANNOTATION] !== 'webhook' ? [] : [{ pod, shard }];
  });
}

/**
 * Lines `N NODE ADDRESS SHARD` by N. Until the cluster is formed only of pods that are there, later of all nodes that ever were; a line that
 * never became a node goes.
 */
export function broughtTable(state: ClusterState, kube: KubeFacts): string {
  const recorded = readLines(kube, state.cluster);
  const shards = shardNames(state, recorded);
  const kept = recordOf(kube, state.cluster).formed === true ? recorded : new Map<number, NodeLine>();
  const lines = new Map(kept);
  // A Service that was made for such a line goes first: without the line nothing would tell of it.
  const idle = new Set(
    kube.services.filter((one) => isIdleService(one, kube, state.cluster.name)).map(({ name }) => name),
  );
  for (const { ordinal, node } of phantomLines(state, kube)) if (!idle.has(node)) lines.delete(ordinal);
  for (const pod of kube.pods) {
    const n = ordinalOf(state.cluster.name, pod);
    if (n === null) continue;
    const node = nodeName(state.cluster.name, n);
    const shard = shards.get(pod.name) ?? recorded.get(n)?.shard ?? null;
    lines.set(n, { ordinal: n, node, address: addressOf(state, kube, pod, node), shard });
  }
  return renderNodeTable([...lines.values()]);
}

function readLines(kube: KubeFacts, cluster: ClusterRef): Map<number, NodeLine> {
  return new Map(recordOf(kube, cluster).nodes.map((line) => [line.ordinal, line]));
}

/** What the pod announces: as its annotation, its Service or the other nodes say. */
function addressOf(state: ClusterState, kube: KubeFacts, pod: PodFacts, node: string): string | null {
  const service = kube.services.find(({ name }) => name === node)?.clusterIP;
  const announced = state.nodes.find((each) => each.pod?.name === pod.name)?.announced?.replace(/:[0-9]+$/, '');
  const usable = [pod.annotations[ANNOUNCE_ANNOTATION], service, announced].find(
    (each) => each !== undefined && each !== '' && each !== 'None',
  );
  return usable ?? null;
}

/** Pod -> shard: the name that is recorded for any of its nodes, else its position, else the next that is free. */
function shardNames(state: ClusterState, recorded: ReadonlyMap<number, NodeLine>): Map<string, string> {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  const free = (wanted: string): string => {
    let name = wanted;
    for (let next = 1; taken.has(name); next++) name = String(next);
    return name;
  };
  const owned = state.shards.filter(({ slots }) => slots.length > 0);
  const known = owned.map((shard) => {
    const pods = [shard.primary, ...shard.replicas].flatMap((node) => node?.pod ?? []);
    const before = pods.map((pod) => {
      const n = ordinalOf(state.cluster.name, pod);
      return pod.labels[SHARD_LABEL] ?? (n === null ? undefined : recorded.get(n)?.shard);
    });
    return { pods, position: shard.name, name: before.find((each) => typeof each === 'string') };
  });
  for (const { pods, position, name } of [...known].sort(
    (a, b) => Number(a.name === undefined) - Number(b.name === undefined),
  )) {
    const chosen = name !== undefined && !taken.has(name) ? name : free(position);
    taken.add(chosen);
    for (const pod of pods) names.set(pod.name, chosen);
  }
  return names;
}
