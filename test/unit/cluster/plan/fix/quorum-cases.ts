/** No majority: who may take over without a vote, and that every shard of which something would be lost is named. */
import { changed, type Change } from '../../../../support/observation-changes.ts';
import { heard, replicasLoseLink, unreachable } from '../../../../support/observation-faults.ts';
import { healthyObservation } from '../../../../support/observation.ts';
import { leaves, type FixCase } from './fix-words.ts';

const healthy = healthyObservation();
/** It was heard 30 s ago, and its replicas not for so long: nobody elects. */
const behindAndDown = (pod: string, seconds: number): Change[] => [
  replicasLoseLink(pod, seconds),
  heard(pod, 30_000),
  unreachable(pod, 'not-running', 'fail?'),
];

export const ONE_MAY_RUN = changed(
  healthy,
  ...behindAndDown('redis-1-0', 105),
  replicasLoseLink('redis-2-0', 105),
  heard('redis-2-0', 30_000),
  unreachable('redis-2-0', 'timeout', 'fail'),
);

export const QUORUM_CASES: readonly FixCase[] = [
  [
    'K13: a primary that loads is not dead, so nobody takes over without a vote',
    changed(
      healthy,
      ...['redis-1-0', 'redis-2-0'].flatMap((pod) => [
        replicasLoseLink(pod, 30),
        heard(pod, 30_000),
        unreachable(pod, 'loading', 'fail?'),
      ]),
    ),
    leaves('no-quorum (by-hand)', 'primary-down (after-others)', 'primary-down (after-others)'),
    { policy: { takeover: true } },
  ],
  [
    'no majority, and the replica of one is old: its slots need consent besides --takeover',
    changed(healthy, ...behindAndDown('redis-1-0', 105), ...behindAndDown('redis-2-0', 105)),
    leaves(
      'no-quorum (needs-consent --takeover --accept-data-loss 0-5460,5461-10922)',
      'primary-down (after-others)',
      'primary-down (after-others)',
    ),
    { policy: { takeover: true } },
  ],
  [
    'no majority, two old replicas, and nothing agreed to yet: both losses are asked for at once',
    changed(healthy, ...behindAndDown('redis-1-0', 105), ...behindAndDown('redis-2-0', 3600)),
    leaves(
      'no-quorum (needs-consent --takeover --accept-data-loss 0-5460,5461-10922)',
      'primary-down (after-others)',
      'primary-down (after-others)',
    ),
  ],
  [
    'no majority, and consent for one of two shards: with a majority again the servers may elect the other one, too',
    changed(healthy, ...behindAndDown('redis-1-0', 105), ...behindAndDown('redis-2-0', 3600)),
    leaves(
      'no-quorum (needs-consent --takeover --accept-data-loss 0-5460,5461-10922)',
      'primary-down (after-others)',
      'primary-down (after-others)',
    ),
    { policy: { takeover: true, acceptDataLoss: [{ start: 0, end: 5460 }] } },
  ],
  [
    'no majority, and one of the two may run: the servers elect its replica as soon as they can, so its slots are asked for, too',
    ONE_MAY_RUN,
    leaves(
      'no-quorum (needs-consent --takeover --accept-data-loss 0-5460,5461-10922)',
      'primary-down (after-others)',
      'primary-down (after-others)',
    ),
    { policy: { takeover: true, acceptDataLoss: [{ start: 0, end: 5460 }] } },
  ],
  [
    'no majority, one of the two may run, and all is agreed to: the takeover names both losses',
    ONE_MAY_RUN,
    {
      repairs: ['no-quorum: takeover redis-4-0'],
      left: ['primary-down (after-others)', 'primary-down (after-others)'],
    },
    { policy: { takeover: true, acceptDataLoss: [{ start: 0, end: 10922 }] } },
  ],
];
