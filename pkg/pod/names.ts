/** Names of everything that a cluster consists of. nodeName and podName are in the model, because the planner needs them. */
import { nodeName } from '../cluster/model/spec.ts';
import { usageError } from '../errors.ts';

const MAX_CLUSTER_NAME = 50;
/** `controller-revision-hash: NODE-HASH` is a label, so of 63 characters at most, and the hash takes ten and a dash. */
const MAX_NODE_NAME = 52;

/**
 * Whether a cluster of `nodes` nodes may be called `name`: it becomes the name of a Service (a DNS-1035 label), and with
 * `-N` behind it that of every node, so it must not look like a node's name itself.
 *
 * @throws AppError usage, with what to do
 */
export function checkClusterName(name: string, nodes = 6): void {
  const hint = suggestion(name);
  if (name === '') throw usageError('a cluster needs a name', 'for example: kubectl redis create redis');
  if (name.length > MAX_CLUSTER_NAME) {
    throw usageError(
      `the cluster name has ${name.length} characters, ${MAX_CLUSTER_NAME} are allowed: "${name}"`,
      'choose a shorter one; "-12", "-config" and the like are put behind it',
    );
  }
  if (!/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name)) {
    throw usageError(
      `"${name}" can't be a cluster's name: lower-case letters, digits and "-", from a letter to a letter or digit`,
      hint,
    );
  }
  if (/-[0-9]+$/.test(name)) {
    throw usageError(
      `"${name}" can't be a cluster's name: with "-${/[0-9]+$/.exec(name)?.[0]}" at its end it looks like a node's`,
      hint,
    );
  }
  if (nodeName(name, nodes).length > MAX_NODE_NAME) {
    throw usageError(
      `the name "${name}" is too long for ${nodes} nodes: "${nodeName(name, nodes)}" has more than ${MAX_NODE_NAME} characters`,
      `choose one of at most ${MAX_NODE_NAME - nodeName('', nodes).length} characters`,
    );
  }
}

/** The nearest name that would do, as a sentence. */
function suggestion(name: string): string {
  const near = name
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .replace(/-+$/, '')
    .replace(/(-+[0-9]+)+$/, (end) => end.replaceAll('-', ''));
  return near === '' ? 'for example: redis' : `for example: ${near}`;
}

/** ConfigMap with redis.conf, scripts, addresses. */
export function configName(cluster: string): string {
  return `${cluster}-config`;
}

/** ConfigMap with what tool and pods must remember; no printed manifest holds it. */
export function stateName(cluster: string): string {
  return `${cluster}-state`;
}

/** Lease of whoever is changing the cluster. */
export function leaseName(cluster: string): string {
  return `${cluster}-operation`;
}

/** PodDisruptionBudget of one shard. */
export function budgetName(cluster: string, shard: string): string {
  return `${cluster}-shard-${shard}`;
}

/** NetworkPolicy that keeps strangers from the bus port. */
export function busPolicyName(cluster: string): string {
  return `${cluster}-bus`;
}

/** Secret with key `password`. */
export function authSecretName(cluster: string): string {
  return `${cluster}-auth`;
}

/** Name of the volume claim template, and the claim that node N's pod gets from it. */
export const CLAIM_TEMPLATE = 'data';
export function claimName(cluster: string, ordinal: number): string {
  return `${CLAIM_TEMPLATE}-${nodeName(cluster, ordinal)}-0`;
}

/** Ordinal of a pod `NAME-3-0` of this cluster: 3. null for any other pod. */
export function ordinalOfPod(cluster: string, pod: string): number | null {
  if (!pod.startsWith(`${cluster}-`)) return null;
  const match = /^([1-9][0-9]*)-0$/.exec(pod.slice(cluster.length + 1));
  return match === null ? null : Number(match[1]);
}
