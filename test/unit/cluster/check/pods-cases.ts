/** Faults of pods, Services and operations, and exactly what check says of each. */
import { healthyObservation } from '../../../support/observation.ts';
import { changeKube, changePod, changeService, changed } from '../../../support/observation-changes.ts';
import {
  crashing,
  linkDown,
  operation,
  replicaLinkDown,
  unreachable,
  uptime,
} from '../../../support/observation-faults.ts';
import { says } from './check-case.ts';
import type { CheckCase } from './check-case.ts';

export const PODS_CASES: readonly CheckCase[] = [
  [
    'pod-not-running: it crashes',
    changed(healthyObservation(), unreachable('redis-5-0', 'not-running'), crashing('redis-5-0')),
    [
      says(
        'warning pod-not-running',
        'redis-5-0, a replica, does not run (CrashLoopBackOff).',
        'kubectl -n default describe pod redis-5-0 says why.',
        'redis-5-0',
      ),
    ],
  ],
  [
    'pod-not-running: each is told, however many (K9)',
    changed(
      healthyObservation({ masters: 6, hosts: 6, zones: 0 }),
      ...['redis-7-0', 'redis-8-0', 'redis-9-0', 'redis-10-0', 'redis-11-0', 'redis-12-0'].flatMap((pod) => [
        unreachable(pod, 'not-running'),
        crashing(pod),
      ]),
    ),
    ['redis-7-0', 'redis-8-0', 'redis-9-0', 'redis-10-0', 'redis-11-0', 'redis-12-0'].map((pod) =>
      says(
        'warning pod-not-running',
        `${pod}, a replica, does not run (CrashLoopBackOff).`,
        `kubectl -n default describe pod ${pod} says why.`,
        pod,
      ),
    ),
  ],
  [
    'guard-waiting: a replica whose volume is empty',
    changed(healthyObservation(), unreachable('redis-5-0', 'guard-waiting')),
    [
      says(
        'warning guard-waiting',
        'redis-5-0, a replica, waits before it starts (waiting for a node of the cluster to answer: this volume has no data).',
        'Mostly none: it starts by itself. kubectl -n default logs redis-5-0 says what it waits for.',
        'redis-5-0',
      ),
    ],
  ],
  [
    'node-unreachable: a replica is frozen',
    changed(healthyObservation(), unreachable('redis-5-0', 'timeout')),
    [
      says(
        'warning node-unreachable',
        'redis-5-0, a replica, does not answer (no answer from redis-5-0).',
        'kubectl -n default logs redis-5-0; kubectl redis nodes shows whether its peers see it.',
        'redis-5-0',
      ),
    ],
  ],
  [
    'node-unreachable: a primary that only we cannot reach',
    changed(healthyObservation(), unreachable('redis-2-0', 'timeout', 'up')),
    [
      says(
        'warning node-unreachable',
        'redis-2-0, a primary, does not answer (no answer from redis-2-0); its peers see it and send slots 5461-10922 to it.',
        'kubectl -n default logs redis-2-0; kubectl redis nodes shows whether its peers see it.',
        'redis-2-0',
      ),
    ],
  ],
  [
    'tunnel-broken: a primary that its peers see',
    changed(healthyObservation(), unreachable('redis-2-0', 'tunnel', 'up')),
    [
      says(
        'warning tunnel-broken',
        'redis-2-0, a primary, could not be reached through the API server (no answer from redis-2-0); its peers see it and send slots 5461-10922 to it.',
        'Run the command again; if it stays, try kubectl port-forward by hand.',
        'redis-2-0',
      ),
    ],
  ],
  [
    'password-refused',
    changed(healthyObservation(), unreachable('redis-5-0', 'auth', 'up')),
    [
      says(
        'warning password-refused',
        'redis-5-0, a replica, refuses the password (no answer from redis-5-0).',
        'Compare the password that was given with what the node was started with; its problem says where it came from.',
        'redis-5-0',
      ),
    ],
  ],
  [
    'cluster-mode-off',
    changed(healthyObservation(), unreachable('redis-5-0', 'not-cluster')),
    [
      says(
        'warning cluster-mode-off',
        'redis-5-0, a replica, is not in cluster mode (no answer from redis-5-0).',
        'Set cluster-enabled yes in its configuration, or take the cluster label off the pod.',
        'redis-5-0',
      ),
    ],
  ],
  [
    'cluster-mode-off: a pod that was made without the webhook',
    changed(
      healthyObservation({ kind: 'foreign' }),
      unreachable('redis-5', 'not-cluster'),
      changeKube((kube) => ({ ...kube, state: { formed: 'true', nodes: '5 redis-5 10.0.0.5 2\n' } })),
    ),
    [
      says(
        'warning cluster-mode-off',
        'redis-5, a replica, is not in cluster mode (no answer from redis-5).',
        'It was made without the webhook: kubectl redis webhook status says whether that is there; then kubectl -n default delete pod redis-5 has it made again.',
        'redis-5',
      ),
      says(
        'info pod-ip-announced',
        'All 5 nodes announce their pod IPs: a restart of all pods at once would not heal by itself.',
        'Give each node a Service of its own and CONFIG SET cluster-announce-ip to its ClusterIP, also in its configuration file.',
        'redis-0 redis-1 redis-2 redis-3 redis-4',
      ),
    ],
  ],
  [
    'node-loading: a replica',
    changed(healthyObservation(), unreachable('redis-5-0', 'loading', 'fail?')),
    [
      says(
        'info node-loading',
        'redis-5-0, a replica, is loading its data (no answer from redis-5-0).',
        'Wait.',
        'redis-5-0',
      ),
    ],
  ],
  [
    'node-starting: a replica, with all that comes with it',
    changed(
      healthyObservation(),
      replicaLinkDown('redis-5-0', 3),
      uptime('redis-5-0', 3),
      linkDown('redis-1-0', 'redis-5-0'),
      linkDown('redis-5-0', 'redis-1-0'),
      changePod('redis-5-0', (pod) => ({ ...pod, ready: false })),
    ),
    [
      says(
        'info node-starting',
        'redis-5-0 started 3 s ago and is not connected yet.',
        'Look again in some seconds.',
        'redis-5-0',
      ),
    ],
  ],
  [
    'pod-terminating: it still answers',
    changed(
      healthyObservation(),
      changePod('redis-5-0', (pod) => ({ ...pod, terminating: true, ready: false })),
    ),
    [
      says(
        'warning pod-terminating',
        'redis-5-0 on host-1 is being deleted and still answers.',
        'Wait for its successor. If it stays: kubectl describe pod.',
        'redis-5-0',
      ),
    ],
  ],
  [
    'pod-not-ready: for no reason that we see',
    changed(
      healthyObservation(),
      changePod('redis-5-0', (pod) => ({ ...pod, ready: false })),
    ),
    [
      says(
        'warning pod-not-ready',
        'redis-5-0 answers but is not ready: the client Service leaves it out.',
        'kubectl -n default describe pod redis-5-0 shows the last message of its readiness probe.',
        'redis-5-0',
      ),
    ],
  ],
  [
    'service-two-pods: a copy by hand with the same labels',
    changed(
      healthyObservation(),
      changeKube((kube) => ({
        ...kube,
        pods: kube.pods.flatMap((pod) =>
          pod.name === 'redis-5-0' ? [pod, { ...pod, name: 'copy', uid: 'uid-copy', claims: [] }] : [pod],
        ),
      })),
    ),
    [
      says(
        'critical service-two-pods',
        'Service redis-5 leads to redis-5-0 and copy: two nodes behind one address.',
        'Give each pod a label name of its own: one StatefulSet for each node. Let none of the two go before kubectl redis nodes shows which of them the cluster knows, and what each holds.',
        'redis-5-0 copy',
        '',
        'Service/redis-5',
      ),
    ],
  ],
  [
    'service-missing',
    changed(
      healthyObservation(),
      changeKube((kube) => ({ ...kube, services: kube.services.filter((service) => service.name !== 'redis-5') })),
    ),
    [
      says(
        'warning service-missing',
        'Service redis-5 is missing: the address that redis-5-0 announces leads nowhere.',
        'Make Service redis-5 again with clusterIP 10.96.0.15, and ports and selector as those of the other nodes.',
        'redis-5-0',
        '',
        'Service/redis-5',
      ),
    ],
  ],
  [
    'service-wrong: selector and ports',
    changed(
      healthyObservation(),
      changeService('redis-5', (service) => ({
        ...service,
        selector: { app: 'other' },
        ports: service.ports.slice(0, 1),
      })),
    ),
    [
      says(
        'warning service-wrong',
        'Service redis-5 does not lead to redis-5-0 as it must: its selector does not pick redis-5-0 and port tcp-bus is missing.',
        'Compare it with the Service of a node that is well: kubectl get service -o yaml.',
        'redis-5-0',
        '',
        'Service/redis-5',
      ),
    ],
  ],
  [
    "service-wrong: the clients' entry",
    changed(
      healthyObservation(),
      changeService('redis', (service) => ({ ...service, selector: { role: 'none' } })),
    ),
    [
      says(
        'warning service-wrong',
        "Service redis, the clients' entry, does not pick redis-1-0, redis-2-0, redis-3-0, redis-4-0 and 2 more.",
        'Compare it with the Service of a node that is well: kubectl get service -o yaml.',
        'redis-1-0 redis-2-0 redis-3-0 redis-4-0 redis-5-0 redis-6-0',
        '',
        'Service/redis',
      ),
    ],
  ],
  [
    'operation-lapsed',
    changed(healthyObservation(), operation({ renewedAt: '2026-11-23T09:59:10.000Z' })),
    [
      says(
        'warning operation-lapsed',
        'create by ann@laptop began at 2026-11-23T09:59:00.000Z and was last heard of at 2026-11-23T09:59:10.000Z.',
        'kubectl redis create redis, with the same flags, goes on where it stopped.',
        '',
      ),
    ],
  ],
  [
    'an operation of somebody whose clock is ahead runs (K15)',
    changed(healthyObservation(), operation({ renewedAt: '2026-11-23T10:01:00.000Z' })),
    [],
  ],
];
