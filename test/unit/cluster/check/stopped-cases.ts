/** Clusters without a pod: on purpose, or not, and exactly what check says of each. */
import type { KubeFacts, Observation } from '../../../../pkg/cluster/model/observation.ts';
import { changeKube } from '../../../support/observation-changes.ts';
import { healthyObservation } from '../../../support/observation.ts';
import { asMade } from '../../../support/as-made.ts';
import { specOf } from '../../../support/spec.ts';
import { says } from './check-case.ts';
import type { CheckCase } from './check-case.ts';

/** No pod, and StatefulSets as given. */
function asleep(sets: (kube: KubeFacts) => KubeFacts['statefulSets']): Observation {
  const { kube, ...observation } = healthyObservation();
  return { ...observation, kube: { ...kube, pods: [], statefulSets: sets(kube) }, replies: [] };
}

const withoutClaims = changeKube((kube) => ({ ...kube, claims: [] }));

export const STOPPED_CASES: readonly CheckCase[] = [
  [
    'stopped: scaled to zero',
    asleep((kube) => kube.statefulSets.map((set) => ({ ...set, replicas: 0 }))),
    [
      says(
        'warning stopped',
        'redis sleeps: its StatefulSets are scaled to zero; its data is kept on 6 volumes.',
        'kubectl redis create redis starts it again with the keys on its volumes, and so does kubectl -n default scale statefulset -l kubectl-redis.io/cluster=redis --replicas=1.',
      ),
    ],
  ],
  [
    'stopped: without an append-only file',
    asMade(
      asleep((kube) => kube.statefulSets.map((set) => ({ ...set, replicas: 0 }))),
      specOf({ masters: 3, config: { appendonly: 'no' } }),
    ),
    [
      says(
        'warning stopped',
        'redis sleeps: its StatefulSets are scaled to zero; its data is kept on 6 volumes.',
        'kubectl redis create redis starts it again with what its servers saved last (appendonly no is recorded), and so does kubectl -n default scale statefulset -l kubectl-redis.io/cluster=redis --replicas=1.',
      ),
    ],
  ],
  [
    'stopped: deleted, with its volumes kept',
    asleep(() => []),
    [
      says(
        'warning stopped',
        'redis was deleted; its data is kept on 6 volumes.',
        'kubectl redis create redis starts it again with the keys on its volumes.',
      ),
    ],
  ],
  [
    'stopped: deleted with its volumes, and a Service or two are left: there are no keys to start with',
    withoutClaims(asleep(() => [])),
    [
      says(
        'warning stopped',
        'redis was deleted; no volume is left.',
        'Nothing is left to start it with, unless a PersistentVolume was retained. kubectl redis delete redis --purge-data removes what is left of it.',
      ),
    ],
  ],
  [
    'cluster-down: no pods although they are wanted',
    asleep((kube) => kube.statefulSets),
    [
      says(
        'critical cluster-down',
        'redis has no pods; no data is served.',
        'Bring the pods back with their volumes; kubectl get pods and kubectl describe pod say why they do not run.',
      ),
    ],
  ],
];
