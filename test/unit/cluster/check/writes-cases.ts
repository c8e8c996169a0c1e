/** Primaries that refuse writes, volumes that take none, memory limits without a maxmemory below (K20, quotas). */
import { healthyObservation } from '../../../support/observation.ts';
import { writes } from '../../../support/observation-writes.ts';
import { changeAnswer, changeKube, changePod, changed, type Change } from '../../../support/observation-changes.ts';
import { config, every } from '../../../support/observation-faults.ts';
import { says } from './check-case.ts';
import type { CheckCase } from './check-case.ts';

const MIB = 2 ** 20;

const claimsOf = (size: string, storageClass: string): Change =>
  changeKube((kube) => ({ ...kube, claims: kube.claims.map((claim) => ({ ...claim, size, storageClass })) }));
const classIs = (name: string, expands: boolean): Change =>
  changeKube((kube) => ({ ...kube, storageClasses: [{ name, expands }] }));
const told = (pod: string, sentence: string): Change =>
  changeKube((kube) => ({ ...kube, troubles: [{ pod, code: 'starting', sentence, evidence: [] }] }));
const refuses = (sentence: string, repair: string): ReturnType<typeof says> =>
  says(
    'critical writes-refused',
    `redis-2-0, a primary, refuses writes (${sentence}): slots 5461-10922 can be read, not written.`,
    repair,
    'redis-2-0',
    '5461-10922',
  );
const PATCH = `kubectl -n default patch pvc data-redis-2-0 --type merge -p '{"spec":{"resources":{"requests":{"storage":"SIZE"}}}}'`;
const SPREAD =
  'Spread the keys over more primaries (kubectl redis scale redis --masters N), delete some, or raise maxmemory, with the memory limit of the pods above it.';
const FULL = { maxMemoryBytes: 64 * MIB, usedMemoryBytes: 65 * MIB };

export const WRITES_CASES: readonly CheckCase[] = [
  [
    'writes-refused: a full volume whose claim may grow; that its pod is not ready needs no words (K20)',
    changed(
      healthyObservation(),
      writes('redis-2-0', { aofWriteOk: false }),
      changePod('redis-2-0', (pod) => ({ ...pod, ready: false })),
      told(
        'redis-2-0',
        'runs but is not ready: Readiness probe failed: MISCONF Errors writing to the AOF file: No space left on device',
      ),
      claimsOf('64Mi', 'standard'),
      classIs('standard', true),
    ),
    [
      refuses(
        'MISCONF: it can not write its append-only file: no space left on device',
        `Grow its claim: ${PATCH}, with a SIZE above 64Mi; StorageClass standard allows it. The node goes on by itself when there is room.`,
      ),
    ],
  ],
  [
    'writes-refused: a full volume whose claim may not grow (K20)',
    changed(
      healthyObservation(),
      writes('redis-2-0', { aofWriteOk: false }),
      claimsOf('64Mi', 'local'),
      classIs('local', false),
    ),
    [
      refuses(
        'MISCONF: it can not write its append-only file',
        'StorageClass local does not let claim data-redis-2-0 grow. Free what else is on the volume, or give the node a larger claim: where a replica in step has room, hand the role to it first (kubectl redis failover).',
      ),
    ],
  ],
  [
    'writes-refused: a full volume of whose class nothing is known (K20)',
    changed(healthyObservation(), writes('redis-2-0', { aofWriteOk: false })),
    [
      refuses(
        'MISCONF: it can not write its append-only file',
        `Grow its claim: ${PATCH}, with a SIZE. Its StorageClass must allow it (allowVolumeExpansion). The node goes on by itself when there is room.`,
      ),
    ],
  ],
  [
    'writes-refused: a snapshot that failed, where the server is told to stop then (K20)',
    changed(
      healthyObservation(),
      every((pod) => config(pod, 'stop-writes-on-bgsave-error', 'yes')),
      every((pod) => config(pod, 'save', '3600 1')),
      writes('redis-2-0', { snapshotOk: false }),
      changePod('redis-2-0', (pod) => ({ ...pod, claims: [] })),
    ),
    [
      refuses(
        'MISCONF: its last snapshot failed, and stop-writes-on-bgsave-error is set',
        'Give its volume room; kubectl -n default describe pod redis-2-0 names it.',
      ),
    ],
  ],
  [
    'disk-write-fails: a snapshot that failed where none is to be made, and a log that can not be rewritten (K20)',
    changed(
      healthyObservation(),
      every((pod) => config(pod, 'stop-writes-on-bgsave-error', 'yes')),
      every((pod) => config(pod, 'save', '')),
      writes('redis-2-0', { snapshotOk: false }),
      writes('redis-3-0', { aofRewriteOk: false }),
      claimsOf('64Mi', 'standard'),
      classIs('standard', true),
    ),
    [
      ['redis-2-0', 'write its last snapshot'],
      ['redis-3-0', 'rewrite its append-only file, which grows on'],
    ].map(([pod = '', what]) =>
      says(
        'warning disk-write-fails',
        `${pod}, a primary, could not ${what}.`,
        `Grow its claim: ${PATCH.replace('redis-2', pod.slice(0, -2))}, with a SIZE above 64Mi; StorageClass standard allows it. The node goes on by itself when there is room.`,
        pod,
      ),
    ),
  ],
  [
    'disk-write-fails: a replica serves no writes to refuse (K20)',
    changed(
      healthyObservation(),
      writes('redis-5-0', { aofWriteOk: false }),
      changePod('redis-5-0', (pod) => ({ ...pod, claims: ['data-redis-5-0', 'modules'] })),
      changeKube((kube) => ({
        ...kube,
        claims: [...kube.claims, { name: 'modules', phase: 'Bound', storageClass: null }],
      })),
    ),
    [
      says(
        'warning disk-write-fails',
        'redis-5-0, a replica, could not write its append-only file.',
        'Give the volume of its data room: one of the claims data-redis-5-0, modules.',
        'redis-5-0',
      ),
    ],
  ],
  [
    'writes-refused: a full memory that evicts nothing (K20)',
    changed(healthyObservation(), writes('redis-2-0', {}, FULL)),
    [refuses('OOM: it uses 65.0 MiB of a maxmemory of 64.0 MiB, and noeviction drops no key', SPREAD)],
  ],
  [
    'writes-refused: a full memory that could evict only keys with an expiry, and has none (K20)',
    changed(healthyObservation(), writes('redis-2-0', {}, { ...FULL, maxMemoryPolicy: 'volatile-lru' })),
    [refuses('OOM: it uses 65.0 MiB of a maxmemory of 64.0 MiB, and volatile-lru finds no key with an expiry', SPREAD)],
  ],
  [
    'no problem: a full memory that evicts, one whose buffers do not count, and one that is just full (K20)',
    changed(
      healthyObservation(),
      writes('redis-1-0', {}, { ...FULL, maxMemoryPolicy: 'allkeys-lru' }),
      writes('redis-2-0', { uncountedMemoryBytes: MIB }, FULL),
      writes('redis-3-0', { expiringKeys: 1 }, { ...FULL, maxMemoryPolicy: 'volatile-ttl' }),
    ),
    [],
  ],
  [
    'writes-refused: too few replicas in step (K20)',
    changed(
      healthyObservation(),
      every((pod) => config(pod, 'min-replicas-to-write', '1')),
      writes('redis-1-0', { goodReplicas: 1 }),
      writes('redis-2-0', { goodReplicas: 0 }),
    ),
    [
      refuses(
        'NOREPLICAS: 0 of the 1 replicas that min-replicas-to-write asks for are in step',
        'Bring its replicas back (kubectl redis nodes redis shows their links). To take writes without them: kubectl -n default exec redis-2-0 -- redis-cli CONFIG SET min-replicas-to-write 0',
      ),
    ],
  ],
  [
    'maxmemory-missing: a limit that a LimitRange gave (quotas)',
    changed(
      healthyObservation(),
      every((pod) =>
        changePod(pod, (facts) => ({ ...facts, container: { ...facts.container, memoryLimitBytes: 96 * MIB } })),
      ),
      every((pod) => writes(pod, {}, { maxMemoryBytes: 0 })),
    ),
    [
      says(
        'warning maxmemory-missing',
        'redis-1-0, redis-2-0, redis-3-0, redis-4-0 and 2 more may use 96 MiB of memory each and have no maxmemory: the kernel kills a server that gets there.',
        'kubectl redis restart redis --config maxmemory=70464307 sets it on all nodes, without a restart.',
        'redis-1-0 redis-2-0 redis-3-0 redis-4-0 redis-5-0 redis-6-0',
      ),
    ],
  ],
  [
    'maxmemory-missing: one of a pod that is not below its limit; below it is fine (quotas)',
    changed(
      healthyObservation({ kind: 'foreign' }),
      ...(['redis-0', 'redis-1'] as const).map((pod) =>
        changePod(pod, (facts) => ({ ...facts, container: { ...facts.container, memoryLimitBytes: 96 * MIB } })),
      ),
      writes('redis-0', {}, { maxMemoryBytes: 96 * MIB }),
      writes('redis-1', {}, { maxMemoryBytes: 95 * MIB }),
    ),
    [
      says(
        'warning maxmemory-missing',
        'redis-0 may use 96 MiB of memory and has a maxmemory of 96 MiB, which is not below it: the kernel kills a server that gets there.',
        'CONFIG SET maxmemory 70464307 on each of them, also in their configuration; or give the pods a higher limit.',
        'redis-0',
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
    'keys-not-counted: a busy node (C6)',
    changed(
      healthyObservation(),
      changeAnswer('redis-1-0', (answer) => ({ ...answer, keysInOwnSlots: null, notCounted: 'no answer in 2 s' })),
    ),
    [
      says(
        'info keys-not-counted',
        'redis-1-0 did not count the keys of its slots (no answer in 2 s): whether it holds keys of slots that it does not own is not known.',
        'Look again when it is less busy, or with a longer --request-timeout.',
        'redis-1-0',
      ),
    ],
  ],
];
