/**
 * A cluster of four nodes whose record is that of the three before: it was put back, the cluster was deleted with its volumes kept, and
 * `create` has made the three again. Service and claim of the fourth are there, with its keys; pod and StatefulSet are not.
 */
import type { Observation } from '../../pkg/cluster/model/observation.ts';
import { asMade } from './as-made.ts';
import { changeKube, changeLines, changed, type Change } from './observation-changes.ts';
import { podGone } from './observation-faults.ts';
import { healthyObservation, nodeIdOf } from './observation.ts';
import { specOf } from './spec.ts';

export const LEFT_CLAIM = 'data-redis-4-0';
export const LEFT_SLOTS = [{ start: 12288, end: 16383 }];

export function withOlderRecord(...changes: readonly Change[]): Observation {
  const whole = healthyObservation({ masters: 4, replicas: 0, hosts: 4 });
  const noSet = changeKube((kube) => ({
    ...kube,
    statefulSets: kube.statefulSets.filter(({ name }) => name !== 'redis-4'),
  }));
  return changed(asMade(changed(whole, podGone('redis-4-0'), noSet), specOf({ replicas: 0 })), ...changes);
}

/** Somebody has run CLUSTER FORGET for it everywhere: nobody owns its slots any more. */
export const forgotten: Change = changeLines((line) => (line.nodeId === nodeIdOf(4) ? null : line));

export const withoutClaim: Change = changeKube((kube) => ({
  ...kube,
  claims: kube.claims.filter(({ name }) => name !== LEFT_CLAIM),
}));

export const claimsHidden: Change = changeKube((kube) => ({
  ...kube,
  claims: [],
  gaps: [{ what: 'persistentvolumeclaims', why: 'forbidden' }],
}));
