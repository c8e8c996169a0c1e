/** Faults of configuration, volumes, balance and placement, and exactly what check says of each. */
import { healthyObservation, nodeIdOf } from '../../../support/observation.ts';
import { asMade } from '../../../support/as-made.ts';
import {
  changeAnswer,
  changeKube,
  changeLines,
  changePod,
  changeService,
  changed,
  type Change,
} from '../../../support/observation-changes.ts';
import { config, follows, libraries, onHost, podGone, version } from '../../../support/observation-faults.ts';
import { failedOver } from '../../../support/observation-failover.ts';
import { specOf } from '../../../support/spec.ts';
import { says } from './check-case.ts';
import type { CheckCase } from './check-case.ts';

const withoutSet = (name: string): Change =>
  changeKube((now) => ({ ...now, statefulSets: now.statefulSets.filter((one) => one.name !== name) }));

export const UPKEEP_CASES: readonly CheckCase[] = [
  [
    'config-differs',
    changed(healthyObservation(), config('redis-5-0', 'maxmemory-policy', 'allkeys-lru')),
    [
      says(
        'warning config-differs',
        'maxmemory-policy differs: noeviction on redis-1-0, redis-2-0, redis-3-0, redis-4-0 and redis-6-0, allkeys-lru on redis-5-0.',
        'CONFIG SET maxmemory-policy to one value on all nodes, also in their configuration.',
        'redis-5-0',
        '',
        'maxmemory-policy',
      ),
    ],
  ],
  [
    'functions-differ: one primary lacks a library',
    changed(
      healthyObservation(),
      libraries('redis-1-0', { mylib: 'a' }),
      libraries('redis-2-0', { mylib: 'a' }),
      libraries('redis-3-0', {}),
      // A replica has it from its primary; what it says does not count.
      libraries('redis-4-0', { other: 'b' }),
    ),
    [
      says(
        'warning functions-differ',
        'Function library mylib is missing on redis-3-0; redis-1-0 and redis-2-0 have it.',
        'FUNCTION LOAD the library on each primary; its replicas get it from there.',
        'redis-3-0',
        '',
        'mylib',
      ),
    ],
  ],
  [
    'functions-differ: two versions of one library; who may not list does not count',
    changed(healthyObservation(), libraries('redis-1-0', { mylib: 'a' }), libraries('redis-3-0', { mylib: 'b' })),
    [
      says(
        'warning functions-differ',
        'Function library mylib has different code: one on redis-1-0, another one on redis-3-0.',
        'FUNCTION LOAD the library on each primary; its replicas get it from there.',
        'redis-3-0',
        '',
        'mylib',
      ),
    ],
  ],
  [
    'versions-differ',
    changed(healthyObservation(), version('redis-5-0', 'valkey', '9.1.2')),
    [
      says(
        'warning versions-differ',
        'Versions differ: redis 8.6.3 on redis-1-0, redis-2-0, redis-3-0, redis-4-0 and redis-6-0, valkey 9.1.2 on redis-5-0.',
        'Finish the upgrade: replicas first, then fail over, then the old primaries.',
        'redis-5-0',
      ),
    ],
  ],
  [
    'ephemeral-data',
    changed(
      healthyObservation(),
      changePod('redis-5-0', (pod) => ({ ...pod, ephemeralData: true, claims: [] })),
    ),
    [
      says(
        'warning ephemeral-data',
        '1 pod keeps its data on a volume that vanishes with the pod: redis-5-0.',
        'Give each node a PersistentVolumeClaim.',
        'redis-5-0',
      ),
    ],
  ],
  [
    'persistence-differs: a log is recorded, and off',
    changed(
      asMade(healthyObservation(), specOf({ masters: 3 })),
      changeAnswer('redis-5-0', (answer) => ({ ...answer, info: { ...answer.info, aofEnabled: false } })),
    ),
    [
      says(
        'warning persistence-differs',
        'redis-5-0 runs with appendonly no, and appendonly yes is recorded for the next start.',
        'CONFIG SET appendonly yes on each node; where no is recorded, kubectl redis restart redis --config appendonly=yes then records it.',
        'redis-5-0',
      ),
    ],
  ],
  [
    'persistence-differs: snapshots are recorded, and a log is written',
    changed(asMade(healthyObservation(), specOf({ masters: 3, config: { appendonly: 'no' } }))),
    [
      says(
        'warning persistence-differs',
        'redis-1-0, redis-2-0, redis-3-0, redis-4-0 and 2 more run with appendonly yes, and appendonly no is recorded for the next start.',
        'CONFIG SET appendonly yes on each node; where no is recorded, kubectl redis restart redis --config appendonly=yes then records it.',
        'redis-1-0 redis-2-0 redis-3-0 redis-4-0 redis-5-0 redis-6-0',
      ),
    ],
  ],
  [
    'append-only-off',
    changed(
      healthyObservation(),
      changeAnswer('redis-5-0', (answer) => ({ ...answer, info: { ...answer.info, aofEnabled: false } })),
    ),
    [
      says(
        'warning append-only-off',
        'The append-only file is off on redis-5-0.',
        'CONFIG SET appendonly yes on each node, also in its configuration.',
        'redis-5-0',
      ),
    ],
  ],
  [
    'replica-missing: moved by hand to another shard of a foreign cluster',
    changed(healthyObservation({ kind: 'foreign', hosts: 9, zones: 0, replicas: 2 }), follows('redis-4', 'redis-0')),
    [
      says(
        'warning replica-missing',
        'Shard 2 has 1 replica instead of 2 (primary redis-1).',
        'CLUSTER REPLICATE the primary on a replica of a shard that has more.',
        'redis-1',
        '5461-10922',
      ),
      says(
        'info pod-ip-announced',
        'All 9 nodes announce their pod IPs: a restart of all pods at once would not heal by itself.',
        'Give each node a Service of its own and CONFIG SET cluster-announce-ip to its ClusterIP, also in its configuration file.',
        'redis-0 redis-1 redis-2 redis-3 redis-4 redis-5 redis-6 redis-7 redis-8',
      ),
    ],
  ],
  [
    'empty-primary: it came back and nobody attached it',
    changed(
      healthyObservation(),
      changeLines((line) =>
        line.nodeId === nodeIdOf(5) ? { ...line, role: 'primary', primaryId: null, configEpoch: 0 } : line,
      ),
    ),
    [
      says(
        'warning empty-primary',
        'redis-5-0 is a primary without slots.',
        'kubectl -n default exec redis-5-0 -- redis-cli CLUSTER REPLICATE ID-OF-A-PRIMARY, one that needs a replica.',
        'redis-5-0',
      ),
    ],
  ],
  [
    'shape-differs: more was asked for',
    changed(
      healthyObservation(),
      changeService('redis', (service) => ({
        ...service,
        annotations: { 'kubectl-redis.io/masters': '2', 'kubectl-redis.io/replicas': '1' },
      })),
    ),
    [
      says(
        'warning shape-differs',
        '3 primaries own slots; 2 were asked for.',
        'kubectl redis slots shows who owns what.',
        '',
      ),
    ],
  ],
  [
    'shape-differs: a change to more primaries was begun',
    changed(
      asMade(healthyObservation(), {
        ...specOf({ masters: 4, replicas: 0 }),
        nodes: Object.fromEntries([1, 2, 3, 4, 5, 6].map((n) => [n, String(1 + ((n - 1) % 3))])),
        scaling: { leaving: [], spread: true },
      }),
    ),
    [
      says(
        'warning shape-differs',
        'A change to 4 primaries with 0 replicas each was begun and is not finished: 3 primaries own slots.',
        'kubectl redis scale redis --masters 4 --replicas 0 goes on with it.',
        '',
      ),
    ],
  ],
  [
    'shape-differs: a change of shape was begun, and what it has stopped is not missing',
    changed(
      asMade(healthyObservation({ replicas: 2, hosts: 4 }), {
        ...specOf({ replicas: 1 }),
        nodes: Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => [n, String(1 + ((n - 1) % 3))])),
        scaling: { leaving: [7, 8, 9], spread: false },
      }),
      podGone('redis-9-0'),
      withoutSet('redis-9'),
    ),
    [
      says(
        'warning ghost-node',
        'The cluster knows 1 node that no pod has (gone): 8ff34739 at 10.96.0.19:6379.',
        'Where no pod can come back with that id: CLUSTER FORGET 8ff3473900000000000000000000000000000009 on every node within 60 seconds.',
        '8ff34739',
      ),
      says(
        'warning shape-differs',
        'A change to 3 primaries with 1 replica each was begun and is not finished: redis-7, redis-8 and redis-9 are to go.',
        'kubectl redis scale redis --masters 3 --replicas 1 goes on with it.',
        '',
      ),
    ],
  ],
  [
    'shard-label-stale: a replica was attached elsewhere',
    changed(healthyObservation(), follows('redis-5-0', 'redis-1-0')),
    [
      says(
        'warning shard-label-stale',
        'redis-5-0 is labelled as shard 2, but its primary redis-1-0 is of shard 1.',
        'CLUSTER REPLICATE the primary of its own shard again, or change the label in its StatefulSet and restart the pod.',
        'redis-5-0',
      ),
    ],
  ],
  [
    'same-host: there are hosts enough',
    changed(healthyObservation(), onHost('redis-4-0', 'host-1')),
    [
      says(
        'warning same-host',
        'Shard 1: redis-1-0 and redis-4-0 stand on host-1.',
        'Delete the replica pod while the crowded host is cordoned (kubectl cordon): it starts on another one.',
        'redis-1-0 redis-4-0',
        '0-5460',
      ),
    ],
  ],
  [
    'too-few-hosts',
    healthyObservation({ hosts: 1 }),
    [
      says(
        'info too-few-hosts',
        'There is 1 host for 2 nodes a shard: shards 1, 2 and 3 cannot be spread.',
        'Add a host.',
        'redis-1-0 redis-4-0 redis-2-0 redis-5-0 redis-3-0 redis-6-0',
      ),
    ],
  ],
  [
    'same-zone',
    changed(healthyObservation({ hosts: 4, zones: 2 }), onHost('redis-4-0', 'host-3')),
    [
      says(
        'info same-zone',
        'All nodes of one shard are in one zone: shard 1 in zone-1.',
        'Add hosts in another zone.',
        'redis-1-0 redis-4-0',
      ),
    ],
  ],
  [
    'primaries-share-host: after a failover',
    changed(healthyObservation(), failedOver('redis-5-0')),
    [
      says(
        'info primaries-share-host',
        '2 of 3 primaries (redis-1-0 and redis-5-0) stand on host-1: without it no majority is left.',
        'CLUSTER FAILOVER on a replica that stands elsewhere.',
        'redis-1-0 redis-5-0',
      ),
    ],
  ],
];
