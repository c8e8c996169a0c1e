/**
 * Every label and annotation that we write or read, in one place.
 *
 * | key                            | on                          | says                                                    |
 * |--------------------------------|-----------------------------|---------------------------------------------------------|
 * | kubectl-redis.io/cluster       | label of all objects, pods  | NAME; every selector of ours contains it                |
 * |                                | annotation of a pod         | opt-in to the webhook, which turns it into the label    |
 * | kubectl-redis.io/shard         | label of pods, budgets      | the shard that the planner gave the node: "1" …         |
 * | kubectl-redis.io/masters       | annotation of Service NAME  | desired primaries, for people                           |
 * | kubectl-redis.io/replicas      | annotation of Service NAME  | desired replicas per primary, for people                |
 * | kubectl-redis.io/spec          | annotation of Service NAME  | the whole ClusterSpec as JSON: `create` resumes with it |
 * | kubectl-redis.io/spec-hash     | annotation of pods          | which spec the template was rendered from               |
 * | kubectl-redis.io/announce-ip   | annotation of pods          | the address that the node announces                     |
 * | kubectl-redis.io/restarted-at  | annotation of pods          | when the restart that made it was asked for             |
 * | kubectl-redis.io/restart       | annotation of others' pods  | it is to be restarted; its successor lacks it           |
 * | kubectl-redis.io/injected      | annotation of pods          | who completed the pod: the webhook leaves it alone      |
 * | kubectl-redis.io/container     | annotation of pods          | name of the container that runs Redis                   |
 * | kubectl-redis.io/claim         | annotation of Service NAME-N| which admission took N, and when, until its pod is seen |
 * |                                | annotation of pods          | the same                                                |
 * | kubectl-redis.io/masters       | annotation of pods          | opt-in: primaries that the cluster will have            |
 * | kubectl-redis.io/anti-affinity | annotation of pods          | opt-in: hard, soft or off                               |
 * | kubectl-redis.io/config        | annotation of pods          | opt-in: lines of redis.conf                             |
 * | kubectl-redis.io/run-as        | annotation of pods          | opt-in: UID, UID:GID, or `image` for the image's user   |
 * | kubectl-redis.io/metrics       | annotation of pods          | opt-in: true, or the exporter's image                   |
 * | kubectl-redis.io/set-aside     | annotation of claims        | true: no pod uses it, and `check` need not say so       |
 * | kubectl-redis.io/verb          | annotation of the Lease     | the verb that is changing the cluster                   |
 * | kubectl-redis.io/progress      | annotation of the Lease     | how far it is, for `status`                             |
 * | kubectl-redis.io/holder-id     | annotation of the Lease     | which hold on it this is: names and numbers repeat      |
 * | kubectl-redis.io/process       | annotation of the Lease     | its process: one of this machine may be seen to be gone |
 * | app, name                      | label of pods               | NAME and NAME-N, as in the talk that this goes back to  |
 * | app.kubernetes.io/…            | label of all objects, pods  | the set that Kubernetes recommends                      |
 */
import {
  ANNOUNCE_ANNOTATION,
  CONTAINER_ANNOTATION,
  INJECTED_ANNOTATION,
  MASTERS_ANNOTATION,
  REPLICAS_ANNOTATION,
  RESTARTED_ANNOTATION,
  SPEC_ANNOTATION,
  SPEC_HASH_ANNOTATION,
} from '../cluster/model/labels.ts';
import { specHash, type ClusterSpec } from '../cluster/model/spec.ts';
import { parseSpec } from '../cluster/model/spec-text.ts';

export const APP_LABEL = 'app';
export const NAME_LABEL = 'name';
export const CLAIM_ANNOTATION = 'kubectl-redis.io/claim';
export const ANTI_AFFINITY_ANNOTATION = 'kubectl-redis.io/anti-affinity';
export const RUN_AS_ANNOTATION = 'kubectl-redis.io/run-as';
export const METRICS_ANNOTATION = 'kubectl-redis.io/metrics';

/** Name of the container that runs Redis in pods of ours. */
export const CONTAINER_NAME = 'redis';

type StringMap = Readonly<Record<string, string>>;

/** Annotations of node N's pod, which announces `announceIp`; null = not known yet, and its guard waits. */
export function podAnnotations(spec: ClusterSpec, ordinal: number, announceIp: string | null): Record<string, string> {
  const restartedAt = spec.restarted?.[String(ordinal)];
  const annotations = {
    ...(restartedAt === undefined ? {} : { [RESTARTED_ANNOTATION]: restartedAt }),
    [INJECTED_ANNOTATION]: 'create',
    [CONTAINER_ANNOTATION]: CONTAINER_NAME,
    [SPEC_HASH_ANNOTATION]: specHash(spec),
  };
  return announceIp === null ? annotations : { ...annotations, [ANNOUNCE_ANNOTATION]: announceIp };
}

/** What Service NAME records, so that `create` run again, by anybody, resumes with the same spec. */
export function specAnnotations(spec: ClusterSpec): Record<string, string> {
  return {
    [SPEC_ANNOTATION]: JSON.stringify(spec),
    [MASTERS_ANNOTATION]: String(spec.masters),
    [REPLICAS_ANNOTATION]: String(spec.replicas),
  };
}

/** The spec that annotations of Service NAME, or of a StatefulSet, hold. null when there is none, or a damaged one. */
export function readSpec(annotations: StringMap): ClusterSpec | null {
  return parseSpec(annotations[SPEC_ANNOTATION]);
}
