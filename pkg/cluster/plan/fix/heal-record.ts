/**
 * The record, and objects that manifests took back. All of it is rendered from what is recorded; no pod is restarted, so what runs is not
 * touched. Where something applies the manifest again every few minutes, this holds until then: the problem names who does.
 */
import { renewedSpec } from '../../evidence/older-record.ts';
import { isPlainlyThere } from '../../check/record.ts';
import type { Step } from '../../model/plan.ts';
import type { Problem } from '../../model/problem.ts';
import { recordOf } from '../../model/record.ts';
import { ordinalOfNode, ordinalsOf, podName, type ClusterSpec } from '../../model/spec.ts';
import { whyOlderThan } from '../server-version.ts';
import { isFound, left, leftAll, repair, type Cure, type FixContext, type Healer } from './fix-context.ts';

/** Nothing is lost by it, so nobody is asked: what runs is written down, and the table with it. */
export const healOlderRecord: Healer = ({ state, check }, problems) => {
  const { kube } = check.observation;
  const spec = renewedSpec(state, kube);
  const reason = 'its nodes and what the others know of them come before an older record';
  const step: Step = spec === null ? { kind: 'apply-config', reason } : { kind: 'record-spec', spec, reason };
  return [repair(problems, 'write the record anew from what runs', [step])];
};

/** By evidence alone: where no node that may know can be asked, nobody says it in their place. */
export const healFormedMark: Healer = (context, problems) => {
  if (!isPlainlyThere(context.state))
    return leftAll(problems, 'after-others', 'Bring the nodes back first: they know whether the cluster was formed');
  const reason = 'an empty volume is a lost one since then';
  return [repair(problems, 'record that the cluster was formed', [{ kind: 'mark-formed', reason }])];
};

/** The mark is written with everything else that is known. */
export const healState: Healer = (_, problems) => [
  repair(problems, 'record it where no manifest can take it back', [
    { kind: 'mark-formed', reason: 'from what NAME-config, Service and nodes say' },
  ]),
];

export const healConfigMap: Healer = (context, problems) => {
  if (context.state.origin === 'ours' && recordedSpec(context) === null)
    return leftAll(problems, 'by-hand', 'What it was rendered from is not recorded');
  return [repair(problems, 'make the configuration again', [{ kind: 'apply-config', reason: 'as it is recorded' }])];
};

export const healClientService: Healer = (_, problems) => [
  repair(problems, 'make the Service of the clients again', [
    { kind: 'apply-services', ordinals: [], client: true, reason: 'clients connect by its name' },
  ]),
];

/** `objects-unsafe`, `objects-differ` */
export const healOverwritten: Healer = (context, problems) => {
  // What an older record says is not rendered over what runs.
  if (isFound(context, 'record-older'))
    return leftAll(problems, 'after-others', 'The record is written anew from what runs first');
  const spec = recordedSpec(context);
  const config: Step[] = [{ kind: 'apply-config', reason: 'redis.conf, scripts and copies as they are recorded' }];
  const cures: Cure[] = [];
  const ordinals = new Map<Problem, number>();
  for (const problem of problems) {
    const subject = problem.subject ?? '';
    const ordinal = spec === null ? null : ordinalOfNode(spec.cluster.name, subject.replace(/^StatefulSet\//, ''));
    if (subject.startsWith('ConfigMap/')) cures.push(repair([problem], 'render the configuration as recorded', config));
    else if (spec === null) cures.push(left(problem, 'by-hand', problem.repair));
    else if (subject.startsWith('Service/'))
      cures.push(repair([problem], 'copy the record to the Service', [copyOf(spec)]));
    else if (ordinal !== null && ordinalsOf(spec).includes(ordinal)) ordinals.set(problem, ordinal);
    else cures.push(removeBeyond(context, spec, problem, ordinal));
  }
  const old = ordinals.size === 0 || spec === null ? null : imageOfOldRecord(context, spec);
  if (old !== null) cures.push(...leftAll([...ordinals.keys()], 'by-hand', old));
  else if (ordinals.size > 0) {
    const step: Step = {
      kind: 'apply-workloads',
      ordinals: [...ordinals.values()],
      reason: 'for pods that start next',
    };
    cures.push(repair([...ordinals.keys()], 'render the templates as recorded', [step]));
  }
  return cures;
};

/** Pods of an older image could not read their data; null = the recorded one is not known to be older than what runs. */
function imageOfOldRecord({ state }: FixContext, { image, cluster }: ClusterSpec): string | null {
  const why = whyOlderThan(image, state.nodes);
  return why === null
    ? null
    : `${image} is recorded, but ${why}: ConfigMap ${cluster.name}-state is an old record. kubectl redis restart ${cluster.name} --image IMAGE records the one that runs`;
}

function copyOf(spec: ClusterSpec): Step {
  return { kind: 'record-spec', spec, reason: 'its annotations are a copy, for people' };
}

/**
 * Only where nothing of the cluster is in its pod: it waits for an address that the record does not have, or is empty and alone, and nobody
 * knows it. Else it is the record that may be wrong: an old one that was put back. Its claim stays in any case.
 */
function removeBeyond(context: FixContext, spec: ClusterSpec, problem: Problem, ordinal: number | null): Cure {
  const { name } = spec.cluster;
  const set = context.check.observation.kube.statefulSets.find((one) => problem.subject === `StatefulSet/${one.name}`);
  const pod = ordinal === null ? '' : podName(name, ordinal);
  if (set?.uid === undefined || !isIdle(context, pod)) {
    const hint = `kubectl redis status ${name} shows what ${pod} holds: it may have keys or know the others. If it is a node of ${name}, ConfigMap ${name}-state is an old record: put back the one that names it`;
    return left(problem, 'by-hand', hint);
  }
  const object = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: set.name, uid: set.uid };
  const reason = `no node of ${name}; its volume is kept`;
  return repair([problem], 'remove nodes that are not of the cluster', [{ kind: 'remove-object', object, reason }]);
}

/** Whether it is certain that neither slots nor keys are there, and that nobody who answers knows it. */
function isIdle({ state, members, evidence }: FixContext, pod: string): boolean {
  const node = state.nodes.find((each) => each.pod?.name === pod);
  const others = members.filter((member) => member.node !== node);
  if (others.length === 0 || (node !== undefined && node.slots.length > 0)) return false;
  if (node?.nodeId != null && others.some(({ knows }) => knows.has(node.nodeId ?? ''))) return false;
  const { reply = null } = node ?? {};
  if (reply?.kind === 'answered') return reply.answer.info.keys === 0 && reply.answer.view.length === 1;
  if (reply !== null && reply.why !== 'guard-waiting' && reply.why !== 'not-running') return false;
  // An id that no pod has may be its: others may know it at an older address.
  return !state.nodes.some((ghost) => {
    if (ghost.pod !== null) return false;
    const missing = evidence.missing.find((one) => one.node === ghost);
    if (missing !== undefined) return missing.pod === pod;
    const life = evidence.lifeOf(ghost);
    return life.kind !== 'dead' || life.returns !== 'never';
  });
}

function recordedSpec({ state, check }: FixContext): ClusterSpec | null {
  return recordOf(check.observation.kube, state.cluster).spec;
}
