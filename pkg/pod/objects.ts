/** All objects of a cluster at once, in the order in which they must be applied. */
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
  /** ClusterIP by ordinal, of Services that are there already. */
  readonly addresses?: ReadonlyMap<number, string>;
  /** With `auth`: the Secret is among the objects when its password is given. */
  readonly password?: string;
}

/**
 * Of a cluster that is not formed yet, for `create --dry-run`: Services first, because their ClusterIPs are the nodes'
 * addresses; what pods mount before the pods; budgets before pods that may be drained.
 *
 * @throws AppError usage when the name does not fit
 */
export function allObjects(spec: ClusterSpec, known: Known = {}): Manifest[] {
  checkClusterName(spec.cluster.name, nodeCount(spec));
  const addresses = known.addresses ?? new Map<number, string>();
  return [
    clientService(spec),
    ...ordinalsOf(spec).map((n) => nodeService(spec, n)),
    ...(spec.auth && known.password !== undefined ? [authSecret(spec, known.password)] : []),
    configMap(spec, { addresses, formed: false }),
    ...shardsOf(spec).map((shard) => budget(spec, shard)),
    ...(spec.networkPolicy ? [busPolicy(spec)] : []),
    ...ordinalsOf(spec).map((n) =>
      statefulSet(spec, n, { announceIp: addresses.get(n) ?? null, shard: shardOf(spec, n) }),
    ),
  ];
}
