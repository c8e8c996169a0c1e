/** What `create` shows before it does anything: what will be there, what it costs, what to know. Pure. */
import type { Plan, Remark } from '../../pkg/cluster/model/plan.ts';
import { countSlots, formatRange, splitSlots } from '../../pkg/cluster/model/slots.ts';
import { nodeCount, nodeName, ordinalsOf, shardOf, shardsOf, type ClusterSpec } from '../../pkg/cluster/model/spec.ts';
import { createPaint, type Paint } from './paint.ts';
import { factLines as labelled, indent, noteLines } from './plan-lines.ts';
import { table } from './table.ts';

export interface CreateView {
  readonly spec: ClusterSpec;
  readonly plan: Plan;
  readonly remarks: readonly Remark[];
  /** Pods that people brought: only the cluster is formed. */
  readonly brought: readonly string[] | null;
  /** It was formed, and no pod of it is there: it sleeps, or was deleted with its data kept. */
  readonly restarts: boolean;
  /** Something of it is there from an earlier run. */
  readonly resumes: boolean;
}

export interface CreateLook {
  readonly width: number | null;
  readonly colour: boolean;
}

/** Lines, without colour codes where the look has none. */
export function createPlanLines(view: CreateView, look: CreateLook): string[] {
  const { spec, brought } = view;
  const paint = createPaint(look.colour);
  const { name, namespace } = spec.cluster;
  const what = `${spec.masters} shards of ${plural(1 + spec.replicas, 'node')}`;
  const title = view.restarts
    ? `Start ${name} in namespace ${namespace} again, with its data: ${what}`
    : view.resumes
      ? `Finish ${name} in namespace ${namespace}: ${what}`
      : `Create ${name} in namespace ${namespace}: ${what}`;
  const notes = noteLines(
    view.remarks.map(({ sentence }) => sentence),
    look.width,
    paint,
  );
  return [
    paint.tone('strong', title),
    '',
    ...table(
      [{ header: 'SHARD' }, { header: 'SLOTS' }, { header: 'COUNT', align: 'right' }, { header: 'NODES' }],
      shardRows(spec, brought),
      { width: look.width, paint },
    ).map(indent),
    '',
    ...factLines(view, paint, look.width),
    ...(notes.length === 0 ? [] : ['', ...notes]),
  ];
}

function shardRows(spec: ClusterSpec, brought: readonly string[] | null): string[][] {
  return splitSlots(spec.masters).map((range, index) => {
    const shard = shardsOf(spec)[index] ?? '';
    const nodes = ordinalsOf(spec)
      .filter((n) => shardOf(spec, n) === shard)
      .map((n) => nodeName(spec.cluster.name, n));
    return [
      shard,
      formatRange(range),
      String(countSlots([range])),
      brought === null ? nodes.join(', ') : 'chosen so that no shard is on one host',
    ];
  });
}

function factLines(view: CreateView, paint: Paint, width: number | null): string[] {
  const { spec, brought, plan } = view;
  const count = nodeCount(spec);
  const facts: [string, string][] =
    brought !== null
      ? [['pods', `${brought.length}, as they are: ${brought.slice(0, 3).join(', ')}${brought.length > 3 ? ' …' : ''}`]]
      : [
          ['image', spec.image],
          [
            'storage',
            `${count} x ${spec.storage}, ${spec.storageClass === null ? 'default class' : `class ${spec.storageClass}`}`,
          ],
          ['memory', spec.memory === null ? 'no limit' : `${count} x ${spec.memory}, of which Redis uses 70 %`],
          ...(spec.cpu === null ? [] : [['cpu', `${count} x ${spec.cpu}`] as [string, string]]),
          ['password', spec.auth ? `in Secret ${spec.cluster.name}-auth (made unless it is there)` : 'none'],
          ['hosts', affinityText(spec)],
          ...(spec.networkPolicy ? [['bus port', "reached by the cluster's pods only"] as [string, string]] : []),
          ['makes', madeObjects(spec)],
        ];
  const next = plan.kind === 'batches' ? plan.batches.map((batch) => batch.title).join(', ') : 'nothing';
  if (view.resumes) facts.push(['left to do', next]);
  facts.push(['loses', 'nothing: what is there is not changed']);
  return facts.flatMap(([label, text]) => labelled(label, text, width, paint));
}

function affinityText(spec: ClusterSpec): string {
  if (spec.antiAffinity === 'off') return 'nodes are placed anywhere';
  const apart =
    spec.antiAffinity === 'hard'
      ? 'nodes of a shard never share a host'
      : 'nodes of a shard share no host where that is possible';
  return spec.replicas === 0
    ? 'nodes are spread over hosts and zones'
    : `${apart}; all are spread over hosts and zones`;
}

function madeObjects(spec: ClusterSpec): string {
  const count = nodeCount(spec);
  return `${count + 1} Services, ${count} StatefulSets, ${spec.masters} PodDisruptionBudgets, 2 ConfigMaps${spec.auth ? ', 1 Secret' : ''}${spec.networkPolicy ? ', 1 NetworkPolicy' : ''}`;
}

function plural(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}
