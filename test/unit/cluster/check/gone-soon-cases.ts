/** Claims and templates that somebody deleted or changed under pods, and claims without a pod: what goes with the next stop, what never comes. */
import { REVISION_LABEL } from '../../../../pkg/cluster/model/labels.ts';
import { asMade } from '../../../support/as-made.ts';
import { changeKube, changePod, changeReply, changed, type Change } from '../../../support/observation-changes.ts';
import { crashing, unreachable } from '../../../support/observation-faults.ts';
import { healthyObservation } from '../../../support/observation.ts';
import { specOf } from '../../../support/spec.ts';
import { says } from './check-case.ts';
import type { CheckCase } from './check-case.ts';

const healthy = asMade(healthyObservation(), specOf());
const going = (...pods: readonly string[]): readonly Change[] =>
  pods.map((name) => changePod(name, (pod) => ({ ...pod, goingClaim: `data-${name}` })));
const deleted = (pod: string, repair: string): ReturnType<typeof says> =>
  says(
    'critical claim-terminating',
    `Claim data-${pod} of ${pod} is being deleted: when the pod stops, for whatever reason, its data is gone.`,
    repair,
    pod,
    '',
    `PersistentVolumeClaim/data-${pod}`,
  );
const MORE = 'First a copy that stays: kubectl redis scale redis --replicas 2; no pod of its shard may stop before.';

/** Its StatefulSet was given another template after the pod was made. */
const ofOldTemplate = (pod: string, image: string): readonly Change[] => [
  changePod(pod, (facts) => ({
    ...facts,
    labels: { ...facts.labels, [REVISION_LABEL]: 'old' },
    container: { ...facts.container, image },
  })),
  changeKube((kube) => ({
    ...kube,
    statefulSets: kube.statefulSets.map((set) => (pod === `${set.name}-0` ? { ...set, revision: 'new' } : set)),
  })),
];

const CRASHES: readonly Change[] = [
  ...ofOldTemplate('redis-4-0', 'redis:7'),
  unreachable('redis-4-0', 'not-running'),
  crashing('redis-4-0'),
];
const outdated = (repair: string): ReturnType<typeof says>[] => [
  says(
    'warning pod-not-running',
    'redis-4-0, a replica, does not run (CrashLoopBackOff).',
    'kubectl -n default describe pod redis-4-0 says why.',
    'redis-4-0',
  ),
  says(
    'warning pod-outdated',
    'redis-4-0 does not run (CrashLoopBackOff) and was made from the image redis:7, while its template names redis:8 by now.',
    repair,
    'redis-4-0',
  ),
];

export const GONE_SOON_CASES: readonly CheckCase[] = [
  [
    'volume-unused: of a node that the record does not name',
    changed(
      healthy,
      changeKube((kube) => ({
        ...kube,
        claims: [...kube.claims, { name: 'data-redis-7-0', phase: 'Bound', storageClass: null }],
      })),
    ),
    [
      says(
        'info volume-unused',
        'Claim data-redis-7-0 of redis is there, no pod uses it, and no node that is recorded would.',
        'Put back the record that names its node, and kubectl redis create redis. If nobody wants what is there: kubectl -n default annotate persistentvolumeclaim data-redis-7-0 kubectl-redis.io/set-aside=true, and it is not named any more.',
        '',
        '',
        'PersistentVolumeClaim/data-redis-7-0',
      ),
    ],
  ],
  [
    'claim-terminating: of a replica',
    changed(healthy, ...going('redis-4-0')),
    [
      deleted(
        'redis-4-0',
        'Nothing is lost by it: kubectl -n default delete pod redis-4-0 then gives it a new volume, and it copies its primary.',
      ),
    ],
  ],
  [
    'claim-terminating: of a primary',
    changed(healthy, ...going('redis-1-0')),
    [
      deleted(
        'redis-1-0',
        'kubectl redis failover redis-4-0 hands its role over; kubectl -n default delete pod redis-1-0 then gives it a new volume, and it copies its primary.',
      ),
    ],
  ],
  [
    'claim-terminating: of all nodes of a shard',
    changed(healthy, ...going('redis-1-0', 'redis-4-0')),
    [deleted('redis-1-0', MORE), deleted('redis-4-0', MORE)],
  ],
  [
    'objects-unsafe: a StatefulSet that was told to delete claims',
    changed(
      healthy,
      changeKube((kube) => ({
        ...kube,
        statefulSets: kube.statefulSets.map((set) => (set.name === 'redis-4' ? { ...set, deletesClaims: true } : set)),
      })),
    ),
    [
      says(
        'critical objects-unsafe',
        'StatefulSet redis-4 deletes the claim of its pod, and with it all data, when it is deleted or scaled to 0.',
        'Change it where it comes from, as kubectl redis create redis --dry-run prints it; then kubectl -n default get statefulset redis-4 -o yaml shows what is there.',
        'redis-4-0',
        '',
        'StatefulSet/redis-4',
      ),
    ],
  ],
  [
    'objects-differ: a StatefulSet that was deleted without its pod',
    changed(
      healthy,
      changeKube((kube) => ({ ...kube, statefulSets: kube.statefulSets.filter(({ name }) => name !== 'redis-4') })),
    ),
    [
      says(
        'warning objects-differ',
        'StatefulSet redis-4 is missing: nobody makes redis-4-0 again when it goes.',
        'kubectl redis create redis makes it again, and it takes the pod over as it is.',
        'redis-4-0',
        '',
        'StatefulSet/redis-4',
      ),
    ],
  ],
  [
    'pod-outdated: a pod that can not start, of a template that was put right since',
    changed(healthy, ...CRASHES),
    [...outdated('kubectl -n default delete pod redis-4-0 has it made anew, with its volume.')],
  ],
  [
    'start-refused and pod-outdated: a guard that waits for what its template says by now',
    changed(healthy, ...ofOldTemplate('redis-4-0', 'redis:7'), (seen) =>
      changed(
        seen,
        unreachable('redis-4-0', 'guard-waiting'),
        changeReply('redis-4-0', () => ({
          kind: 'unreachable',
          why: 'guard-waiting',
          detail: "waiting because the server that ran on this volume was valkey, whose data this redis can't read",
        })),
      ),
    ),
    [
      says(
        'warning start-refused',
        "redis-4-0, a replica, must not start as it is (waiting because the server that ran on this volume was valkey, whose data this redis can't read).",
        'Give redis-4-0 the image back that it ran before, in its template. Keep its volume: its data is on it. Or: redis-1-0 leads its shard (100 keys), and redis-4-0 copies that into an empty volume. Keep the one that it has now, which may be the only copy of what is on it: first kubectl patch pv $(kubectl -n default get pvc data-redis-4-0 -o jsonpath={.spec.volumeName}) -p \'{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}\'; then kubectl -n default delete pvc data-redis-4-0 --wait=false, then kubectl -n default delete pod redis-4-0',
        'redis-4-0',
      ),
      says(
        'warning pod-outdated',
        'redis-4-0 does not run (its guard waits) and was made from the image redis:7, while its template names redis:8 by now.',
        'kubectl -n default delete pod redis-4-0 has it made anew, with its volume.',
        'redis-4-0',
      ),
    ],
  ],
  [
    'pod-outdated: its data goes with it',
    changed(healthy, ...CRASHES, ...going('redis-4-0')),
    [
      deleted(
        'redis-4-0',
        'Nothing is lost by it: kubectl -n default delete pod redis-4-0 then gives it a new volume, and it copies its primary.',
      ),
      ...outdated('Its data goes with the pod: copy that first. A pod that is made anew comes with an empty volume.'),
    ],
  ],
  ['none of a pod that runs', changed(healthy, ...ofOldTemplate('redis-4-0', 'redis:8')), []],
];
