/**
 * The Kubernetes half of `create`. The order matters: Services first, because their ClusterIPs are literals in the pods'
 * templates and in the ConfigMap; ConfigMap before the pods that mount it; budgets before pods that may be drained.
 *
 * Once a cluster is formed its pods are never replaced here: that is a rolling restart, another operation.
 */
import type { KubeFacts } from '../model/observation.ts';
import { isFresh } from '../interpret/formed.ts';
import {
  ANNOUNCE_ANNOTATION,
  CONFIG_DIGEST_KEY,
  SPEC_ANNOTATION,
  SPEC_HASH_ANNOTATION,
  SPEC_HASH_KEY,
} from '../model/labels.ts';
import type { Batch, Step } from '../model/plan.ts';
import { recordOf } from '../model/record.ts';
import { nodeName, ordinalsOf, podName, shardOf, specHash, type ClusterSpec } from '../model/spec.ts';
import type { ClusterNode, ClusterState } from '../model/state.ts';
import { readGuard } from '../wire/guard.ts';

interface Input {
  readonly kube: KubeFacts;
  readonly spec: ClusterSpec;
  readonly state: Pick<ClusterState, 'formed' | 'nodes'>;
  readonly formed: boolean;
  readonly hash: string;
  /** Service name -> ClusterIP. */
  readonly addresses: ReadonlyMap<string, string>;
}

/** @returns no batch when every object is there and says what it must. */
export function planObjects(kube: KubeFacts, spec: ClusterSpec, state: Input['state']): Batch[] {
  const addresses = new Map(kube.services.map((service) => [service.name, service.clusterIP]));
  const input: Input = { kube, spec, state, formed: state.formed, hash: specHash(spec), addresses };
  const withoutAddress = ordinalsOf(spec).filter((n) => isUnset(addresses.get(nodeName(spec.cluster.name, n))));
  const clientStale = !isRecorded(input);
  if (clientStale || withoutAddress.length > 0) return [servicesBatch(withoutAddress, clientStale)];

  const batches: Batch[] = [];
  if (!configIsComplete(input)) {
    batches.push({
      title: 'make the configuration',
      steps: [{ kind: 'apply-config', reason: 'redis.conf, scripts and the table of addresses' }],
    });
  }
  const workloads = ordinalsOf(spec).filter((n) => workloadIsStale(input, nodeName(spec.cluster.name, n)));
  if (workloads.length > 0) batches.push({ title: 'make the nodes', steps: workloadSteps(workloads, spec) });
  const replace = ordinalsOf(spec).flatMap((n) => replacePod(input, n));
  if (replace.length > 0) batches.push({ title: 'replace pods that wait', steps: replace });
  return batches;
}

function isUnset(address: string | undefined): boolean {
  return address === undefined || address === '' || address === 'None';
}

/** A formed cluster keeps the record that it has. */
function isRecorded({ kube, spec, formed, hash }: Input): boolean {
  const recorded = kube.services.find((service) => service.name === spec.cluster.name)?.annotations[SPEC_ANNOTATION];
  if (recorded === undefined) return false;
  return formed || recordedHash(recorded) === hash;
}

function recordedHash(recorded: string): string | null {
  try {
    return specHash(JSON.parse(recorded) as ClusterSpec);
  } catch {
    return null; // somebody edited it: record it anew
  }
}

function servicesBatch(ordinals: readonly number[], client: boolean): Batch {
  return {
    title: 'make the Services',
    steps: [
      {
        kind: 'apply-services',
        ordinals,
        client,
        reason: 'a Service is the address of its node for ever, so it comes first',
      },
    ],
  };
}

/** The table of nodes, which is written along with it, says where each is and of which shard. */
function configIsComplete({ kube, spec, formed, hash, addresses }: Input): boolean {
  if (kube.config === null || (!formed && kube.config[SPEC_HASH_KEY] !== hash)) return false;
  // What an older version rendered knows nothing of the record.
  if (kube.state?.[CONFIG_DIGEST_KEY] === undefined) return false;
  const lines = new Map(recordOf(kube, spec.cluster).nodes.map((line) => [line.ordinal, line]));
  return ordinalsOf(spec).every((n) => {
    const line = lines.get(n);
    return line?.address === addresses.get(nodeName(spec.cluster.name, n)) && line?.shard === shardOf(spec, n);
  });
}

/**
 * It is missing or scaled to zero, or its template knows no record, says no address (YAML of `--dry-run`), that of a Service made anew, or
 * another spec's. Whoever runs `create` on a cluster that sleeps wants it awake.
 */
function workloadIsStale({ kube, formed, hash, addresses }: Input, node: string): boolean {
  const set = kube.statefulSets.find((candidate) => candidate.name === node);
  if (set === undefined || set.replicas === 0 || set.readsState === false) return true;
  if (set.templateAnnotations[ANNOUNCE_ANNOTATION] !== addresses.get(node)) return true;
  return !formed && set.templateAnnotations[SPEC_HASH_ANNOTATION] !== hash;
}

/** Budgets go along with the StatefulSets, so that from the first pod on no drain takes two nodes of a shard. */
function workloadSteps(ordinals: readonly number[], spec: ClusterSpec): Step[] {
  const shards = [...new Set(ordinals.map((n) => shardOf(spec, n)))];
  return [
    { kind: 'apply-budgets', shards, reason: 'a drain never takes two nodes of a shard' },
    { kind: 'apply-workloads', ordinals, reason: 'one StatefulSet for each node' },
  ];
}

/**
 * updateStrategy is OnDelete, so we delete a pod that an older template made: where it is certain that it holds nothing, whatever any mark
 * says of the cluster. In a formed cluster only one that waits for its address, because its guard has not started a server.
 */
function replacePod({ kube, spec, state, formed, hash, addresses }: Input, n: number): Step[] {
  const node = state.nodes.find((candidate) => candidate.pod?.name === podName(spec.cluster.name, n));
  const pod = kube.pods.find((candidate) => candidate.name === podName(spec.cluster.name, n));
  if (pod === undefined || pod.terminating || node === undefined || !holdsNothing(node)) return [];
  const announced = pod.annotations[ANNOUNCE_ANNOTATION];
  const base = { kind: 'replace-pod', pod: pod.name, podUid: pod.uid } as const;
  if (announced === undefined && readGuard(node.unreachable)?.waitsFor === 'address')
    return [{ ...base, reason: 'it waits for its address' }];
  if (formed || announced === undefined) return [];
  if (announced !== addresses.get(nodeName(spec.cluster.name, n)))
    return [{ ...base, reason: `it announces ${announced}` }];
  return pod.annotations[SPEC_HASH_ANNOTATION] === hash ? [] : [{ ...base, reason: 'it was made with other settings' }];
}

/** No server runs in it, or one that was never in a cluster and has no key. What is only silent may hold anything. */
function holdsNothing({ reply }: ClusterNode): boolean {
  if (reply?.kind === 'answered') return isFresh(reply.answer);
  return reply?.why === 'guard-waiting' || reply?.why === 'not-running';
}
