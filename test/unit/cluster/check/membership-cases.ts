/** Faults of identity and addresses, and exactly what check says of each. */
import { freshObservation, healthyObservation, nodeIdOf } from '../../../support/observation.ts';
import { changeKube, changeLines, changePod, changed, type Change } from '../../../support/observation-changes.ts';
import {
  addressMismatch,
  every,
  ghost,
  replicaLinkDown,
  swappedLabels,
  unreachable,
} from '../../../support/observation-faults.ts';
import { STRANGER, alone, cloned, lostVolume, split } from '../../../support/observation-identity.ts';
import { theirs } from '../../../support/theirs.ts';
import { says } from './check-case.ts';
import type { CheckCase } from './check-case.ts';

const podIpOf = (name: string): string => healthyObservation().kube.pods.find((pod) => pod.name === name)?.ip ?? '';

/** Made again without the webhook: plain servers, and nothing ties them to the addresses of a shard that is gone. */
const plain = (pod: string, address: string): readonly Change[] => [
  addressMismatch(pod, address),
  unreachable(pod, 'not-cluster'),
];

export const MEMBERSHIP_CASES: readonly CheckCase[] = [
  [
    'primary-down: an owner that failed, and pods that may have been it',
    changed(
      healthyObservation({ kind: 'foreign' }),
      ...plain('redis-0', '10.96.9.1'),
      ...plain('redis-3', '10.96.9.4'),
    ),
    [
      says(
        'critical primary-down',
        '9e3779b1 at 10.96.9.1:6379, a primary, is down (no pod answers as this node): slots 0-5460 are not served.',
        'No replica of 9e3779b1 answers. If its volume still exists, bring the pod back with it; do not CLUSTER FORGET it before.',
        '9e3779b1',
        '0-5460',
      ),
      ...['redis-0', 'redis-3'].map((pod) =>
        says(
          'warning cluster-mode-off',
          `${pod} is not in cluster mode (no answer from ${pod}).`,
          'Set cluster-enabled yes in its configuration, or take the cluster label off the pod.',
          pod,
        ),
      ),
      says(
        'info pod-ip-announced',
        'All 4 nodes announce their pod IPs: a restart of all pods at once would not heal by itself.',
        'Give each node a Service of its own and CONFIG SET cluster-announce-ip to its ClusterIP, also in its configuration file.',
        'redis-1 redis-2 redis-4 redis-5',
      ),
    ],
  ],
  [
    'duplicate-node-id: a cloned volume',
    changed(healthyObservation({ kind: 'foreign' }), cloned('redis-5', 'redis-6')),
    [
      says(
        'critical duplicate-node-id',
        'redis-5 and redis-6 have one node id (b54cda26): a volume was cloned.',
        'Stop the copy at once, and give it an empty volume before it starts again. Keep the one it had until you know that the other pod has all of its keys.',
        'redis-5 redis-6',
      ),
    ],
  ],
  [
    'pod-label-changed: two pods have the label of each other',
    changed(healthyObservation(), ...swappedLabels('redis-3', 'redis-6')),
    (['redis-3', 'redis-6'] as const).map((node) => {
      const other = node === 'redis-3' ? 'redis-6' : 'redis-3';
      return says(
        'critical pod-label-changed',
        `${node}-0 has the label name=${other}, and its StatefulSet gives it name=${node}: other nodes reach it by an address that its next start does not have.`,
        `kubectl -n default label pod ${node}-0 name=${node} --overwrite, and so for each pod that is named here; then kubectl redis fix redis.`,
        `${node}-0`,
      );
    }),
  ],
  [
    'address-shared: two StatefulSets that number their pods from 0 (K19)',
    changed(
      freshObservation({ kind: 'foreign' }),
      changeKube((kube) => ({ ...kube, config: {} })),
      ...['redis-0', 'redis-1'].map((name) =>
        changePod(name, (pod) => ({
          ...pod,
          labels: { ...pod.labels, name: 'redis-0' },
          annotations: { ...pod.annotations, 'kubectl-redis.io/injected': '1' },
        })),
      ),
    ),
    [
      says(
        'critical address-shared',
        'redis-0 and redis-1 stand behind one address (Service redis-0): whoever connects gets the one or the other.',
        'Give one of the workloads other numbers (spec.ordinals.start), or its pods labels name of their own. Keep the volumes of both: which of them holds what is known when each pod has an address of its own.',
        'redis-0 redis-1',
        '',
        'Service redis-0',
      ),
      says(
        'warning not-formed',
        'redis was never joined to a cluster: 6 of 6 nodes answer, 0 of 16384 slots are assigned.',
        'Form it with redis-cli --cluster create and the addresses of the pods, for example from inside redis-0.',
        'redis-0 redis-1 redis-2 redis-3 redis-4 redis-5',
      ),
    ],
  ],
  [
    'pod-beyond: a seventh pod of six that were recorded',
    theirs(() => null),
    [
      says(
        'warning pod-beyond',
        'redis-6 is no node of redis, which was formed without it: nobody gives it an address, and it never starts.',
        'kubectl scale statefulset redis --replicas 6 -n default takes it away again.',
        'redis-6',
      ),
      says(
        'info pod-ip-announced',
        'All 6 nodes announce their pod IPs: a restart of all pods at once would not heal by itself.',
        'Give each node a Service of its own and CONFIG SET cluster-announce-ip to its ClusterIP, also in its configuration file.',
        'redis-0 redis-1 redis-2 redis-3 redis-4 redis-5',
      ),
    ],
  ],
  [
    'clusters-split: two halves with keys',
    changed(
      healthyObservation({ masters: 6, replicas: 0, hosts: 6, zones: 0 }),
      split(['redis-1-0', 'redis-2-0', 'redis-3-0', 'redis-4-0'], ['redis-5-0', 'redis-6-0']),
    ),
    [
      says(
        'critical clusters-split',
        'The pods belong to 2 clusters that do not know each other: redis-1-0, redis-2-0, redis-3-0 and redis-4-0; redis-5-0 and redis-6-0.',
        'Find out which pods hold the data that counts. Do not let them meet.',
        'redis-1-0 redis-2-0 redis-3-0 redis-4-0 redis-5-0 redis-6-0',
      ),
    ],
  ],
  [
    'slots-without-node: a lost volume, its replica still there',
    changed(healthyObservation(), lostVolume('redis-2-0')),
    [
      says(
        'critical slots-without-node',
        'Slots 5461-10922 belong to 3c6ef362 at an unknown address, an id that no pod has.',
        'kubectl -n default exec redis-5-0 -- redis-cli CLUSTER FAILOVER FORCE (it has 100 keys); only then CLUSTER FORGET 3c6ef36200000000000000000000000000000002 on every node.',
        '3c6ef362',
        '5461-10922',
      ),
      says(
        'warning node-not-joined',
        'redis-2-0 is not part of the cluster: it does not know the others.',
        'kubectl redis create redis joins the nodes of an unfinished cluster; else CLUSTER MEET and CLUSTER REPLICATE.',
        'redis-2-0',
      ),
    ],
  ],
  [
    'unknown-node: a stranger',
    changed(healthyObservation(), ghost(STRANGER, { flags: ['master'], linkUp: true })),
    [
      says(
        'warning unknown-node',
        'The cluster knows 1 node that no pod has (alive): ffffffff at 10.9.9.9:6379.',
        'Find it by its address. If it is a stranger without slots: CLUSTER FORGET its id on every node within 60 seconds.',
        'ffffffff',
      ),
    ],
  ],
  [
    'ghost-node: known to all',
    changed(healthyObservation(), ghost(STRANGER)),
    [
      says(
        'warning ghost-node',
        'The cluster knows 1 node that no pod has (gone): ffffffff at 10.9.9.9:6379.',
        'Where no pod can come back with that id: CLUSTER FORGET ffffffffffffffffffffffffffffffffffffffff on every node within 60 seconds.',
        'ffffffff',
      ),
    ],
  ],
  [
    'ghost-node: known to one',
    changed(healthyObservation(), ghost(STRANGER, {}, ['redis-1-0'])),
    [
      says(
        'warning ghost-node',
        'The cluster knows 1 node that no pod has (gone): ffffffff at 10.9.9.9:6379.',
        'Where no pod can come back with that id: CLUSTER FORGET ffffffffffffffffffffffffffffffffffffffff on every node within 60 seconds.',
        'ffffffff',
      ),
    ],
  ],
  [
    'node-not-joined: an empty node that knows nobody',
    changed(healthyObservation(), alone('redis-5-0')),
    [
      says(
        'warning node-not-joined',
        'redis-5-0 is not part of the cluster: it does not know the others.',
        'kubectl redis create redis joins the nodes of an unfinished cluster; else CLUSTER MEET and CLUSTER REPLICATE.',
        'redis-5-0',
      ),
    ],
  ],
  [
    'handshake',
    changed(healthyObservation(), ghost(STRANGER, { flags: ['handshake'] }, ['redis-1-0'])),
    [says('info handshake', 'redis-1-0 is in the middle of a handshake.', 'Look again in some seconds.', 'redis-1-0')],
  ],
  [
    'address-unknown: swapped IPs',
    changed(
      healthyObservation(),
      changeLines((line, viewer) =>
        viewer === 'redis-1-0' && line.nodeId === nodeIdOf(2)
          ? { ...line, ip: '', port: 0, flags: ['master', 'noaddr'], linkUp: false }
          : line,
      ),
    ),
    [
      says(
        'warning address-unknown',
        'redis-1-0 does not know the address of redis-2-0.',
        'kubectl -n default exec redis-1-0 -- redis-cli CLUSTER MEET 10.96.0.12 6379; check first that redis-2-0 answers there.',
        'redis-2-0 redis-1-0',
      ),
    ],
  ],
  [
    'address-mismatch: a Service with a new ClusterIP',
    changed(healthyObservation(), addressMismatch('redis-2-0', '10.1.1.1')),
    [
      says(
        'warning address-mismatch',
        '1 node is known at an address that is not its own: redis-2-0 at 10.1.1.1 instead of 10.96.0.12.',
        'kubectl -n default exec redis-2-0 -- redis-cli CONFIG SET cluster-announce-ip 10.96.0.12; then put it into the template of its StatefulSet, too.',
        'redis-2-0',
      ),
    ],
  ],
  [
    'address-mismatch: the address of its pod',
    changed(healthyObservation(), addressMismatch('redis-2-0', podIpOf('redis-2-0'))),
    [
      says(
        'warning address-mismatch',
        `1 node is known at an address that is not its own: redis-2-0 at ${podIpOf('redis-2-0')} instead of 10.96.0.12.`,
        'kubectl -n default exec redis-2-0 -- redis-cli CONFIG SET cluster-announce-ip 10.96.0.12; then put it into the template of its StatefulSet, too.',
        'redis-2-0',
      ),
    ],
  ],
  [
    'address-mismatch: all pod IPs are new',
    changed(
      healthyObservation({ kind: 'foreign' }),
      every((pod) => changePod(pod, (facts) => ({ ...facts, ip: facts.ip.replace('10.244.', '10.245.') }))),
      changeLines((line) => (line.flags.includes('myself') ? line : { ...line, linkUp: false })),
      replicaLinkDown('redis-3'),
      replicaLinkDown('redis-4'),
      replicaLinkDown('redis-5'),
    ),
    [
      says(
        'warning address-mismatch',
        '6 nodes are known at addresses that are not their own: redis-0 at 10.244.0.3 instead of 10.245.0.3, redis-1 at 10.244.0.4 instead of 10.245.0.4 and 4 more.',
        'On each replica CLUSTER MEET the pod IP of its primary, then on one node CLUSTER MEET the pod IPs of all others, after comparing CLUSTER MYID of each.',
        'redis-0 redis-1 redis-2 redis-3 redis-4 redis-5',
      ),
    ],
  ],
  [
    'pod-ip-announced: as it is with clusters made by hand',
    healthyObservation({ kind: 'foreign' }),
    [
      says(
        'info pod-ip-announced',
        'All 6 nodes announce their pod IPs: a restart of all pods at once would not heal by itself.',
        'Give each node a Service of its own and CONFIG SET cluster-announce-ip to its ClusterIP, also in its configuration file.',
        'redis-0 redis-1 redis-2 redis-3 redis-4 redis-5',
      ),
    ],
  ],
];
