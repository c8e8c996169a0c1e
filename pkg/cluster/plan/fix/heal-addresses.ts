/**
 * Nodes that know each other by id and look for each other where they are not. A node of ours announces its Service; where that
 * was made anew, the node is told first, and the ConfigMap and the template after it, or a restart would undo it. Then they are
 * led to each other as `create` does it (form-reconnect.ts). The ids of the pods are the record; nobody is forgotten.
 */
import { ownAddress } from '../../check/announce.ts';
import { nodeServiceOf } from '../../interpret/services.ts';
import { ANNOUNCE_ANNOTATION, SPEC_ANNOTATION } from '../../model/labels.ts';
import type { Batch, Step } from '../../model/plan.ts';
import type { Member } from '../../evidence/members.ts';
import { looksElsewhere, reconnectNodeSteps, reconnectReplicaSteps, repointSteps } from '../form-reconnect.ts';
import type { Problem } from '../../model/problem.ts';
import { leftAll, repair, type Cure, type FixContext, type Healer } from './fix-context.ts';
import type { LeftReason } from './fix-plan.ts';

export const healAddresses: Healer = (context, problems): readonly Cure[] => {
  // Law L4: as soon as they hear of each other, one of them deletes its keys of what both claim.
  const contested = context.problems.find(({ code }) => code === 'slots-contested');
  if (contested !== undefined) return leftAll(problems, 'after-others', `First: ${contested.sentence}`);
  const batches = addressBatches(context);
  if (batches.length === 0) return leftAll(problems, ...whyLeft(context, problems));
  return [{ kind: 'repair', problems, title: 'lead nodes to each other', batches, loses: null }];
};

/** One that does not tell what it announces can't be told anything better; nothing of that ends by itself. */
function whyLeft({ members }: FixContext, problems: readonly Problem[]): [LeftReason, string] {
  const named = new Set(problems.flatMap(({ nodes }) => nodes));
  const mute = members.find(({ step, answer }) => named.has(step.pod) && answer.config === null);
  if (mute === undefined)
    return [
      'by-itself',
      'Nodes learn an address within seconds; look again, and see whether the pods reach each other',
    ];
  return ['by-hand', `${mute.step.pod} may not be asked what it announces (CONFIG GET): see cluster-announce-ip there`];
}

/** By its own word it announces what it must not: it is told, and tells the others. Who is told what is verified (check/announce.ts). */
export const healAnnounced: Healer = (context, problems) =>
  problems.map((problem) => {
    const steps = announceSteps(context).filter(
      (step) => step.kind === 'set-config' && problem.nodes.includes(step.node.pod),
    );
    return repair([problem], 'announce the addresses of the Services', steps);
  });

function addressBatches(context: FixContext): Batch[] {
  const announce = announceSteps(context);
  const inside = new Set(context.check.groups.main);
  const members = context.members.filter(({ step }) => inside.has(step.nodeId));
  const toNodes = [...reconnectNodeSteps(members), ...blindSteps(members)];
  const batches = [
    { title: 'record the addresses of the Services', steps: recordSteps(context, announce) },
    { title: 'announce the addresses of the Services', steps: announce },
    { title: 'lead the replicas to their primaries', steps: reconnectReplicaSteps(members) },
    { title: 'lead the nodes to each other', steps: once(toNodes) },
    { title: 'point replication at the right address', steps: repointSteps(members) },
  ];
  return batches.filter(({ steps }) => steps.length > 0);
}

/** Only where it is ours to say: what people configured to announce something else on purpose has no scripts of ours. */
function announceSteps({ members, check }: FixContext): Step[] {
  return members.flatMap((member): Step[] => {
    const value = ownAddress(check, member.node);
    const announced = member.answer.config?.['cluster-announce-ip'];
    if (announced === undefined || value === null || announced === value) return [];
    const service = check.observation.kube.services.find(({ clusterIP }) => clusterIP === value);
    const reason = `its Service ${service?.name ?? ''} is at ${value}, and it announces ${announced === '' ? 'nothing' : announced}`;
    return [{ kind: 'set-config', node: member.step, directives: { 'cluster-announce-ip': value }, reason }];
  });
}

/** Templates and the guard's table first: a pod that starts meanwhile announces what they say. */
function recordSteps({ state, check }: FixContext, announce: readonly Step[]): Step[] {
  const { kube } = check.observation;
  const client = kube.services.find(({ name }) => name === state.cluster.name);
  if (client?.annotations[SPEC_ANNOTATION] === undefined) return [];
  const ordinals = announce.flatMap((step): number[] => {
    const pod = step.kind === 'set-config' ? kube.pods.find(({ name }) => name === step.node.pod) : undefined;
    const service = pod === undefined ? undefined : nodeServiceOf(pod, kube);
    const set = kube.statefulSets.find(({ name }) => name === service?.name);
    if (service === undefined || set === undefined) return [];
    if (set.templateAnnotations[ANNOUNCE_ANNOTATION] === service.clusterIP) return [];
    return [Number(service.name.slice(state.cluster.name.length + 1))];
  });
  if (ordinals.length === 0) return [];
  const reason = 'their Services have new addresses';
  return [
    { kind: 'apply-config', reason },
    { kind: 'apply-workloads', ordinals, reason },
  ];
}

/** Two that lost each other's address while all others know both: neither of them need be the one that introduces. */
function blindSteps(members: readonly Member[]): Step[] {
  return members.flatMap((viewer) =>
    members
      .filter((other) => other !== viewer && looksElsewhere(viewer, other) && isWithoutAddress(viewer, other))
      .map((other): Step => ({
        kind: 'meet',
        node: viewer.step,
        other: other.step,
        otherUid: other.uid,
        reason: `${viewer.step.pod} does not know the address of ${other.step.pod}`,
      })),
  );
}

function isWithoutAddress(viewer: Member, other: Member): boolean {
  const line = viewer.answer.view.find(({ nodeId }) => nodeId === other.step.nodeId);
  return line !== undefined && (line.ip === '' || line.flags.includes('noaddr'));
}

/** The one says where it is when it is met, so nobody needs to be met from both sides. */
function once(steps: readonly Step[]): Step[] {
  const done = new Set<string>();
  return steps.filter((step) => {
    if (step.kind !== 'meet') return true;
    const [a, b] = [step.node.nodeId, step.other.nodeId];
    if (done.has(`${a} ${b}`) || done.has(`${b} ${a}`)) return false;
    done.add(`${a} ${b}`);
    return true;
  });
}
