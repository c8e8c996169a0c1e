/** A cluster of four shards whose record, ConfigMap and Service, is that of the three before: it was put back while all nodes run. */
import type { Observation } from '../../pkg/cluster/model/observation.ts';
import type { ClusterSpec } from '../../pkg/cluster/model/spec.ts';
import { asMade } from './as-made.ts';
import { changeKube, changed, type Change } from './observation-changes.ts';
import { healthyObservation } from './observation.ts';
import { specOf } from './spec.ts';

/** redis-4 and redis-8 are the shard that came. */
const SHARDS = { '1': '1', '2': '2', '3': '3', '5': '1', '6': '2', '7': '3' };
export const BEFORE: ClusterSpec = specOf({ masters: 3, replicas: 1, nodes: SHARDS });
export const SINCE: ClusterSpec = specOf({ masters: 4, replicas: 1, nodes: { ...SHARDS, '4': '4', '8': '4' } });

export function recordPutBack(...changes: readonly Change[]): Observation {
  const made = asMade(healthyObservation({ masters: 4, replicas: 1, hosts: 4 }), SINCE);
  const before = asMade(healthyObservation({ masters: 4, replicas: 1, hosts: 4 }), BEFORE).kube;
  const putBack = changeKube((kube) => ({
    ...kube,
    state: before.state ?? null,
    services: before.services,
    statefulSets: kube.statefulSets.map((set) => ({ ...set, uid: `uid-${set.name}` })),
  }));
  return changed(made, putBack, ...changes);
}
