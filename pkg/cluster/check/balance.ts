/** Replicas for every primary, as many primaries as were asked for, labels that say the truth (I10). */
import { finishesShape } from '../evidence/idle-shards.ts';
import { secondOwners, takesSlotsAway } from '../evidence/second-owners.ts';
import { scaleCommand, unfinishedShape } from '../model/scale-command.ts';
import type { ClusterSpec } from '../model/spec.ts';
import { NODE_LABEL, SHARD_LABEL } from '../model/labels.ts';
import type { Problem } from '../model/problem.ts';
import { recordOf } from '../model/record.ts';
import type { ClusterState, DesiredShape, Shard } from '../model/state.ts';
import type { Check, CheckContext } from './context.ts';
import { count, listNames, makeProblem } from './wording.ts';

export const checkReplicaCounts: Check = (context, found) => {
  // A shard of an id without a pod is `slots-without-node`.
  const shards = context.state.shards.filter((shard) => shard.slots.length > 0 && isOfPods(context, shard));
  const counts = shards.map((shard) => replicasOf(context, shard));
  const wanted = context.state.desired?.replicas ?? median(counts);
  const short = shards.flatMap((shard, i) => ((counts[i] ?? 0) < wanted ? [{ shard, has: counts[i] ?? 0 }] : []));
  const deficit = short.reduce((sum, { has }) => sum + wanted - has, 0);
  const strayed = found.filter((problem) => problem.code === 'shard-label-stale').length;
  if (deficit <= spareNodes(context) + strayed) return [];
  return short.map(({ shard, has }) => {
    const name = shard.primary === null ? `shard ${shard.name}` : context.nameOf(shard.primary);
    const sentence = `Shard ${shard.name} has ${count(has, 'replica')} instead of ${wanted}${shard.primary === null ? '' : ` (primary ${name})`}.`;
    const nodes = shard.primary === null ? [] : [name];
    const repair = repairOfSecond(context, shard);
    return makeProblem('replica-missing', context.state.cluster.name, {
      sentence,
      nodes,
      slots: shard.slots,
      ...(repair === null ? {} : { repair, byHand: true }),
    });
  });
};

/** Where one of its nodes owns slots besides its primary: it is the replica that is missing, and no other may take its place. */
function repairOfSecond({ state }: CheckContext, { primary }: Shard): string | null {
  const [second] = primary?.shardLabel == null ? [] : secondOwners(state, primary.shardLabel);
  return second?.pod == null
    ? null
    : `${second.pod.name} owns slots of its own: ${takesSlotsAway(state, second.pod.name)}.`;
}

function isOfPods(context: CheckContext, shard: Shard): boolean {
  return (
    shard.primary === null || shard.primary.pod !== null || context.missing.some((one) => one.node === shard.primary)
  );
}

/** Down or up, but a replica of a pod that exists or should. */
function replicasOf(context: CheckContext, shard: Shard): number {
  const tied = new Set(context.missing.map((one) => one.node));
  return shard.replicas.filter((node) => node.role === 'replica' && (node.pod !== null || tied.has(node))).length;
}

/** Nodes that are told elsewhere and will be replicas when that is repaired: absent, not joined, or primaries of nothing. */
function spareNodes(context: CheckContext): number {
  const idle = context.state.nodes.filter(
    (node) => node.pod !== null && node.role !== 'replica' && node.slots.length === 0,
  );
  const absent = context.missing.filter(
    ({ node }) => node === null || (node.role !== 'replica' && node.slots.length === 0),
  );
  return idle.length + absent.length;
}

/** Of what most shards have; the lower one of two. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

/** One that is to come or to go with another shape is left to whatever makes that, by `fix`, too. */
export const checkEmptyPrimaries: Check = (context, found) => {
  const { state } = context;
  const shape = shapeToReach(state, found);
  return context.answered
    .filter(
      ({ node, nodeId }) => node.role === 'primary' && node.slots.length === 0 && !context.groups.outside.has(nodeId),
    )
    .map(({ pod }) =>
      makeProblem('empty-primary', state.cluster.name, {
        sentence: `${pod} is a primary without slots.`,
        nodes: [pod],
        repair:
          shape?.repair ?? `${context.redisCli(pod, 'CLUSTER REPLICATE ID-OF-A-PRIMARY')}, one that needs a replica.`,
        byHand: shape !== undefined,
      }),
    );
};

/** Who owns these slots is not settled. That a shard lacks replicas tells of an owner too many, and of none too few. */
function hidesShape({ code, slots }: Problem, isTooFew: boolean): boolean {
  return code === 'record-older' || (slots.length > 0 && !(isTooFew && code === 'replica-missing'));
}

export const checkShape: Check = (context, found) => {
  const { state, observation } = context;
  const { desired, cluster } = state;
  const leaving = desired?.leaving ?? [];
  if (desired !== null && leaving.length > 0) {
    const names = listNames(leaving.map((ordinal) => `${cluster.name}-${ordinal}`));
    return [unfinished(context, desired, `${names} ${leaving.length === 1 ? 'is' : 'are'} to go`)];
  }
  const owners = ownersIn(state);
  if (desired === null || found.some((one) => hidesShape(one, owners < desired.masters))) return [];
  const begun = unfinishedShape(state, observation.kube);
  if (isShapeReached(state)) return begun === null ? [] : [unfinished(context, begun, whatIsLeft(begun))];
  const own = `${primaries(owners)} own${owners === 1 ? 's' : ''} slots`;
  if (begun !== null) return [unfinished(context, begun, own)];
  const sentence = `${own}; ${desired.masters} were asked for.`;
  const repair = repairOfShape(context);
  return [
    makeProblem('shape-differs', cluster.name, { sentence, ...(repair === null ? {} : { repair: `${repair}.` }) }),
  ];
};

/** Where all who are to own slots do. */
function whatIsLeft({ scaling }: ClusterSpec): string {
  return scaling?.spread === true
    ? 'the slots may not be shared out evenly yet'
    : 'no node is missing, and that it is done is not recorded yet';
}

function ownersIn({ nodes }: ClusterState): number {
  return nodes.filter((node) => node.slots.length > 0).length;
}

/** As many primaries own slots as shall, and none is to go. A change to it may still have slots to share out. */
function isShapeReached(state: ClusterState): boolean {
  const { desired } = state;
  return desired !== null && (desired.leaving ?? []).length === 0 && ownersIn(state) === desired.masters;
}

/** What was found of the shape, while it is not reached: primaries that own nothing are the business of whatever makes it. */
export function shapeToReach(state: ClusterState, found: readonly Problem[]): Problem | undefined {
  return isShapeReached(state) ? undefined : found.find(({ code }) => code === 'shape-differs');
}

function unfinished({ state: { cluster } }: CheckContext, shape: DesiredShape | ClusterSpec, left: string): Problem {
  const wanted = `${primaries(shape.masters)} with ${count(shape.replicas, 'replica')} each`;
  const sentence = `A change to ${wanted} was begun and is not finished: ${left}.`;
  const repair = `${scaleCommand(cluster.name, shape)} goes on with it.`;
  return makeProblem('shape-differs', cluster.name, { sentence, repair });
}

/** What makes the owners as many as were asked for, where that can be told; no change was begun. */
function repairOfShape({ state, observation }: CheckContext): string | null {
  const [second] = secondOwners(state);
  if (second?.pod != null) return takesSlotsAway(state, second.pod.name);
  const { spec } = recordOf(observation.kube, state.cluster);
  // `scale` needs a whole record; where only the numbers are written down somebody else has to change the shape.
  return spec === null ? null : finishesShape(state.nodes, spec);
}

function primaries(number: number): string {
  return number === 1 ? '1 primary' : `${number} primaries`;
}

/** The label of a replica against its primary's, and of a pod against its own template. */
export const checkShardLabels: Check = (context) => {
  if (context.state.origin !== 'ours') return [];
  const templates = new Map(
    context.observation.kube.statefulSets.map((set) => [
      set.templateLabels[NODE_LABEL] ?? set.name,
      set.templateLabels[SHARD_LABEL],
    ]),
  );
  return context.state.nodes.flatMap((node): Problem[] => {
    const primary = node.role === 'replica' && node.primaryId !== null ? context.byId.get(node.primaryId) : undefined;
    const template = templates.get(node.pod?.labels[NODE_LABEL] ?? '') ?? null;
    const truth = primary?.shardLabel ?? template;
    if (node.pod === null || node.shardLabel === null || truth === null || node.shardLabel === truth) return [];
    const name = node.pod.name;
    const why = primary?.shardLabel == null ? 'its template says' : `its primary ${context.nameOf(primary)} is of`;
    const sentence = `${name} is labelled as shard ${node.shardLabel}, but ${why} shard ${truth}.`;
    return [makeProblem('shard-label-stale', context.state.cluster.name, { sentence, nodes: [name] })];
  });
};
