/**
 * Nodes that go, when they have nothing any more. Replicas first, so that no primary hands its role to one that is about to stop;
 * FORGET when their pods have gone, or they would introduce themselves again; their Services, by which gossip knows them, after that.
 */
import type { Batch, Step } from '../model/plan.ts';
import { ordinalsOf, shardOf, shardsOf } from '../model/spec.ts';
import type { ClusterNode } from '../model/state.ts';
import type { OwnedObject } from './delete.ts';
import { isMember } from './scale-join.ts';
import { ownedOf, removal, stepNode, type LeavingNode, type ScaleContext } from './scale-context.ts';

/** Ids that only gossip knows. @returns false for one that may come back or counts for something */
export function isForgettable(context: ScaleContext, ghost: ClusterNode): boolean {
  if (ghost.pod !== null || ghost.nodeId === null || ghost.slots.length > 0) return false;
  if (context.members.some(({ node }) => node.primaryId === ghost.nodeId)) return false;
  const gone = context.leaving.find(({ node }) => node === ghost);
  if (gone !== undefined) return !isRunning(context, gone);
  const flags = ghost.gossip?.flags ?? [];
  return (flags.includes('fail') || flags.includes('noaddr')) && !isExpected(context, ghost);
}

/** Its address is that of a node whose pod is only away. */
function isExpected({ kube, owned }: ScaleContext, ghost: ClusterNode): boolean {
  const service = kube.services.find(({ clusterIP }) => clusterIP !== '' && clusterIP === ghost.gossip?.ip);
  return service !== undefined && owned.some(({ kind, name }) => kind === 'StatefulSet' && name === service.name);
}

/** Something of it may still speak. */
function isRunning(context: ScaleContext, { name, pod }: LeavingNode): boolean {
  return ownedOf(context, 'StatefulSet', name) !== null || ownedOf(context, 'Pod', pod) !== null;
}

export function forgetStage(context: ScaleContext): Batch[] {
  const nodes = context.members.map(({ step }) => step);
  const steps = context.state.nodes
    .filter((ghost) => isForgettable(context, ghost))
    .map((ghost): Step => {
      const name = context.leaving.find(({ node }) => node === ghost)?.pod ?? '';
      const reason = name === '' ? 'it is no pod and owns nothing' : `${name} has gone`;
      return { kind: 'forget', victim: { ...stepNode(ghost), pod: name }, nodes, reason };
    });
  return steps.length === 0 ? [] : [{ title: 'forget who has gone', steps }];
}

/** Laws L8 and L13: it owns nothing, has nothing open, and nobody who stays follows it. */
function isUnneeded({ shards }: ScaleContext, { node }: LeavingNode): boolean {
  if (node === null) return true;
  const open = (node.gossip?.migrating.length ?? 0) + (node.gossip?.importing.length ?? 0);
  const followers = shards.flatMap((shard) => shard.members).filter((one) => one.node.primaryId === node.nodeId);
  return node.slots.length === 0 && open === 0 && (node.role === 'replica' || followers.length === 0);
}

/** Nodes of a shape that was given up before they joined: they need nothing, and nobody would ever agree with them. */
export function dropStage(context: ScaleContext): Batch[] {
  const strangers = context.members.filter((member) => !isMember(context, member)).map(({ step }) => step.pod);
  return stopBatches(
    context,
    context.leaving.filter(({ pod }) => strangers.includes(pod)),
  );
}

export function removeStage(context: ScaleContext): Batch[] {
  return stopBatches(context, context.leaving);
}

function stopBatches(context: ScaleContext, some: readonly LeavingNode[]): Batch[] {
  const running = some.filter((one) => isRunning(context, one) && isUnneeded(context, one));
  const replicas = running.filter(({ node }) => node?.role === 'replica');
  const now = replicas.length > 0 ? replicas : running;
  if (now.length === 0) return [];
  const holding = now.filter(({ node }) => node?.role === 'primary' && (node.keys ?? 0) > 0);
  if (holding.length > 0) {
    const steps = holding.flatMap(({ node }): Step[] =>
      node === null ? [] : [{ kind: 'await-empty', node: stepNode(node), reason: 'its slots have gone' }],
    );
    return [{ title: 'wait until they are empty', steps }];
  }
  const sets = now.flatMap(({ name }) => ownedOf(context, 'StatefulSet', name) ?? []);
  const pods = now.flatMap(({ pod }) => ownedOf(context, 'Pod', pod) ?? []);
  const stop = sets.filter(({ terminating }) => !terminating).map((set) => removal(set, 'it has no slots and no keys'));
  const wait: Step[] = pods.length === 0 ? [] : [{ kind: 'wait-gone', objects: pods.map(refOf), reason: 'not before' }];
  const what = replicas.length > 0 ? 'replicas' : 'emptied nodes';
  return [
    ...(stop.length > 0 ? [{ title: `stop the ${what}`, steps: stop }] : []),
    ...(wait.length > 0 ? [{ title: 'wait until they have stopped', steps: wait }] : []),
  ];
}

function refOf({ apiVersion, kind, name, uid }: OwnedObject): Omit<OwnedObject, 'terminating'> {
  return { apiVersion, kind, name, uid };
}

/** Of nodes that nobody remembers, and of shards that have no node. */
export function cleanStage(context: ScaleContext): Batch[] {
  const { owned, spec, target } = context;
  const gone = context.leaving.filter((one) => one.node === null && !isRunning(context, one));
  const shards = new Set(shardsOf(target));
  const left = new Set(
    ordinalsOf(spec)
      .map((ordinal) => shardOf(spec, ordinal))
      .filter((shard) => !shards.has(shard)),
  );
  const { name } = spec.cluster;
  const objects = [
    ...gone.flatMap((one) => [
      ownedOf(context, 'PersistentVolumeClaim', `data-${one.pod}`),
      ownedOf(context, 'Service', one.name),
    ]),
    ...[...left].map((shard) => ownedOf(context, 'PodDisruptionBudget', `${name}-shard-${shard}`)),
  ];
  const steps = objects.flatMap((object) =>
    object === null || object.terminating || !owned.includes(object) ? [] : [removal(object, 'its node has gone')],
  );
  return steps.length === 0 ? [] : [{ title: 'remove addresses, volumes and budgets', steps }];
}
