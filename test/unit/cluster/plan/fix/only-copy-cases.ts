/** What looks in its wrong place, and may be the only copy: fix attaches, meets and configures nobody at its cost. */
import { changeAnswer, changeLines, changePod, changed, type Change } from '../../../../support/observation-changes.ts';
import {
  config,
  every,
  follows,
  ghost,
  heard,
  podGone,
  replicasLoseLink,
  unreachable,
} from '../../../../support/observation-faults.ts';
import { alone } from '../../../../support/observation-identity.ts';
import { healthyObservation, nodeIdOf } from '../../../../support/observation.ts';
import { leaves, type FixCase } from './fix-words.ts';

const healthy = healthyObservation();
const GHOST = 'f'.repeat(40);
const FIRST = { start: 0, end: 5460 };

/** redis-4-0 follows an id that nobody else knows, and that owns nothing; slots of its shard have gone to redis-2-0. */
const orphaned: Change[] = [
  changeLines((line) =>
    line.nodeId === nodeIdOf(2) ? { ...line, slots: [FIRST, ...line.slots], configEpoch: 50 } : line,
  ),
  changeLines((line) => (line.nodeId === nodeIdOf(1) ? null : line)),
  changeLines((line) => (line.nodeId === nodeIdOf(4) ? { ...line, primaryId: GHOST } : line)),
  ghost(GHOST, {}, ['redis-4-0']),
  podGone('redis-1-0'),
];
const history = (pod: string, replicationId: string, formerReplicationId?: string): Change =>
  changeAnswer(pod, (answer) => ({
    ...answer,
    info: { ...answer.info, replicationId, ...(formerReplicationId === undefined ? {} : { formerReplicationId }) },
  }));
const relabelled = (pod: string, shard: string): Change =>
  changePod(pod, (facts) => ({ ...facts, labels: { ...facts.labels, 'kubectl-redis.io/shard': shard } }));
const over: Change = changeAnswer('redis-1-0', (answer) => ({
  ...answer,
  info: { ...answer.info, usedMemoryBytes: 150_000_000, maxMemoryBytes: 100_000_000, maxMemoryPolicy: 'noeviction' },
}));

export const ONLY_COPY_CASES: readonly FixCase[] = [
  [
    'an orphan with keys, whose slots have owners that are not known to have them, is attached to nobody',
    changed(healthy, ...orphaned, history('redis-4-0', 'h1'), history('redis-2-0', 'h2'), history('redis-3-0', 'h3')),
    leaves(
      'pod-missing (by-hand)',
      'replica-orphaned (by-hand)',
      'ghost-node (after-others)',
      'shape-differs (by-hand)',
    ),
  ],
  [
    'a replica with a wrong label whose primary is away stays: it may have to take over',
    changed(
      healthy,
      replicasLoseLink('redis-1-0', 300),
      heard('redis-1-0', 1_000),
      unreachable('redis-1-0', 'not-running'),
      relabelled('redis-4-0', '2'),
    ),
    leaves('primary-down (needs-consent --accept-data-loss 0-5460)', 'shard-label-stale (after-others)'),
  ],
  [
    'the same of a replica that was put there by hand, and is the only one',
    changed(
      healthy,
      follows('redis-4-0', 'redis-3-0'),
      follows('redis-5-0', 'redis-1-0'),
      unreachable('redis-1-0', 'not-running'),
    ),
    leaves('primary-down (by-itself)', 'shard-label-stale (by-hand)', 'shard-label-stale (after-others)'),
  ],
  [
    'a pod that claims slots of an owner which only we cannot reach is not met',
    changed(
      healthyObservation({ replicas: 2, hosts: 4 }),
      unreachable('redis-1-0', 'tunnel', 'up'),
      alone('redis-9-0'),
      changeLines((line, viewer) => (viewer === 'redis-9-0' ? { ...line, slots: [FIRST], configEpoch: 99 } : line)),
    ),
    {
      repairs: ['primaries-share-host: failover'],
      left: [
        'tunnel-broken (by-hand)',
        'slots-contested (after-others)',
        'node-not-joined (after-others)',
        'replica-missing (by-hand)',
        'replica-missing (by-hand)',
      ],
    },
  ],
  [
    'a policy that evicts is not set on who uses more than its limit',
    changed(
      healthy,
      every((pod) => config(pod, 'maxmemory-policy', 'allkeys-lru')),
      config('redis-1-0', 'maxmemory-policy', 'noeviction'),
      over,
    ),
    leaves('config-differs (by-hand)'),
  ],
];
