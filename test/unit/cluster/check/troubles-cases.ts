/** Why pods do not run or are not ready, how they come back, and who may not ask them (C7, C10, C13). */
import type { LoginFacts } from '../../../../pkg/cluster/model/reasons.ts';
import type { UnreachableReason } from '../../../../pkg/cluster/model/observation.ts';
import { healthyObservation } from '../../../support/observation.ts';
import {
  changeAnswer,
  changeKube,
  changePod,
  changeReply,
  changed,
  type Change,
} from '../../../support/observation-changes.ts';
import {
  config,
  crashing,
  every,
  heard,
  linkDown,
  podGone,
  replicasLoseLink,
  unreachable,
} from '../../../support/observation-faults.ts';
import { failedOver } from '../../../support/observation-failover.ts';
import { says } from './check-case.ts';
import type { CheckCase } from './check-case.ts';

const notReady = (pod: string): Change => changePod(pod, (facts) => ({ ...facts, ready: false }));
const trouble = (pod: string, code: string, sentence: string, ...evidence: string[]): Change =>
  changeKube((kube) => ({ ...kube, troubles: [...(kube.troubles ?? []), { pod, code, sentence, evidence }] }));
const down =
  (pod: string): Change =>
  (observation) =>
    changed(observation, unreachable(pod, 'not-running'), crashing(pod));
const refused = (pod: string, why: UnreachableReason, detail: string, login: LoginFacts): Change =>
  changeReply(pod, () => ({ kind: 'unreachable', why, detail, login }));

const BROKEN_LOG =
  'container redis ends with exit code 1, restarted 7 times: Bad file format reading the append only file appendonly.aof.1.incr.aof: make a backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>';
const UNREADY = 'kubectl -n default describe pod redis-5-0 shows the last message of its readiness probe.';
const doesNotRun = (pod: string, role: string, why: string, repair: string): ReturnType<typeof says> =>
  says('warning pod-not-running', `${pod}, a ${role}, does not run (${why}).`, repair, pod);

export const TROUBLES_CASES: readonly CheckCase[] = [
  [
    'pod-not-ready: beside another problem of the pod, and with what its probe says (C7)',
    changed(
      healthyObservation(),
      notReady('redis-5-0'),
      config('redis-5-0', 'maxmemory-policy', 'allkeys-lru'),
      trouble('redis-5-0', 'starting', 'runs but is not ready: containers with unready status: [exporter]'),
    ),
    [
      says(
        'warning pod-not-ready',
        'redis-5-0 answers but is not ready (it runs but is not ready: containers with unready status: [exporter]): the client Service leaves it out.',
        UNREADY,
        'redis-5-0',
      ),
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
    'pod-not-ready: beside a bus link that is down, which no probe looks at (C7)',
    changed(healthyObservation(), notReady('redis-5-0'), linkDown('redis-5-0', 'redis-1-0')),
    [
      says(
        'warning pod-not-ready',
        'redis-5-0 answers but is not ready: the client Service leaves it out.',
        UNREADY,
        'redis-5-0',
      ),
      says(
        'warning link-down',
        'redis-5-0 has no bus link to redis-1-0, although both sides answer.',
        'See that the Service of the node leads to its pod with both ports, and that no policy stops the bus port.',
        'redis-1-0 redis-5-0',
      ),
    ],
  ],
  [
    'primary-down: its replica is not ready for lack of its link, and nothing else (C7)',
    changed(
      healthyObservation(),
      replicasLoseLink('redis-2-0'),
      heard('redis-2-0', 30_000),
      podGone('redis-2-0'),
      notReady('redis-5-0'),
    ),
    [
      says(
        'critical primary-down',
        'redis-2-0, a primary, is down (its pod is missing): slots 5461-10922 are not served.',
        'redis-5-0 takes over by itself within seconds. If it does not, and redis-2-0 is dead for certain: kubectl -n default exec redis-5-0 -- redis-cli CLUSTER FAILOVER FORCE',
        'redis-2-0',
        '5461-10922',
      ),
    ],
  ],
  [
    'permission-missing: a user without INFO, and all that a view asks (C10)',
    changed(
      healthyObservation(),
      refused('redis-5-0', 'permission', 'user app may not run INFO', { user: 'app', secret: null, denied: ['info'] }),
    ),
    [
      says(
        'warning permission-missing',
        'redis-5-0, a replica, does not let itself be asked (user app may not run INFO).',
        'ACL SETUSER app +info on each node, by a user who may, and also in their configuration. A view asks +info +cluster|myid +cluster|nodes +cluster|info in all.',
        'redis-5-0',
      ),
    ],
  ],
  [
    'permission-missing: on every node (C10)',
    changed(
      healthyObservation(),
      every((pod) =>
        refused(pod, 'permission', 'user app may not run CLUSTER NODES', {
          user: 'app',
          secret: null,
          denied: ['cluster|nodes'],
        }),
      ),
    ),
    [
      says(
        'warning permission-missing',
        'None of the 6 pods of redis may be asked (redis-1-0: user app may not run CLUSTER NODES, redis-2-0: user app may not run CLUSTER NODES and 4 more).',
        'ACL SETUSER app +cluster|nodes on each node, by a user who may, and also in their configuration. A view asks +info +cluster|myid +cluster|nodes +cluster|info in all.',
        'redis-1-0 redis-2-0 redis-3-0 redis-4-0 redis-5-0 redis-6-0',
      ),
    ],
  ],
  [
    'password-refused: the Secret is named where its password was given (C10)',
    changed(
      healthyObservation(),
      refused(
        'redis-5-0',
        'auth',
        'WRONGPASS invalid username-password pair (the password of Secret redis-auth was given)',
        {
          user: 'default',
          secret: 'redis-auth',
          denied: [],
        },
      ),
    ),
    [
      says(
        'warning password-refused',
        'redis-5-0, a replica, refuses the password (WRONGPASS invalid username-password pair (the password of Secret redis-auth was given)).',
        'Compare Secret redis-auth with what the node was started with: kubectl -n default get secret redis-auth',
        'redis-5-0',
      ),
    ],
  ],
  [
    'password-refused: without a Secret, none is named (C10)',
    changed(
      healthyObservation(),
      refused(
        'redis-5-0',
        'auth',
        'NOAUTH Authentication required (no password was given: there is no Secret redis-auth)',
        {
          user: 'default',
          secret: null,
          denied: [],
        },
      ),
    ),
    [
      says(
        'warning password-refused',
        'redis-5-0, a replica, refuses the password (NOAUTH Authentication required (no password was given: there is no Secret redis-auth)).',
        'Give the password that the node was started with: --password-file FILE.',
        'redis-5-0',
      ),
    ],
  ],
  [
    'pod-not-running: a broken log of a replica whose primary has everything: it may start empty (C13)',
    changed(healthyObservation(), down('redis-5-0'), trouble('redis-5-0', 'crash-loop', BROKEN_LOG)),
    [
      doesNotRun(
        'redis-5-0',
        'replica',
        BROKEN_LOG,
        'redis-2-0 leads its shard (100 keys), and a copy of that replaces what redis-5-0 has whenever it comes back: so it can start with an empty volume: kubectl -n default delete pvc data-redis-5-0 --wait=false, then kubectl -n default delete pod redis-5-0',
      ),
    ],
  ],
  [
    'pod-not-running: a broken log of a primary that was replaced: its successor has everything (C13)',
    changed(
      healthyObservation({ hosts: 6 }),
      failedOver('redis-5-0'),
      down('redis-2-0'),
      trouble('redis-2-0', 'crash-loop', BROKEN_LOG),
    ),
    [
      doesNotRun(
        'redis-2-0',
        'replica',
        BROKEN_LOG,
        'redis-5-0 leads its shard (100 keys), and a copy of that replaces what redis-2-0 has whenever it comes back: so it can start with an empty volume: kubectl -n default delete pvc data-redis-2-0 --wait=false, then kubectl -n default delete pod redis-2-0',
      ),
    ],
  ],
  [
    'pod-not-running: a broken log of a replica whose primary has no key: it may be the last copy (C13)',
    changed(
      healthyObservation(),
      down('redis-5-0'),
      trouble('redis-5-0', 'crash-loop', BROKEN_LOG),
      changeAnswer('redis-2-0', (answer) => ({ ...answer, info: { ...answer.info, keys: 0 }, keysInOwnSlots: 0 })),
    ),
    [
      doesNotRun(
        'redis-5-0',
        'replica',
        BROKEN_LOG,
        'Do not delete its claim: redis-5-0 may hold the only copy of its data. Copy the volume first; redis-check-aof --fix or redis-check-rdb on it then brings back what can be read.',
      ),
    ],
  ],
  [
    'primary-down: a broken log of a primary that nobody has replaced: its claim is not touched (C13)',
    changed(
      healthyObservation({ replicas: 0, hosts: 6 }),
      down('redis-2-0'),
      trouble('redis-2-0', 'crash-loop', BROKEN_LOG),
    ),
    [
      says(
        'critical primary-down',
        `redis-2-0, a primary, is down (${BROKEN_LOG}): slots 5461-10922 are not served.`,
        'Bring redis-2-0 back with its volume (kubectl -n default describe pod redis-2-0); no replica of it answers. Never assign its slots to others.',
        'redis-2-0',
        '5461-10922',
      ),
    ],
  ],
  [
    'pod-not-running: its volume is full (C13, K20)',
    changed(
      healthyObservation(),
      down('redis-5-0'),
      trouble(
        'redis-5-0',
        'crash-loop',
        'container redis ends with exit code 1, restarted 7 times: guard: cannot write to the volume at /var/lib/redis as user 999, group 999: it is full, read-only, or its files belong to others',
      ),
      changeKube((kube) => ({ ...kube, storageClasses: [{ name: 'standard', expands: true }] })),
    ),
    [
      doesNotRun(
        'redis-5-0',
        'replica',
        'container redis ends with exit code 1, restarted 7 times: guard: cannot write to the volume at /var/lib/redis as user 999, group 999: it is full, read-only, or its files belong to others',
        `Grow its claim: kubectl -n default patch pvc data-redis-5-0 --type merge -p '{"spec":{"resources":{"requests":{"storage":"SIZE"}}}}', with a SIZE; StorageClass standard allows it. The node goes on by itself when there is room.`,
      ),
    ],
  ],
];
