/** Shards that are led with data of an earlier time, because a person had a node start with that. */
import { changed } from '../../../support/observation-changes.ts';
import { config } from '../../../support/observation-faults.ts';
import { healthyObservation } from '../../../support/observation.ts';
import { says, type CheckCase } from './check-case.ts';

const TITLE = '{title} {listen-addr} {server-mode}';

export const OLDER_DATA_CASES: readonly CheckCase[] = [
  [
    'older-data-loaded: by the primary, as its node tells it',
    changed(
      healthyObservation(),
      config('redis-1-0', 'proc-title-template', `${TITLE} served:-=- loaded:1795860000=1795946400=- data:1795860000`),
    ),
    [
      says(
        'warning older-data-loaded',
        'redis-1-0 was started at 2026-11-29T10:00:00Z with data of 2026-11-28T10:00:00Z, because somebody had it start with that: what was written to slots 0-5460 between the two is not there.',
        'If a backup or a volume that was set aside has more, bring that in. This says that you know it, and is read within seconds: kubectl -n default exec redis-1-0 -- rm /var/lib/redis/.kubectl-redis.loaded.',
        'redis-1-0',
      ),
    ],
  ],
  [
    'older-data-loaded: it led with that, and has handed its role over',
    changed(
      healthyObservation(),
      config('redis-4-0', 'proc-title-template', `${TITLE} loaded:1795860000=1795946400=led`),
    ),
    [
      says(
        'warning older-data-loaded',
        'redis-4-0 was started at 2026-11-29T10:00:00Z with data of 2026-11-28T10:00:00Z, because somebody had it start with that: what was written to its shard, which it led then, between the two is not there.',
        'If a backup or a volume that was set aside has more, bring that in. This says that you know it, and is read within seconds: kubectl -n default exec redis-4-0 -- rm /var/lib/redis/.kubectl-redis.loaded.',
        'redis-4-0',
      ),
    ],
  ],
  [
    'older-data-loaded: not of a replica that copies one that has more',
    changed(
      healthyObservation(),
      config('redis-4-0', 'proc-title-template', `${TITLE} loaded:1795860000=1795946400=-`),
    ),
    [],
  ],
];
