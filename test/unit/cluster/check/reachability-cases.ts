/** Faults of nodes that were not heard, as they stand for what is not served, and exactly what check says of each. */
import { freshObservation, healthyObservation, nodeIdOf } from '../../../support/observation.ts';
import { changeAnswer, changeKube, changeLines, changePod, changed } from '../../../support/observation-changes.ts';
import { crashing, every, hostDown, podGone, unreachable } from '../../../support/observation-faults.ts';
import { failedOver } from '../../../support/observation-failover.ts';
import { says } from './check-case.ts';
import type { CheckCase } from './check-case.ts';

export const REACHABILITY_CASES: readonly CheckCase[] = [
  [
    'cluster-down: every container crashes',
    changed(
      healthyObservation(),
      every((pod) => unreachable(pod, 'not-running', 'up')),
      every((pod) => crashing(pod)),
    ),
    [
      says(
        'critical cluster-down',
        'None of the 6 pods of redis runs (redis-1-0: CrashLoopBackOff, redis-2-0: CrashLoopBackOff and 4 more); no data is served.',
        'Bring the pods back with their volumes; kubectl get pods and kubectl describe pod say why they do not run.',
        'redis-1-0 redis-2-0 redis-3-0 redis-4-0 redis-5-0 redis-6-0',
      ),
    ],
  ],
  [
    'cannot-ask: the tunnel to every pod is broken',
    changed(
      healthyObservation(),
      every((pod) => unreachable(pod, 'tunnel', 'up')),
    ),
    [
      says(
        'warning cannot-ask',
        'None of the 6 pods of redis could be asked (redis-1-0: no answer from redis-1-0, redis-2-0: no answer from redis-2-0 and 4 more).',
        'Try kubectl port-forward to a pod by hand; it needs the rights get and create on pods/portforward.',
        'redis-1-0 redis-2-0 redis-3-0 redis-4-0 redis-5-0 redis-6-0',
      ),
    ],
  ],
  [
    'cluster-mode-off: in every pod',
    changed(
      healthyObservation({ kind: 'foreign' }),
      every((pod) => unreachable(pod, 'not-cluster', 'up')),
    ),
    [
      says(
        'warning cluster-mode-off',
        'None of the 6 pods of redis is in cluster mode (redis-0: no answer from redis-0, redis-1: no answer from redis-1 and 4 more).',
        'Set cluster-enabled yes in its configuration, or take the cluster label off the pod.',
        'redis-0 redis-1 redis-2 redis-3 redis-4 redis-5',
      ),
    ],
  ],
  [
    'password-refused: by every pod',
    changed(
      healthyObservation(),
      every((pod) => unreachable(pod, 'auth', 'up')),
    ),
    [
      says(
        'warning password-refused',
        'None of the 6 pods of redis accepts the password (redis-1-0: no answer from redis-1-0, redis-2-0: no answer from redis-2-0 and 4 more).',
        'Compare the password that was given with what the node was started with; its problem says where it came from.',
        'redis-1-0 redis-2-0 redis-3-0 redis-4-0 redis-5-0 redis-6-0',
      ),
    ],
  ],
  [
    'not-formed: pods that know only themselves',
    freshObservation(),
    [
      says(
        'warning not-formed',
        'redis was never joined to a cluster: 6 of 6 nodes answer, 0 of 16384 slots are assigned.',
        'kubectl redis create redis finishes the job.',
        'redis-1-0 redis-2-0 redis-3-0 redis-4-0 redis-5-0 redis-6-0',
      ),
    ],
  ],
  [
    'not-formed: a foreign one',
    freshObservation({ kind: 'foreign' }),
    [
      says(
        'warning not-formed',
        'redis was never joined to a cluster: 6 of 6 nodes answer, 0 of 16384 slots are assigned.',
        'Form it with redis-cli --cluster create and the addresses of the pods, for example from inside redis-0.',
        'redis-0 redis-1 redis-2 redis-3 redis-4 redis-5',
      ),
    ],
  ],
  [
    'primary-down and no-quorum: two of three',
    changed(
      healthyObservation(),
      unreachable('redis-1-0', 'refused', 'fail?'),
      unreachable('redis-2-0', 'refused', 'fail?'),
    ),
    [
      says(
        'critical primary-down',
        'redis-1-0, a primary, is down (no answer from redis-1-0): slots 0-5460 are not served.',
        'Bring redis-1-0 back with its volume (kubectl -n default describe pod redis-1-0); redis-4-0 cannot be elected without a majority of primaries.',
        'redis-1-0',
        '0-5460',
      ),
      says(
        'critical primary-down',
        'redis-2-0, a primary, is down (no answer from redis-2-0): slots 5461-10922 are not served.',
        'Bring redis-2-0 back with its volume (kubectl -n default describe pod redis-2-0); redis-5-0 cannot be elected without a majority of primaries.',
        'redis-2-0',
        '5461-10922',
      ),
      says(
        'critical no-quorum',
        '2 of 3 primaries are down (redis-1-0 and redis-2-0): no majority is left to elect replicas.',
        'Bring pods back first. Where that cannot be: CLUSTER FAILOVER TAKEOVER on the best replica of each shard, one by one.',
        'redis-1-0 redis-2-0',
      ),
    ],
  ],
  [
    'host-not-ready: all pods on it, once',
    changed(
      healthyObservation({ masters: 4, hosts: 4, zones: 0 }),
      hostDown('host-1'),
      unreachable('redis-1-0', 'timeout'),
      unreachable('redis-6-0', 'timeout'),
    ),
    [
      says(
        'critical primary-down',
        'redis-1-0, a primary, is down (its host host-1 is not ready): slots 0-4095 are not served.',
        'redis-5-0 takes over by itself within seconds. If it does not, and redis-1-0 is dead for certain: kubectl -n default exec redis-5-0 -- redis-cli CLUSTER FAILOVER FORCE',
        'redis-1-0',
        '0-4095',
      ),
      says(
        'warning host-not-ready',
        'Host host-1 is not ready; redis-6-0 on it does not answer.',
        'Bring the host back. If it is off for certain: kubectl delete pod --force, so that the pod starts elsewhere.',
        'redis-6-0',
      ),
    ],
  ],
  [
    'pod-missing: the replica of a shard',
    changed(healthyObservation(), podGone('redis-5-0')),
    [
      says(
        'warning pod-missing',
        '1 pod of redis is missing: redis-5-0.',
        'kubectl -n default describe statefulset redis-5 says why there is no pod.',
        'redis-5-0',
      ),
    ],
  ],
  [
    'pod-missing: its StatefulSet was scaled to 0',
    changed(
      healthyObservation(),
      podGone('redis-5-0'),
      changeKube((kube) => ({
        ...kube,
        statefulSets: kube.statefulSets.map((set) => (set.name === 'redis-5' ? { ...set, replicas: 0 } : set)),
      })),
    ),
    [
      says(
        'warning pod-missing',
        '1 pod of redis is missing: redis-5-0.',
        'kubectl -n default scale statefulset redis-5 --replicas=1: it was scaled to 0. To take nodes away for good: kubectl redis scale redis with fewer --masters or --replicas.',
        'redis-5-0',
      ),
    ],
  ],
  [
    'pod-missing: its StatefulSet was scaled to 0 while it led, and another one was elected',
    changed(
      healthyObservation({ hosts: 6, zones: 0 }),
      podGone('redis-2-0'),
      changeLines((line) =>
        line.nodeId === nodeIdOf(2)
          ? { ...line, flags: ['master', 'fail'], slots: [] }
          : line.nodeId === nodeIdOf(5)
            ? {
                ...line,
                flags: [...line.flags.filter((flag) => flag === 'myself'), 'master'],
                role: 'primary',
                primaryId: null,
                configEpoch: 100,
                slots: [{ start: 5461, end: 10_922 }],
              }
            : line,
      ),
      changeAnswer('redis-5-0', (answer) => ({
        ...answer,
        info: { ...answer.info, role: 'primary', primaryLinkUp: null, primaryHost: null },
      })),
      changeKube((kube) => ({
        ...kube,
        statefulSets: kube.statefulSets.map((set) => (set.name === 'redis-2' ? { ...set, replicas: 0 } : set)),
      })),
    ),
    [
      says(
        'warning pod-missing',
        '1 pod of redis is missing: redis-2-0.',
        'kubectl -n default scale statefulset redis-2 --replicas=1: it was scaled to 0. redis-2-0 went as a primary: what was written last may be on its volume alone, and goes when it comes back as a replica; copy the volume first if it matters. To take nodes away for good: kubectl redis scale redis with fewer --masters or --replicas.',
        'redis-2-0',
      ),
    ],
  ],
  [
    'pod-missing: nothing is there that would make it',
    changed(
      healthyObservation(),
      podGone('redis-5-0'),
      changeKube((kube) => ({ ...kube, statefulSets: kube.statefulSets.filter((set) => set.name !== 'redis-5') })),
    ),
    [
      says(
        'warning pod-missing',
        '1 pod of redis is missing: redis-5-0.',
        'kubectl redis create redis makes what is missing.',
        'redis-5-0',
      ),
    ],
  ],
  [
    'pod-missing: of a foreign StatefulSet, an old primary whose replica took over',
    changed(healthyObservation({ kind: 'foreign', hosts: 6, zones: 0 }), failedOver('redis-4'), podGone('redis-1')),
    [
      says(
        'warning pod-missing',
        '1 pod of redis is missing: redis-1.',
        'kubectl -n default describe statefulset redis says why there is no pod.',
        'redis-1',
      ),
      says(
        'info pod-ip-announced',
        'All 5 nodes announce their pod IPs: a restart of all pods at once would not heal by itself.',
        'Give each node a Service of its own and CONFIG SET cluster-announce-ip to its ClusterIP, also in its configuration file.',
        'redis-0 redis-2 redis-3 redis-4 redis-5',
      ),
    ],
  ],
  [
    'claim-unbound: a pod waits for its volume',
    changed(
      healthyObservation(),
      unreachable('redis-5-0', 'not-running'),
      changePod('redis-5-0', (pod) => ({ ...pod, phase: 'Pending' })),
      changeKube((kube) => ({
        ...kube,
        claims: kube.claims.map((claim) => (claim.name === 'data-redis-5-0' ? { ...claim, phase: 'Pending' } : claim)),
      })),
    ),
    [
      says(
        'warning claim-unbound',
        'redis-5-0, a replica, waits for its volume (claim data-redis-5-0 is not bound).',
        'kubectl -n default describe pvc data-redis-5-0 says what the claim waits for.',
        'redis-5-0',
      ),
    ],
  ],
];
