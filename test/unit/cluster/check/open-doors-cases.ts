/** Servers that want no password (K21). */
import { asMade } from '../../../support/as-made.ts';
import { changeAnswer, changed, type Change } from '../../../support/observation-changes.ts';
import { every } from '../../../support/observation-faults.ts';
import { healthyObservation } from '../../../support/observation.ts';
import { specOf } from '../../../support/spec.ts';
import { says } from './check-case.ts';
import type { CheckCase } from './check-case.ts';

const open = (pod: string): Change => changeAnswer(pod, (answer) => ({ ...answer, open: true }));
const SAFE = asMade(healthyObservation(), specOf({ masters: 3, replicas: 1, auth: true }));

export const OPEN_DOORS_CASES: readonly CheckCase[] = [
  [
    'password-missing: a cluster with --auth whose servers want none (K21)',
    changed(SAFE, every(open)),
    [
      says(
        'critical password-missing',
        'redis-1-0, redis-2-0, redis-3-0, redis-4-0 and 2 more answer whoever comes, without a password, although redis was made with --auth.',
        'See that Secret redis-auth has a key password (kubectl describe secret redis-auth), then kubectl redis restart redis.',
        'redis-1-0 redis-2-0 redis-3-0 redis-4-0 redis-5-0 redis-6-0',
      ),
    ],
  ],
  [
    'password-missing: one of them wants none',
    changed(healthyObservation(), open('redis-3-0')),
    [
      says(
        'critical password-missing',
        'redis-3-0 answers whoever comes, without a password, and the others want one.',
        'CONFIG SET requirepass and masterauth on them as on the others, also in their configuration.',
        'redis-3-0',
      ),
    ],
  ],
  ['no problem: nobody asked for a password', changed(healthyObservation(), every(open)), []],
  ['no problem: all want one', SAFE, []],
];
