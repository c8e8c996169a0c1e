/**
 * The plan of `restart`: from whatever is there to pods that are all new. Stages in this order, and each only when nothing of the earlier
 * ones is left to do:
 *
 * 0. Who was stopped on purpose is not waited for. What this restart has taken away is. Then what is refused is refused, before anything
 *    is written: a template with a refused image would come with the next crash of a pod.
 * 1. Directives that servers take while they run are set on every node: what a server refuses must not be recorded, because every
 *    pod would read it at its next start.
 * 2. The spec is recorded, then ConfigMap and templates are rendered from it; or, where templates are not ours, the pods are marked. From
 *    here on anybody can go on.
 * 3. Pods in which no server runs are replaced at once: an earlier attempt may have left them with an image that does not exist.
 * 4. What is on its way up is waited for. A replica that can't read what its primary writes, because an older manifest brought its pod back
 *    in the middle, is restarted: it never comes in step before. Then until all agree: one pod is away at a time.
 * 5. Replicas that missed a failover, and follow what is a replica itself by now, are attached to their primary.
 * 6. By live role, one shard after the other: its replicas; then, when all of them are new, the best takes over from the primary; then
 *    the old primary, a replica by now. So a replica is never older than its primary (law L14), and clients meet no closed primary.
 *
 * A pure function of what was observed; one batch is run, then it is made anew.
 */
import { RESTART_ANNOTATION, RESTARTED_ANNOTATION, SPEC_HASH_ANNOTATION } from '../model/labels.ts';
import { nameOfNode } from '../model/list-names.ts';
import type { KubeFacts, PodFacts } from '../model/observation.ts';
import type { Batch, Plan, Step } from '../model/plan.ts';
import { nodeName, ordinalsOf, specHash, type ClusterSpec } from '../model/spec.ts';
import type { SlotRanges } from '../model/slots.ts';
import type { ClusterState, Shard } from '../model/state.ts';
import { reads } from './server-version.ts';
import { compareNatural } from '../natural-order.ts';
import { evidenceOf, type Evidence } from '../evidence/evidence.ts';
import { isConverged } from './form.ts';
import { chainSteps } from './form-reconnect.ts';
import { memberOf, type Member } from '../evidence/members.ts';
import { refuse } from './form-members.ts';
import { refuseHeir } from './refuse-heir.ts';
import { isToRestart, type RestartTarget } from './restart-goal.ts';
import { isDead, isGuarded } from './pod-life.ts';
import { noHeir, noServerRuns, refuseOlder, refusePutBack, refuseRestart, refuseStopped } from './restart-refuse.ts';

export interface RestartInput {
  readonly state: ClusterState;
  readonly kube: KubeFacts;
  /** null on a cluster of others. */
  readonly recorded: ClusterSpec | null;
  /** Whether ConfigMap NAME-config is not what would be rendered from the record. */
  readonly staleConfig: boolean;
  /** Whether its redis.conf says other directives than would be rendered. */
  readonly staleSettings: boolean;
  /** What this run has rendered already: where it is stale again, somebody puts it back. */
  readonly rendered: { readonly config: boolean; readonly templates: boolean };
  readonly target: RestartTarget;
  /** Whether this run has set the live directives: they can't be read back as they are written. */
  readonly liveIsSet: boolean;
  /** Slots without a replica that may be away while their pod restarts. */
  readonly agreedAway: SlotRanges;
  /** Slots whose keys may be lost with that. */
  readonly agreedLoss: SlotRanges;
}

type Stage = (input: RestartInput) => Plan | null;

const STAGES: readonly Stage[] = [
  refuseStopped,
  underWayStage,
  (input) => refuseRestart(input),
  liveStage,
  recordStage,
  renderStage,
  deadStage,
  arriveStage,
  unreadStage,
  agreeStage,
  chainStage,
  shardStage,
];

/** @returns nothing when every pod of the goal is new and in step */
export function planRestart(input: RestartInput): Plan {
  for (const stage of STAGES) {
    const plan = stage(input);
    if (plan !== null) return plan;
  }
  return { kind: 'nothing', remarks: [] };
}

function batch(title: string, ...steps: readonly Step[]): Plan {
  const batches: Batch[] = [{ title, steps }];
  return { kind: 'batches', batches, remarks: [] };
}

/** A node that is away because it restarts is no reason to refuse what is left of the restart. */
function underWayStage(input: RestartInput): Plan | null {
  if (recordStage(input) !== null || renderStage(input) !== null) return null;
  const isOld = ({ pods }: KubeFacts, name: string): boolean =>
    pods.some((pod) => pod.name === name && !pod.terminating && isToRestart(input.target, pod, input.kube));
  return waitFor(
    input,
    awaited(input).filter((name) => !isOld(input.kube, name)),
  );
}

function liveStage({ state, recorded, target, liveIsSet }: RestartInput): Plan | null {
  if (liveIsSet) return null;
  const left = Object.entries(target.live).filter(([name, value]) => recorded?.config[name] !== value);
  if (left.length === 0) return null;
  const silent = state.nodes.find((node) => node.reply?.kind !== 'answered');
  if (silent !== undefined)
    return refuse(
      'node-silent',
      `${nameOfNode(silent)} does not answer and would keep its old settings`,
      `kubectl redis status ${state.cluster.name} says why`,
    );
  const directives = Object.fromEntries(left);
  const members = state.nodes.flatMap(memberOf);
  const reason = 'the server takes it while it runs';
  return batch(
    'set directives',
    ...members.map(({ step }): Step => ({ kind: 'set-config', node: step, directives, reason })),
  );
}

function recordStage({ recorded, target, kube }: RestartInput): Plan | null {
  const { spec, goal } = target;
  if (spec === null) {
    const pods = goal.pods.filter(({ podUid }) => kube.pods.some((pod) => pod.uid === podUid && !isMarked(pod)));
    if (pods.length === 0) return null;
    return batch('mark the pods', { kind: 'mark-pods', pods, at: goal.at, reason: 'for whoever goes on with it' });
  }
  if (recorded !== null && JSON.stringify(changing(recorded)) === JSON.stringify(changing(spec))) return null;
  return batch('record what is wanted', {
    kind: 'record-spec',
    spec: { ...(recorded ?? spec), ...changing(spec) },
    reason: 'for whoever goes on with it, and for the next time that pods are made',
  });
}

/** What a restart may change of the record. */
function changing({ image, config, restarted }: ClusterSpec): Pick<ClusterSpec, 'image' | 'config' | 'restarted'> {
  return { image, config, restarted };
}

function isMarked({ annotations }: PodFacts): boolean {
  return annotations[RESTART_ANNOTATION] !== undefined;
}

/** The configuration before the templates: a pod that comes up meanwhile must find it. */
function renderStage(input: RestartInput): Plan | null {
  const { recorded, staleConfig, rendered, kube } = input;
  if (recorded === null) return null;
  const putBack = refusePutBack(input, recorded);
  if (putBack !== null) return putBack;
  if (staleConfig && !rendered.config)
    return batch('render the configuration', {
      kind: 'apply-config',
      reason: 'redis.conf and scripts as the record says',
    });
  const hash = specHash(recorded);
  const stale = ordinalsOf(recorded).filter((ordinal) => {
    const set = kube.statefulSets.find(({ name }) => name === nodeName(recorded.cluster.name, ordinal));
    const mark = recorded.restarted?.[String(ordinal)];
    return (
      set !== undefined &&
      (set.image !== recorded.image ||
        set.readsState === false ||
        set.templateAnnotations[SPEC_HASH_ANNOTATION] !== hash ||
        set.templateAnnotations[RESTARTED_ANNOTATION] !== mark)
    );
  });
  if (stale.length === 0 || rendered.templates) return null;
  return batch('render the templates', {
    kind: 'apply-workloads',
    ordinals: stale,
    reason: 'new pods are made from them',
  });
}

/** No budget needs to be asked: nothing runs there. */
function deadStage({ state, kube, target }: RestartInput): Plan | null {
  const isDown = noServerRuns(state, kube);
  const dead = kube.pods.filter((pod) => isToRestart(target, pod, kube) && (isDown || isDead(pod)) && !pod.terminating);
  if (dead.length === 0) return null;
  return batch(
    'replace pods that do not run',
    ...dead.map((pod): Step => ({
      kind: 'replace-pod',
      pod: pod.name,
      podUid: pod.uid,
      reason: `no server runs in it (${pod.container.reason ?? pod.phase})`,
    })),
  );
}

function arriveStage(input: RestartInput): Plan | null {
  return waitFor(input, awaited(input));
}

function waitFor(input: RestartInput, pods: readonly string[]): Plan | null {
  if (pods.length === 0) return null;
  const reason = `${pods.length} of ${expectedPods(input).length} pods are not up`;
  return batch('wait for pods', { kind: 'wait-pods', pods, reason });
}

/** Pods that are not up, or wait for the guard; none where the goal needs no pod to restart. */
function awaited(input: RestartInput): string[] {
  const { kube, target, state } = input;
  if (target.goal.pods.length === 0) return [];
  return expectedPods(input).filter((name) => {
    const pod = kube.pods.find((one) => one.name === name);
    return pod === undefined || pod.terminating || isDead(pod) || isGuarded(state, name);
  });
}

function expectedPods({ recorded, target }: RestartInput): string[] {
  if (recorded === null) return target.goal.pods.map(({ pod }) => pod);
  return ordinalsOf(recorded).map((n) => `${nodeName(recorded.cluster.name, n)}-0`);
}

function unreadStage({ state, kube, target }: RestartInput): Plan | null {
  const members = state.nodes.flatMap(memberOf);
  const [behind] = members.filter(({ node, answer }) => {
    const primary = members.find(({ nodeId }) => nodeId === node.primaryId);
    if (primary === undefined || node.pod === null || answer.info.primaryLinkUp !== false) return false;
    const isTo = (pod: PodFacts | null): boolean => pod !== null && isToRestart(target, pod, kube);
    return isTo(node.pod) && !isTo(primary.node.pod) && !reads(answer.info, primary.answer.info);
  });
  return behind === undefined
    ? null
    : restart(behind, 'it runs an older server than its primary, and can not follow it');
}

function agreeStage({ state, kube, target }: RestartInput): Plan | null {
  if (isConverged(state) || target.goal.pods.length === 0) return null;
  const pods = kube.pods.map(({ name }) => name);
  return batch('wait until all nodes agree', { kind: 'await-convergence', pods, reason: 'one pod is away at a time' });
}

/** Also when all pods are new: a restart that is done leaves every replica at its primary. */
function chainStage({ state, target }: RestartInput): Plan | null {
  const steps = target.goal.pods.length === 0 ? [] : chainSteps(state.nodes.flatMap(memberOf));
  return steps.length === 0 ? null : batch('attach replicas to the primary at the top', ...steps);
}

function shardStage(input: RestartInput): Plan | null {
  const evidence = evidenceOf(input.state, input.kube);
  for (const shard of input.state.shards.toSorted((a, b) => compareNatural(a.name, b.name))) {
    const plan = planShard(input, shard, evidence);
    if (plan !== null) return plan;
  }
  return null;
}

function planShard({ target, state, kube, agreedLoss }: RestartInput, shard: Shard, evidence: Evidence): Plan | null {
  const isTo = ({ node }: Member): boolean => node.pod !== null && isToRestart(target, node.pod, kube);
  const replicas = shard.replicas.flatMap(memberOf);
  const [replica] = replicas.filter(isTo).toSorted((a, b) => compareNatural(a.step.pod, b.step.pod));
  if (replica !== undefined) return restart(replica, `a replica of shard ${shard.name}`);
  const [primary] = shard.primary === null ? [] : memberOf(shard.primary);
  if (primary === undefined || !isTo(primary)) return null;
  const { candidates, best } = evidence.successionOf(primary.node);
  const heir = best?.standing === 'in-step' ? best.member : null;
  if (heir === null && candidates.length > 0) return noHeir(primary.node, best, evidence, state);
  // Refused before the first write where it is not agreed to.
  if (heir === null) return restart(primary, `shard ${shard.name} has no replica`);
  const refused =
    refuseOlder(heir, primary) ?? refuseHeir({ primary: primary.node, heir: heir.node }, evidence, state, agreedLoss);
  if (refused !== null) return refused;
  const reason = `${primary.step.pod} of shard ${shard.name} is to restart, and its replicas are done`;
  const step: Step = { kind: 'failover', node: heir.step, primary: primary.step, reason };
  return batch(`${heir.step.pod} takes over shard ${shard.name}`, step);
}

function restart({ step, uid }: Member, reason: string): Plan {
  return batch(`restart ${step.pod}`, { kind: 'restart-pod', pod: step.pod, podUid: uid, node: step, reason });
}
