/** The objects of a cluster as they are printed, in the order in which they must be applied. */
import { nodeCount, ordinalsOf, shardOf, shardsOf, type ClusterSpec } from '../cluster/model/spec.ts';
import { authSecret } from './auth-secret.ts';
import { budget } from './budget.ts';
import { busPolicy } from './bus-policy.ts';
import { configMap } from './config-map.ts';
import type { Manifest } from './manifest.ts';
import { checkClusterName } from './names.ts';
import { clientService, nodeService } from './services.ts';
import { statefulSet } from './stateful-set.ts';

export interface Known {
  /** With `auth`: the Secret is among the objects when its password is given. */
  readonly password?: string;
}

/**
 * For `create --dry-run`: Services first, because their ClusterIPs are the nodes' addresses; what pods mount before the pods; budgets before
 * pods that may be drained.
 *
 * Nothing is among them that changes without a person's wish, or that tool and pods must remember: whether the cluster was formed, addresses,
 * marks of restarts, a change of shape in progress. Whoever keeps them in Git and applies them again takes nothing of that back.
 *
 * @throws AppError usage when the name does not fit
 */
export function allObjects(spec: ClusterSpec, known: Known = {}): Manifest[] {
  checkClusterName(spec.cluster.name, nodeCount(spec));
  const wish = { ...spec, restarted: null, scaling: null };
  return [
    clientService(wish),
    ...ordinalsOf(spec).map((n) => nodeService(spec, n)),
    ...(spec.auth && known.password !== undefined ? [authSecret(spec, known.password)] : []),
    configMap(spec),
    ...shardsOf(spec).map((shard) => budget(spec, shard)),
    ...(spec.networkPolicy ? [busPolicy(spec)] : []),
    ...ordinalsOf(spec).map((n) => statefulSet(wish, n, { announceIp: null, shard: shardOf(spec, n) })),
  ];
}
