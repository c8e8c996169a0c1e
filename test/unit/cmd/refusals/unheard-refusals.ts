/** Nobody can be asked: no verb says that nodes were never joined, that slots have no owner, or that something is not there. */
import { lacksKeys } from '../../../support/observation-faults.ts';
import { healthyObservation } from '../../../support/observation.ts';
import { changed } from '../../../support/observation-changes.ts';

import { of, unheard, type RefusalCase } from './refusal-worlds.ts';

const SECRET = '--password-file FILE, or key password of Secret redis-auth; then run the same command again';

const scale = of('scale', 'redis', '--masters', '4', '--yes');

/** Whatever asks nodes of a cluster of others. */
const ASKING = [
  of('rebalance', 'redis', '--yes'),
  of('rebalance', 'redis', '--weight', 'redis-0=2', '--yes'),
  of('rebalance', 'redis', '--weight', '3=2', '--yes'),
  of('restart', 'redis', '--yes'),
  of('restart', 'redis', '--pod', 'redis-0', '--yes'),
  of('failover', 'redis-4', '--cluster', 'redis', '--yes'),
  of('failover', 'abcdef01', '--cluster', 'redis', '--yes'),
  of('failover', 'redis-0', '--to', 'redis-4', '--cluster', 'redis', '--yes'),
];

/** `redis-0` of a cluster of others was emptied and leads. */
const emptied = {
  observation: changed(healthyObservation({ kind: 'foreign', replicas: 2 }), lacksKeys('redis-6', 'redis-0', -900)),
};

export const UNHEARD_REFUSALS: readonly RefusalCase[] = [
  ...ASKING.flatMap((verb) => [
    verb(
      'auth',
      'no password was given',
      unheard('foreign'),
      'None of the 6 pods of redis can be asked (redis-0: auth: ',
    ),
    verb('auth', 'no password was given, and it says which', unheard('foreign'), SECRET),
    verb('nodes-silent', 'nobody answers', unheard('foreign', 'timeout'), 'None of the 6 pods of redis can be asked'),
  ]),
  scale(
    'auth',
    'no password was given',
    unheard('ours'),
    'None of the 6 pods of redis can be asked (redis-1-0: auth: ',
  ),
  scale('nodes-silent', 'nobody answers', unheard('ours', 'timeout'), 'None of the 6 pods of redis can be asked'),
  // A command that is named finds the cluster, whose pods no label ties to it.
  ...[of('rebalance', 'redis', '--yes'), of('restart', 'redis', '--yes')].map((verb) =>
    verb(
      'primary-incomplete',
      'it was emptied, and others made it',
      emptied,
      'kubectl redis failover redis-6 --cluster redis lets it lead',
    ),
  ),
];
