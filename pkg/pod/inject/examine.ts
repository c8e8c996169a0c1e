/**
 * Whether a pod is to be completed, and what it says of itself. The order matters: each line is only reached by pods that
 * all lines above let through.
 *
 * | #  | the pod                                                             | answer                         |
 * |----|---------------------------------------------------------------------|--------------------------------|
 * | 1  | is none: a field that we touch is missing or of another type        | refused `malformed`            |
 * | 2  | has annotation injected (`create`, an earlier pass, `inject -f`)    | skipped `injected-already`     |
 * | 3  | has neither label nor annotation kubectl-redis.io/cluster           | skipped `not-asked-for`        |
 * | 4  | label and annotation name different clusters                        | refused `two-clusters`         |
 * | 5  | NAME can't be a cluster's name                                      | refused `bad-cluster-name`     |
 * | 6  | is for Windows                                                      | refused `windows`              |
 * | 7  | is not restarted for ever (a Job's)                                 | refused `restart-policy`       |
 * | 8  | the annotation names a container that is not there                  | refused `no-such-container`    |
 * | 9  | none, or several, of its containers can be Redis                    | refused `which-container`      |
 * | 10 | Redis has a command of its own: the guard could not start it        | refused `own-command`          |
 * | 11 | Redis has arguments that are no directives, or directives of ours   | refused `own-arguments`, `bad-directive` |
 * | 12 | an annotation of ours says what it can't                            | refused `bad-annotation`       |
 * | 13 | something else is mounted at /etc/redis-cluster                     | refused `config-dir-taken`     |
 * | 14 | label `name` is not NAME-N                                          | refused `bad-node-name`        |
 * |    | else                                                                | a node of NAME                 |
 */
import { CLUSTER_LABEL, CONTAINER_ANNOTATION, INJECTED_ANNOTATION, NODE_LABEL } from '../../cluster/model/labels.ts';
import { isServerImage, namesOtherThing } from '../../cluster/model/redis-image.ts';
import { AppError, reasonOf, refusal } from '../../errors.ts';
import { checkClusterName } from '../names.ts';
import { CONFIG_DIR } from '../pod-spec.ts';
import { METRICS_NAME } from './metrics.ts';
import { isObject, readPod, type Container, type Pod } from './pod-json.ts';
import { readWishes, type Wishes } from './wishes.ts';

/** A pod that is left as it is, or must not be made, and why. */
export interface Declined {
  readonly kind: 'skipped' | 'refused';
  readonly code: string;
  /** For people: what is so and what to change. */
  readonly sentence: string;
}

/** Where N comes from. `any`: nothing says which, so the lowest free one. */
export type NumberSource =
  | { readonly kind: 'name'; readonly ordinal: number }
  | { readonly kind: 'stateful-set'; readonly ordinal: number }
  | { readonly kind: 'any' };

/** A pod that wants to be a node of a cluster. */
export interface Candidate {
  readonly kind: 'candidate';
  readonly pod: Pod;
  readonly cluster: string;
  readonly container: Container;
  readonly wishes: Wishes;
  readonly number: NumberSource;
}

export const START_COMMAND: readonly string[] = ['sh', `${CONFIG_DIR}/start.sh`];
const MAX_ORDINAL_DIGITS = 5;

export function examine(value: unknown): Candidate | Declined {
  const pod = readPod(value);
  if (typeof pod === 'string') {
    return refused('malformed', `this is no pod: ${pod} is missing or of another type than Kubernetes says`);
  }
  const { labels = {}, annotations = {} } = pod.metadata;
  const mark = annotations[INJECTED_ANNOTATION];
  if (mark !== undefined) return skipped('injected-already', `the pod was completed by ${JSON.stringify(mark)}`);
  const cluster = labels[CLUSTER_LABEL] ?? annotations[CLUSTER_LABEL];
  if (cluster === undefined) {
    return skipped('not-asked-for', `the pod has neither label nor annotation ${CLUSTER_LABEL}`);
  }
  try {
    return candidate(pod, cluster);
  } catch (error) {
    return declinedBecause(error);
  }
}

/** @throws what is no AppError: that is a bug */
export function declinedBecause(error: unknown): Declined {
  if (!(error instanceof AppError)) throw error;
  const hint = error.hint === undefined ? '' : `; ${error.hint}`;
  const code = error.code === 'usage' ? 'bad-annotation' : error.code;
  return refused(code, `${reasonOf(error)}${hint}`);
}

function candidate(pod: Pod, cluster: string): Candidate {
  const { labels = {}, annotations = {} } = pod.metadata;
  const other = annotations[CLUSTER_LABEL] ?? cluster;
  if (other !== cluster) {
    throw refusal(
      'two-clusters',
      `label ${CLUSTER_LABEL} says ${cluster}, the annotation ${other}`,
      'Remove one of them',
    );
  }
  checkName(cluster, 6);
  checkSystem(pod);
  const container = findContainer(pod);
  if (container.command !== undefined && !isEqual(container.command, START_COMMAND)) {
    throw refusal(
      'own-command',
      `container ${container.name} has a command of its own, and a node is started by the guard`,
      'Remove the command; directives belong into args or into the annotation kubectl-redis.io/config',
    );
  }
  const wishes = readWishes(annotations, container);
  const taken = container.volumeMounts?.find((mount) => atPath(mount.mountPath, CONFIG_DIR));
  if (taken !== undefined && container.command === undefined) {
    throw refusal(
      'config-dir-taken',
      `container ${container.name} mounts ${taken.name} at ${CONFIG_DIR}, where the guard and redis.conf go`,
      'Mount it elsewhere; directives belong into the annotation kubectl-redis.io/config',
    );
  }
  return { kind: 'candidate', pod, cluster, container, wishes, number: numberOf(pod, cluster, labels[NODE_LABEL]) };
}

function checkName(cluster: string, nodes: number): void {
  try {
    checkClusterName(cluster, nodes);
  } catch (error) {
    throw refusal('bad-cluster-name', reasonOf(error), error instanceof AppError ? error.hint : undefined);
  }
}

function checkSystem({ spec }: Pod): void {
  const { os, restartPolicy = 'Always' } = spec;
  if (isObject(os) && os['name'] === 'windows') {
    throw refusal('windows', 'the pod is for Windows, where Redis does not run', `Remove ${CLUSTER_LABEL}`);
  }
  if (restartPolicy === 'Always') return;
  throw refusal('restart-policy', `the pod's restartPolicy is ${JSON.stringify(restartPolicy)}`, 'A node needs Always');
}

/** By annotation, else by name, else by image, else the only one. Init and ephemeral containers never are. */
function findContainer({ metadata, spec }: Pod): Container {
  const containers = spec.containers.filter(({ name }) => name !== METRICS_NAME);
  const wanted = metadata.annotations?.[CONTAINER_ANNOTATION];
  if (wanted !== undefined) {
    const named = containers.find(({ name }) => name === wanted);
    if (named !== undefined) return named;
    throw refusal(
      'no-such-container',
      `annotation ${CONTAINER_ANNOTATION} names ${wanted}, which the pod does not have`,
    );
  }
  const byName = containers.filter(({ name }) => name === 'redis' || name === 'valkey');
  const byImage = containers.filter(({ name, image }) => isServerImage(image) && !namesOtherThing(name));
  const [found, ...more] = [byName, byImage, containers].find((list) => list.length > 0) ?? [];
  if (found !== undefined && more.length === 0) return found;
  const names = containers.map(({ name }) => name).join(', ');
  throw refusal(
    'which-container',
    `which container runs Redis is not clear: ${names === '' ? 'there is none' : names}`,
    `Call it redis, or name it in the annotation ${CONTAINER_ANNOTATION}`,
  );
}

function numberOf({ metadata }: Pod, cluster: string, label: string | undefined): NumberSource {
  if (label !== undefined) return { kind: 'name', ordinal: numberOfLabel(cluster, label) };
  const set = metadata.ownerReferences?.find(
    (owner) => owner['controller'] === true && owner['kind'] === 'StatefulSet',
  );
  const name = metadata.name ?? '';
  const prefix = `${String(set?.['name'])}-`;
  const ordinal = set !== undefined && name.startsWith(prefix) ? toOrdinal(name.slice(prefix.length)) : null;
  return ordinal === null ? { kind: 'any' } : { kind: 'stateful-set', ordinal };
}

function numberOfLabel(cluster: string, label: string): number {
  const ordinal = label.startsWith(`${cluster}-`) ? toOrdinal(label.slice(cluster.length + 1)) : null;
  if (ordinal === null) {
    throw refusal(
      'bad-node-name',
      `label ${NODE_LABEL} says ${label}, and a node of ${cluster} is called ${cluster}-N`,
      `Write ${cluster}-1, ${cluster}-2 …, or leave the label out`,
    );
  }
  checkName(cluster, ordinal);
  return ordinal;
}

function toOrdinal(text: string): number | null {
  return /^(0|[1-9][0-9]*)$/.test(text) && text.length <= MAX_ORDINAL_DIGITS ? Number(text) : null;
}

/** Whether two mount paths are one. */
export function atPath(mountPath: string, path: string): boolean {
  return mountPath.replace(/\/+$/, '') === path;
}

function isEqual(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word, index) => word === b[index]);
}

function skipped(code: string, sentence: string): Declined {
  return { kind: 'skipped', code, sentence };
}

function refused(code: string, sentence: string): Declined {
  return { kind: 'refused', code, sentence };
}
