/**
 * The plan of `create`: from whatever is there (nothing, half a cluster, waiting pods) to a formed cluster.
 *
 * A pure function of what was observed. Only the first batch is ever run before the cluster is observed and planned
 * again, so a kill between any two steps leaves nothing that the next run does not see.
 */
import type { ClusterRef, KubeFacts, NodeReply } from '../model/observation.ts';
import { isAllEmpty, knowsOthers } from '../interpret/formed.ts';
import { FORMED_KEY, MANAGED_BY, MANAGED_BY_LABEL, SPEC_KEY } from '../model/labels.ts';
import type { Batch, Plan, Policy, Remark, Step } from '../model/plan.ts';
import { listNames } from '../model/list-names.ts';
import { recordOf } from '../model/record.ts';
import { isLeftToScale, scaleCommand } from '../model/scale-command.ts';
import { nodeCount, ordinalsOf, podName, specHash, type ClusterSpec } from '../model/spec.ts';
import { parseSpec } from '../model/spec-text.ts';
import type { ClusterState } from '../model/state.ts';
import { injectedPods } from '../interpret/injected.ts';
import { lacksRecord, withRecord } from './brought.ts';
import { claimsToName, wayBackOfVolumes } from '../evidence/leftovers.ts';
import { memberOf } from '../evidence/members.ts';
import { refuseBrought, shapeInWords } from './brought-refuse.ts';
import { planForming } from './form.ts';
import { refuseKeys } from './form-members.ts';
import { refuseObjects } from './refuse-record.ts';
import { planObjects } from './create-objects.ts';
import { sharedHosts } from './placement.ts';

export interface CreateInput {
  readonly state: ClusterState;
  readonly kube: KubeFacts;
  readonly spec: ClusterSpec;
  readonly policy: Policy;
}

/**
 * Pods that people brought (labelled, or injected by the webhook), with no StatefulSet of ours: the cluster is formed
 * from them and none of their objects is touched.
 */
export function isBrought(kube: KubeFacts, cluster: ClusterRef): boolean {
  const ours = new Set(
    kube.statefulSets
      .filter((set) => set.templateLabels[MANAGED_BY_LABEL] === MANAGED_BY)
      .map((set) => `StatefulSet/${set.name}`),
  );
  return (
    kube.pods.length > 0 &&
    kube.pods.every((pod) => pod.owner === null || !ours.has(pod.owner)) &&
    recordOf(kube, cluster).spec === null
  );
}

/** @returns refused when the cluster has another shape; nothing when it is there already; else what to do, in order. */
export function planCreate(input: CreateInput): Plan {
  const plan = planNext(input);
  if (plan.kind === 'refused') return plan;
  const claims = claimsToName(input.state);
  if (claims.length === 0) return { ...plan, remarks: [...plan.remarks, ...ofEarlierLife(input)] };
  const sentence = `No pod uses ${claims.join(', ')}, and no node that is recorded is to: keys may be there. ${wayBackOfVolumes(input.state)}`;
  return { ...plan, remarks: [...plan.remarks, { code: 'volume-unused', sentence }] };
}

/** Without a record the volumes are all that tells of an earlier cluster; which shape that had, its nodes say when they are up. */
function ofEarlierLife({ state, kube, spec }: CreateInput): Remark[] {
  if (recordOf(kube, spec.cluster).spec !== null || kube.pods.length > 0) return [];
  const claims = state.leftovers.flatMap(({ node, claim }) => (node === null || claim === null ? [] : [claim]));
  if (claims.length === 0) return [];
  const sentence = `${listNames(claims)} ${claims.length === 1 ? 'is' : 'are'} there, and no record of ${state.cluster.name}: nodes come back with the slots and keys that they had. Ask for the shape that it had then; with another one create stops, and kubectl redis check ${state.cluster.name} says how to go on`;
  return [{ code: 'volume-unused', sentence }];
}

function planNext(input: CreateInput): Plan {
  const { state, kube, spec, policy } = input;
  const shape = refuseObjects(state, kube) ?? refuseOtherShape(state, spec) ?? refuseUnfinished(state, spec);
  if (shape !== null) return shape;
  const brought = isBrought(kube, spec.cluster);
  const found = refuseFound(input, brought);
  if (found !== null) return found;
  const remarks = placementRemarks(state);
  const objects = brought ? [] : [...recordBatches(input), ...planObjects(kube, spec, state)];
  if (objects.length > 0) return { kind: 'batches', batches: objects, remarks };

  const expected = brought
    ? kube.pods.map((pod) => pod.name)
    : ordinalsOf(spec).map((n) => podName(spec.cluster.name, n));
  if (brought && (lacksRecord(kube, spec.cluster) || lacksMark(input))) {
    const reason = 'Services, configuration and table of nodes, which the pods wait for';
    const batch: Batch = { title: 'make the configuration', steps: [{ kind: 'apply-config', reason }] };
    return { kind: 'batches', batches: [batch], remarks };
  }
  const waiting = expected.filter((name) => {
    const pod = kube.pods.find((candidate) => candidate.name === name);
    return pod === undefined || pod.terminating || (!pod.ready && !answers(state, name));
  });
  if (waiting.length > 0) {
    const batch: Batch = {
      title: 'wait for pods',
      steps: [
        { kind: 'wait-pods', pods: expected, reason: `${waiting.length} of ${expected.length} pods are not ready` },
      ],
    };
    return { kind: 'batches', batches: [batch], remarks };
  }
  // It names the pairs that share a host itself.
  const forming = planForming(state, spec, { ...policy, fastForming: policy.fastForming && !brought });
  return brought ? withRecord(forming, state, kube) : forming;
}

/** What can't be joined is refused before anything is made for it, as far as the pods are there and answer already. */
function refuseFound({ state, kube, spec, policy }: CreateInput, brought: boolean): Plan | null {
  const theirs = refuseBrought(state, kube, spec, brought);
  if (theirs !== null) return theirs;
  const pods = state.nodes.filter(({ pod }) => pod !== null);
  const all = pods.length === nodeCount(spec) && pods.every(({ reply }) => reply?.kind === 'answered');
  if (!all) return refuseKeys(state.nodes.flatMap(memberOf), state);
  const forming = planForming(state, spec, policy);
  return forming.kind === 'refused' ? forming : null;
}

/**
 * The record before everything else, so that any later run resumes with it. One that was formed keeps what it has; where that is not in
 * NAME-state yet, or says less than can be seen, it is taken over.
 */
function recordBatches({ state, kube, spec }: CreateInput): Batch[] {
  const kept = parseSpec(kube.state?.[SPEC_KEY]);
  const record = (step: Step): Batch[] => [{ title: 'record what is wanted', steps: [step] }];
  if (!state.formed) {
    if (kept !== null && specHash(kept) === specHash(spec) && kube.state?.[FORMED_KEY] !== undefined) return [];
    return record({ kind: 'record-spec', spec, isNew: true, reason: 'whoever runs create again goes on with it' });
  }
  if (kept === null) return record({ kind: 'record-spec', spec, reason: 'where no manifest can take it back' });
  const isThere = state.nodes.some(
    ({ slots, reply }) => slots.length > 0 || (reply?.kind === 'answered' && knowsOthers(reply.answer)),
  );
  if (state.formedMark || !isThere) return [];
  return record({ kind: 'mark-formed', reason: 'the nodes have met, whatever the record says' });
}

/** Nobody said whether the cluster was formed, when its record was made anew; now it can be seen that it was not. */
function lacksMark({ kube, spec, state }: CreateInput): boolean {
  const replies = state.nodes.flatMap(({ pod, reply }): [string, NodeReply][] =>
    pod === null || reply === null ? [] : [[pod.name, reply]],
  );
  return (
    injectedPods(kube).length > 0 && recordOf(kube, spec.cluster).formed === null && isAllEmpty(kube, new Map(replies))
  );
}

function answers(state: ClusterState, pod: string): boolean {
  return state.nodes.some((node) => node.pod?.name === pod && node.reply?.kind === 'answered');
}

function refuseOtherShape(state: ClusterState, spec: ClusterSpec): Plan | null {
  const have = state.desired ?? actualShape(state);
  if (have === null || (have.masters === spec.masters && have.replicas === spec.replicas)) return null;
  const name = spec.cluster.name;
  const was = shapeInWords(have);
  const wanted = shapeInWords(spec);
  return {
    kind: 'refused',
    code: 'other-shape',
    sentence: `${name} ${state.formed ? 'is' : 'was begun as'} a cluster of ${was}, not ${wanted}`,
    hint: state.formed
      ? `${scaleCommand(name, spec)} changes the shape of a cluster`
      : `kubectl redis create ${name} --masters ${have.masters} --replicas ${have.replicas} finishes it; to start over, kubectl redis delete ${name} --purge-data says first what is lost by it`,
  };
}

/** Its nodes are `scale`'s business, as long as it serves; one that was stopped in between is started as it was. */
function refuseUnfinished(state: ClusterState, spec: ClusterSpec): Plan | null {
  if (!isLeftToScale(state, spec)) return null;
  const { name } = spec.cluster;
  return {
    kind: 'refused',
    code: 'scale-unfinished',
    sentence: `A change of ${name} to ${shapeInWords(spec)} was begun and is not finished`,
    hint: `${scaleCommand(name, spec)} goes on with it`,
  };
}

/** The shape of a formed cluster that nobody recorded one for. */
function actualShape(state: ClusterState): { masters: number; replicas: number } | null {
  const shards = state.shards.filter((shard) => shard.slots.length > 0);
  // A primary without slots is a node that nobody has attached yet: the cluster is still being formed.
  const loose = state.nodes.some((node) => node.pod !== null && node.role === 'primary' && node.slots.length === 0);
  if (!state.formed || state.uncovered.length > 0 || shards.length === 0 || loose) return null;
  return { masters: shards.length, replicas: Math.min(...shards.map((shard) => shard.replicas.length)) };
}

/** Names every pair of nodes of one shard that lies on one host. */
export function placementRemarks(state: ClusterState): Remark[] {
  const shards = new Map<string, { pod: string; host: string | null; zone: string | null }[]>();
  for (const node of state.nodes) {
    if (node.pod === null || node.shardLabel === null) continue;
    const place = { pod: node.pod.name, host: node.host, zone: node.zone };
    shards.set(node.shardLabel, [...(shards.get(node.shardLabel) ?? []), place]);
  }
  return sharedHosts([...shards].map(([shard, members]) => ({ shard, members }))).map((pair) => ({
    code: 'same-host',
    sentence: `${pair.pods[0]} and ${pair.pods[1]} of shard ${pair.shard} are both on host ${pair.host}: losing it takes both`,
  }));
}
