/**
 * The plan of `scale`: from whatever is there to the shape that was asked for, up and down at once. In this order, and each stage
 * only when nothing of the earlier ones is left to do:
 *
 * 1. The shape is recorded, with the table of nodes that come and go: whoever runs the command again after a kill
 *    anywhere works towards the same nodes.
 * 2. What has gone for good is forgotten on every node (law L9).
 * 3. Objects and pods of new nodes; they are met (L2), follow their primaries, and everybody agrees (L10).
 * 4. A node that goes and leads a shard that stays hands its role over.
 * 5. Slots that an interrupted move left open, with the pair that has them open; then all others, straight to their owners.
 * 6. Emptied nodes stop, replicas first; when their pods have gone they are forgotten (stage 2).
 * 7. Their addresses, volumes and budgets go, then their lines in the tables; the record says that it is done.
 *
 * A pure function of what was observed, and only the first batch of a plan is run before it is made anew.
 */
import type { Batch, Plan, Remark, Step } from '../model/plan.ts';
import { recordOf } from '../model/record.ts';
import { scaleCommand } from '../model/scale-command.ts';
import { nodeName, ordinalsOf, podName, shardsOf, type ClusterSpec } from '../model/spec.ts';
import type { DesiredShape } from '../model/state.ts';
import { planObjects } from './create-objects.ts';
import { isConverged } from './form.ts';
import { refuse } from './form-members.ts';
import { cleanStage, dropStage, forgetStage, removeStage } from './scale-remove.ts';
import { joinStage } from './scale-join.ts';
import { handOverStage, moveStage, staysUneven } from './scale-moves.ts';
import { refuseRestarting, refuseScale } from './scale-refuse.ts';
import { layShape } from './scale-layout.ts';
import { ownedOf, scaleContext, type LeavingNode, type ScaleContext, type ScaleSeen } from './scale-context.ts';

export interface ScaleInput extends ScaleSeen {
  readonly recorded: ClusterSpec;
  readonly wanted: Pick<DesiredShape, 'masters' | 'replicas'>;
  /** Nodes that may go with their volumes: what was shown; null = a plan that is only shown. */
  readonly agreedToGo: readonly string[] | null;
}

type Stage = (context: ScaleContext) => Batch[];

const STAGES: readonly Stage[] = [
  forgetStage,
  dropStage,
  objectStage,
  podStage,
  joinStage,
  agreeStage,
  handOverStage,
  moveStage,
  removeStage,
  cleanStage,
  settleStage,
];

/** @returns nothing when the cluster has the shape; the batches of the stage that it is in */
export function planScale(input: ScaleInput): Plan {
  const context = scaleContext(input, layShape({ ...input, spec: input.recorded }, input.wanted));
  const refused = refuseScale(context) ?? refuseOthersToGo(context, input.agreedToGo);
  if (refused !== null) return refused;
  const remarks = [...remarksOf(input), ...remarkUneven(context)];
  if (context.spec !== input.recorded) {
    const restarting = refuseRestarting(input.kube, input.recorded, input.state);
    if (restarting !== null) return restarting;
    const { masters, replicas } = input.wanted;
    const reason = `${masters} x ${1 + replicas} nodes from now on, for whoever goes on with it`;
    const record: Batch = {
      title: 'record the new shape',
      steps: [{ kind: 'record-spec', spec: context.spec, reason }],
    };
    return { kind: 'batches', batches: [record], remarks };
  }
  for (const stage of STAGES) {
    const batches = stage(context);
    if (batches.length > 0) return { kind: 'batches', batches, remarks };
  }
  return refuseLeftOver(context) ?? { kind: 'nothing', remarks };
}

/** Which replicas go depends on who leads, and that may have changed since it was agreed to. */
function refuseOthersToGo({ leaving, spec }: ScaleContext, agreed: ScaleInput['agreedToGo']): Plan | null {
  const other = leaving.find(({ name }) => agreed !== null && !agreed.includes(name));
  if (other === undefined) return null;
  const { name } = spec.cluster;
  return refuse(
    'plan-changed',
    `The cluster has changed since the plan was shown: ${other.name} would go with its volume now`,
    `Run the same command again: ${scaleCommand(name, spec)} shows the new plan`,
  );
}

function remarksOf({ recorded, wanted }: ScaleInput): Remark[] {
  if (recorded.scaling === null || (recorded.masters === wanted.masters && recorded.replicas === wanted.replicas))
    return [];
  const sentence = `A change to ${recorded.masters} masters with ${recorded.replicas} replicas each was begun and is not finished: from where it stands it now goes to ${wanted.masters} with ${wanted.replicas}`;
  return [{ code: 'other-shape-unfinished', sentence }];
}

function remarkUneven(context: ScaleContext): Remark[] {
  if (!staysUneven(context)) return [];
  const { name } = context.spec.cluster;
  const sentence = `Slots stay as they are, and shares uneven: some would go to an older server, which takes no key of them. When all run one version, kubectl redis rebalance ${name} evens them`;
  return [{ code: 'target-older', sentence }];
}

function objectStage(context: ScaleContext): Batch[] {
  const { kube, state, target } = context;
  const shards = shardsOf(target).filter(
    (shard) => ownedOf(context, 'PodDisruptionBudget', `${target.cluster.name}-shard-${shard}`) === null,
  );
  const reason = 'a drain never takes two nodes of a shard';
  const budgets: Batch[] =
    shards.length === 0 ? [] : [{ title: 'make the budgets', steps: [{ kind: 'apply-budgets', shards, reason }] }];
  return [...budgets, ...planObjects(kube, target, { formed: true, nodes: state.nodes })];
}

function podStage({ kube, state, target }: ScaleContext): Batch[] {
  const pods = ordinalsOf(target).map((ordinal) => podName(target.cluster.name, ordinal));
  const waiting = pods.filter((name) => {
    const node = state.nodes.find((one) => one.pod?.name === name);
    return node?.reply?.kind !== 'answered' || kube.pods.some((pod) => pod.name === name && pod.terminating);
  });
  if (waiting.length === 0) return [];
  const reason = `${waiting.length} of ${pods.length} nodes do not answer yet`;
  return [{ title: 'wait for pods', steps: [{ kind: 'wait-pods', pods: waiting, reason }] }];
}

/** Nodes that have been emptied and are on their way out need not agree with anybody. */
function agreeStage(context: ScaleContext): Batch[] {
  const { state, leaving } = context;
  const going = new Set(leaving.filter((one) => isGoing(context, one)).map(({ pod }) => pod));
  const nodes = state.nodes.filter((node) => node.pod === null || !going.has(node.pod.name));
  if (going.size > 0 || isConverged({ ...state, nodes })) return [];
  const pods = nodes.flatMap((node) => (node.pod === null ? [] : [node.pod.name]));
  const reason = 'every node ok, one view, all links up';
  return [{ title: 'wait until all nodes agree', steps: [{ kind: 'await-convergence', pods, reason }] }];
}

/** Where its StatefulSet has gone its pod goes too, and may answer until it does. */
function isGoing(context: ScaleContext, { name, node }: LeavingNode): boolean {
  if (node === null) return false;
  const workload = ownedOf(context, 'StatefulSet', name);
  return workload === null || workload.terminating || node.pod?.terminating === true || node.reply?.kind !== 'answered';
}

/** All that can be done was done, and a node that goes is still there: it owns, holds or leads something. */
function refuseLeftOver({ leaving, state }: ScaleContext): Plan | null {
  const left = leaving.find(({ node }) => node !== null);
  if (left === undefined) return null;
  const { name } = state.cluster;
  const sentence = `${left.pod} is to go and can't be taken away: slots, keys or replicas are left with it`;
  return refuse(
    'node-needed',
    sentence,
    `kubectl redis check ${name} says what is wrong; run the same command when it is mended`,
  );
}

/** The tables say what is there; then the record that it is done. */
function settleStage({ kube, spec, target, leaving }: ScaleContext): Batch[] {
  if (leaving.some(({ node }) => node !== null)) return [];
  const record = (title: string, one: ClusterSpec, reason: string): Batch => ({
    title,
    steps: [{ kind: 'record-spec', spec: one, reason }],
  });
  if ((spec.scaling?.leaving.length ?? 0) > 0) {
    const scaling = { leaving: [], spread: spec.scaling?.spread === true };
    return [record('record who is left', { ...target, scaling }, 'nothing of the others is left')];
  }
  const config: Step = { kind: 'apply-config', reason: 'the table of addresses names nodes that have gone' };
  const names = new Set(ordinalsOf(target).map((ordinal) => nodeName(target.cluster.name, ordinal)));
  const stale = recordOf(kube, target.cluster).nodes.some(({ node }) => !names.has(node));
  if (stale) return [{ title: 'bring the configuration up to date', steps: [config] }];
  return spec.scaling === null
    ? []
    : [record('record that it is done', { ...spec, scaling: null }, 'it has its shape')];
}
