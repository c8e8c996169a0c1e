/** Faults of nodes, roles, addresses and configuration, and what fix plans for each. Numbers are rows of the failure matrix. */
import { asMade } from '../../../../support/as-made.ts';
import {
  changeAnswer,
  changeKube,
  changeLines,
  changed,
  type Change,
} from '../../../../support/observation-changes.ts';
import {
  addressMismatch,
  config,
  follows,
  ghost,
  heard,
  libraries,
  openSlot,
  replicasLoseLink,
  unowned,
  unreachable,
} from '../../../../support/observation-faults.ts';
import { healthyObservation, nodeIdOf } from '../../../../support/observation.ts';
import { specOf } from '../../../../support/spec.ts';
import { leaves, only, type FixCase } from './fix-words.ts';

const GHOST = 'f'.repeat(40);
const healthy = healthyObservation();

/** The link of its replicas ends with it, 30 s ago. */
const losesWithReplica = (pod: string): Change[] => [replicasLoseLink(pod, 30), heard(pod, 30_000)];

export const NODE_CASES: readonly FixCase[] = [
  // 1.32
  ['a ghost', changed(healthy, ghost(GHOST)), only('ghost-node: forget ffffffff on 6')],
  // 1.19
  [
    'a living stranger',
    changed(healthy, ghost(GHOST, { flags: ['master'], linkUp: true })),
    leaves('unknown-node (needs-consent --forget-strangers)'),
  ],
  [
    'a living stranger, with consent',
    changed(healthy, ghost(GHOST, { flags: ['master'], linkUp: true })),
    only('unknown-node: forget ffffffff on 6'),
    { policy: { forgetStrangers: true } },
  ],
  // 1.23
  [
    'a replica of a replica',
    changed(healthy, follows('redis-4-0', 'redis-5-0')),
    only('replica-chain: replicate redis-4-0 -> redis-2-0', 'shard-label-stale: replicate redis-4-0 -> redis-1-0'),
  ],
  // 1.5
  [
    'a primary that is down, and its replica, too',
    changed(healthy, unreachable('redis-1-0', 'not-running'), unreachable('redis-4-0', 'not-running')),
    leaves('pod-not-running (by-hand)', 'primary-down (by-hand)'),
  ],
  [
    'a primary without replicas that is down',
    changed(healthyObservation({ replicas: 0 }), unreachable('redis-1-0', 'not-running')),
    leaves('primary-down (refused)'),
  ],
  // 1.4
  [
    'a primary that is dead by three witnesses',
    changed(healthy, ...losesWithReplica('redis-1-0'), unreachable('redis-1-0', 'not-running')),
    only('primary-down: force redis-4-0'),
  ],
  [
    'a primary that only we cannot reach',
    changed(healthy, unreachable('redis-1-0', 'tunnel', 'up')),
    leaves('tunnel-broken (by-hand)'),
  ],
  // 1.6
  [
    'a primary without replicas whose volume is gone',
    changed(healthyObservation({ replicas: 0 }), unreachable('redis-1-0', 'guard-waiting')),
    leaves('primary-down (needs-consent --accept-data-loss 0-5460)'),
  ],
  [
    'a primary without replicas whose volume is gone, given up',
    changed(healthyObservation({ replicas: 0 }), unreachable('redis-1-0', 'guard-waiting')),
    only(`primary-down: forget ${nodeIdOf(1).slice(0, 8)} on 2`),
    { policy: { acceptDataLoss: [{ start: 0, end: 6000 }] } },
  ],
  // 1.7
  [
    'no majority',
    changed(
      healthy,
      ...['redis-1-0', 'redis-2-0'].flatMap((pod) => [
        ...losesWithReplica(pod),
        unreachable(pod, 'not-running', 'fail?'),
      ]),
    ),
    leaves('no-quorum (needs-consent --takeover)', 'primary-down (after-others)', 'primary-down (after-others)'),
  ],
  [
    'no majority, with consent: one shard after the other, and who is elected when there is one again is named, too',
    changed(
      healthy,
      ...['redis-1-0', 'redis-2-0'].flatMap((pod) => [
        ...losesWithReplica(pod),
        unreachable(pod, 'not-running', 'fail?'),
      ]),
    ),
    {
      repairs: ['no-quorum: takeover redis-4-0', 'no-quorum: force redis-5-0'],
      left: ['primary-down (after-others)', 'primary-down (after-others)'],
    },
    { policy: { takeover: true } },
  ],
  // 1.22
  [
    'a replica whose primary was forgotten by all others',
    changed(
      healthy,
      unowned([{ start: 0, end: 5460 }]),
      changeLines((line) => (line.nodeId === nodeIdOf(4) ? { ...line, primaryId: GHOST } : line)),
      ghost(GHOST, { slots: [{ start: 0, end: 5460 }] }, ['redis-4-0']),
    ),
    {
      repairs: ['replica-orphaned: takeover redis-4-0'],
      left: ['views-differ (after-others)', 'empty-primary (after-others)'],
    },
  ],
  // 1.3
  [
    'nodes that lost the address of another',
    changed(
      healthy,
      changeLines((line, viewer) =>
        (line.nodeId === nodeIdOf(2) && viewer === 'redis-1-0') ||
        (line.nodeId === nodeIdOf(1) && viewer === 'redis-2-0')
          ? { ...line, ip: '', port: 0, flags: [...line.flags, 'noaddr'] }
          : line,
      ),
    ),
    only('address-unknown: meet redis-1-0 -> redis-2-0'),
  ],
  // 1.2
  [
    'a Service that was made anew',
    changed(
      healthy,
      changeKube((kube) => ({
        ...kube,
        services: kube.services.map((service) =>
          service.name === 'redis-2' ? { ...service, clusterIP: '10.96.7.7' } : service,
        ),
      })),
    ),
    only('address-mismatch: set redis-2-0 cluster-announce-ip 10.96.7.7'),
  ],
  [
    'a Service that was made anew: recorded first, then announced',
    changed(
      asMade(healthy, specOf()),
      changeKube((kube) => ({
        ...kube,
        services: kube.services.map((service) =>
          service.name === 'redis-2' ? { ...service, clusterIP: '10.96.7.7' } : service,
        ),
      })),
    ),
    only(
      'address-mismatch: apply-config, apply-workloads',
      'address-mismatch: set redis-2-0 cluster-announce-ip 10.96.7.7',
    ),
  ],
  [
    'a replica that looks for its primary at an address of nobody',
    changed(healthy, addressMismatch('redis-2-0', '10.1.1.1')),
    only('address-mismatch: meet redis-5-0 -> redis-2-0'),
  ],
  [
    'the same, beside a replica whose view says that it follows itself',
    changed(
      healthy,
      addressMismatch('redis-2-0', '10.1.1.1'),
      changeAnswer('redis-6-0', (answer) => ({ ...answer, info: { ...answer.info, primaryLinkUp: false } })),
      changeLines((line, viewer) =>
        viewer === 'redis-6-0' ? { ...line, role: 'unknown', primaryId: line.nodeId } : line,
      ),
    ),
    { repairs: ['address-mismatch: meet redis-5-0 -> redis-2-0'], left: ['views-differ (by-itself)'] },
  ],
  // I12
  [
    'a node that is configured otherwise',
    changed(healthy, config('redis-2-0', 'maxmemory-policy', 'allkeys-lru')),
    only('config-differs: set redis-2-0 maxmemory-policy noeviction'),
  ],
  // 1.41
  [
    'functions that two primaries lack',
    changed(healthy, libraries('redis-1-0', { mylib: 'a' }), libraries('redis-2-0', {}), libraries('redis-3-0', {})),
    only('functions-differ: load mylib redis-1-0 -> redis-2-0, load mylib redis-1-0 -> redis-3-0'),
  ],
  [
    'two versions of a library',
    changed(
      healthy,
      ...[1, 2, 3].map((ordinal) => libraries(`redis-${ordinal}-0`, { mylib: ordinal === 3 ? 'b' : 'a' })),
    ),
    leaves('functions-differ (by-hand)'),
  ],
  // 1.37
  [
    'TLS on one node only',
    changed(healthy, config('redis-2-0', 'tls-cluster', 'yes'), config('redis-1-0', 'tls-cluster', 'no')),
    leaves('config-differs (by-hand)'),
  ],
  [
    'one node id in two pods',
    changed(
      healthy,
      changeAnswer('redis-5-0', (answer) => ({ ...answer, myId: nodeIdOf(4) })),
      openSlot(7, 'redis-1-0', 'redis-2-0'),
    ),
    leaves('duplicate-node-id (refused)', 'unknown-node (after-others)', 'slots-open (after-others)'),
  ],
];
