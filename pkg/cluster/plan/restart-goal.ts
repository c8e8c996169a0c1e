/**
 * What `restart` works towards: which pods are to be new, and which spec their templates are rendered from. Decided once, when the
 * command begins; every later plan of the run only looks how far it is.
 *
 * A restart that was begun and not finished is gone on with: pods of ours whose annotation is not what the record says of their node,
 * and pods of others that still carry the mark. Where none is left, a new one begins; but where an image or a directive was asked for and
 * all pods have it, there is nothing to do.
 */
import { RESTART_ANNOTATION, RESTARTED_ANNOTATION } from '../model/labels.ts';
import type { KubeFacts, PodFacts } from '../model/observation.ts';
import { isOtherImage } from '../model/redis-image.ts';
import type { RestartGoal } from '../model/plan.ts';
import { ordinalsOf, podName, type ClusterSpec } from '../model/spec.ts';

export interface RestartWish {
  /** ISO 8601: now. */
  readonly at: string;
  /** null = as it is. */
  readonly image: string | null;
  /** Directives to be added to or changed in the record, as redis.conf spells them. */
  readonly config: Readonly<Record<string, string>>;
  /** Of those, the names that every server can change while it runs. */
  readonly live: readonly string[];
  /** Only these; null = all. */
  readonly pods: readonly string[] | null;
}

export interface RestartTarget {
  readonly goal: RestartGoal;
  /** To be recorded; null on a cluster that `create` did not make: its templates are left alone. */
  readonly spec: ClusterSpec | null;
  /** To be set on every node before it is recorded. */
  readonly live: Readonly<Record<string, string>>;
  /** Whether an earlier run began it. */
  readonly continues: boolean;
}

/** null = everything is as it was asked for. */
export function restartTarget(kube: KubeFacts, recorded: ClusterSpec | null, wish: RestartWish): RestartTarget | null {
  return recorded === null ? othersTarget(kube, wish) : ourTarget(kube, recorded, wish);
}

function ourTarget(kube: KubeFacts, recorded: ClusterSpec, wish: RestartWish): RestartTarget | null {
  const changes = Object.entries(wish.config).filter(([name, value]) => recorded.config[name] !== value);
  const config = { ...recorded.config, ...wish.config };
  const image = wish.image ?? recorded.image;
  const fixed = changes.filter(([name]) => !wish.live.includes(name));
  const renders = image !== recorded.image || fixed.length > 0;
  const live = Object.fromEntries(changes.filter(([name]) => wish.live.includes(name)));
  const wanted = wish.pods ?? ordinalsOf(recorded).map((ordinal) => podName(recorded.cluster.name, ordinal));
  // (A pod that is new, and not ready, may have failed long after its restart was over.)
  const begun = wanted.some((pod) => isLeft(kube, recorded, pod));
  const unfinished = begun ? wanted.filter((pod) => isUnfinished(kube, recorded, pod)) : [];
  const goalOf = (pods: readonly string[], at: string): RestartGoal => ({
    kind: 'restart',
    pods: pods.map((pod) => ({ pod, podUid: kube.pods.find(({ name }) => name === pod)?.uid ?? '' })),
    at,
  });
  if (!renders && unfinished.length > 0) {
    const at = latest(recorded, wish.at);
    return { goal: goalOf(unfinished, at), spec: { ...recorded, config }, live, continues: true };
  }
  const asked = wish.image !== null || Object.keys(wish.config).length > 0;
  if (!renders && asked) {
    if (changes.length === 0) return null;
    return { goal: goalOf([], wish.at), spec: { ...recorded, config }, live, continues: false };
  }
  const marks = Object.fromEntries(
    ordinalsOf(recorded)
      .filter((ordinal) => wanted.includes(podName(recorded.cluster.name, ordinal)))
      .map((ordinal) => [String(ordinal), wish.at]),
  );
  const restarted = { ...recorded.restarted, ...marks };
  return { goal: goalOf(wanted, wish.at), spec: { ...recorded, image, config, restarted }, live, continues: false };
}

/** Whether the restart that the record asks for has not made this pod anew: it is older, or away. */
function isLeft(kube: KubeFacts, recorded: ClusterSpec, name: string): boolean {
  if (markOf(recorded, name) === undefined) return false;
  const pod = kube.pods.find((one) => one.name === name);
  return pod === undefined || pod.terminating || isOld(pod, recorded, kube);
}

/** Whether it is not over for this pod. */
function isUnfinished(kube: KubeFacts, recorded: ClusterSpec, name: string): boolean {
  const isReady = kube.pods.some((one) => one.name === name && one.ready);
  return isLeft(kube, recorded, name) || (!isReady && markOf(recorded, name) !== undefined);
}

function markOf(spec: ClusterSpec, name: string): string | undefined {
  const ordinal = ordinalsOf(spec).find((one) => podName(spec.cluster.name, one) === name);
  return ordinal === undefined ? undefined : spec.restarted?.[String(ordinal)];
}

/**
 * Whether a pod of ours is older than the restart that the spec records for its node. Where a manifest took its template back, so that no pod
 * of it can have the mark, the time when it was made tells; one that came up with another image is old in any case.
 */
export function isOld(pod: PodFacts, spec: ClusterSpec, { statefulSets }: Pick<KubeFacts, 'statefulSets'>): boolean {
  const mark = markOf(spec, pod.name);
  if (mark === undefined) return false;
  if (isOtherImage(pod.container.image, spec.image)) return true;
  if (pod.annotations[RESTARTED_ANNOTATION] === mark) return false;
  const template = statefulSets.find(({ name }) => pod.owner === `StatefulSet/${name}`);
  const takenBack = template !== undefined && template.templateAnnotations[RESTARTED_ANNOTATION] !== mark;
  return !takenBack || Date.parse(pod.createdAt) < Date.parse(mark);
}

/**
 * Whether it is as it was before the restart that the record asks for. One that was made since, from a template that a manifest had taken
 * back, lacks the mark and is none of these, also when `fix` has put the mark back into the template.
 */
export function isAsBefore(pod: PodFacts, spec: ClusterSpec, kube: Pick<KubeFacts, 'statefulSets'>): boolean {
  if (!isOld(pod, spec, kube)) return false;
  const wasMadeSince = Date.parse(pod.createdAt) >= Date.parse(markOf(spec, pod.name) ?? '');
  return isOtherImage(pod.container.image, spec.image) || !wasMadeSince;
}

/** When a restart was asked for: now, and later than all pods that are there, by whichever clock they were made. */
export function restartTime(now: number, { pods }: Pick<KubeFacts, 'pods'>): string {
  const latest = Math.max(now, ...pods.map(({ createdAt }) => (Date.parse(createdAt) || 0) + 1_000));
  return new Date(latest).toISOString();
}

function latest(recorded: ClusterSpec, fallback: string): string {
  return (
    Object.values(recorded.restarted ?? {})
      .toSorted()
      .at(-1) ?? fallback
  );
}

function othersTarget(kube: KubeFacts, wish: RestartWish): RestartTarget {
  const wanted = kube.pods.filter((pod) => wish.pods === null || wish.pods.includes(pod.name));
  const marked = wanted.filter((pod) => pod.annotations[RESTART_ANNOTATION] !== undefined);
  const continues = marked.length > 0;
  const pods = (continues ? marked : wanted).map((pod) => ({ pod: pod.name, podUid: pod.uid }));
  const at = marked[0]?.annotations[RESTART_ANNOTATION] ?? wish.at;
  return { goal: { kind: 'restart', pods, at }, spec: null, live: {}, continues };
}

/** Whether the pod that there is must still go. */
export function isToRestart({ goal, spec }: RestartTarget, pod: PodFacts, kube: KubeFacts): boolean {
  const wanted = goal.pods.find((one) => one.pod === pod.name);
  if (wanted === undefined) return false;
  return spec === null ? wanted.podUid === pod.uid : isOld(pod, spec, kube);
}
