/** All volumes are lost, or so it seems: what fix plans, with consent and without. */
import { changeAnswer, changeKube, changeLines, changed } from '../../../../support/observation-changes.ts';
import { every, unreachable } from '../../../../support/observation-faults.ts';
import { healthyObservation } from '../../../../support/observation.ts';
import { leaves, type FixCase } from './fix-words.ts';

const healthy = healthyObservation();

/** Four guards wait; two replicas run, without a key. */
const LET_IN_EMPTY = changed(
  healthy,
  ...['redis-1-0', 'redis-2-0', 'redis-3-0', 'redis-6-0'].map((pod) => unreachable(pod, 'guard-waiting')),
  ...['redis-4-0', 'redis-5-0'].map((pod) =>
    changeAnswer(pod, (answer) => ({ ...answer, info: { ...answer.info, keys: 0 } })),
  ),
);

const STILL_DOWN = ['primary-down (after-others)', 'primary-down (after-others)', 'primary-down (by-hand)'];

export const START_EMPTY_CASES: readonly FixCase[] = [
  [
    'no volume at all',
    changed(
      healthy,
      every((pod) => unreachable(pod, 'guard-waiting')),
    ),
    leaves('cluster-down (needs-consent --start-empty)'),
  ],
  // Those who came back while others still ran, without data.
  [
    'no volume at all, and two who were let in before the last one was lost',
    LET_IN_EMPTY,
    leaves('guard-waiting (by-itself)', 'no-quorum (needs-consent --start-empty)', ...STILL_DOWN),
  ],
  [
    'the same, with consent',
    LET_IN_EMPTY,
    {
      repairs: [
        'no-quorum: clear-formed',
        'no-quorum: reset-node, reset-node',
        'no-quorum: replace-pod, replace-pod, replace-pod, replace-pod',
        'no-quorum: wait-pods',
      ],
      left: ['guard-waiting (by-itself)', ...STILL_DOWN],
    },
    { policy: { startEmpty: true } },
  ],
  [
    'no volume at all, and two who were let in and know of no owner',
    changed(
      LET_IN_EMPTY,
      changeLines((line) => ({ ...line, slots: [], role: 'primary', primaryId: null })),
    ),
    leaves(
      ...Array<string>(4).fill('guard-waiting (by-itself)'),
      'slots-uncovered (needs-consent --start-empty)',
      'empty-primary (after-others)',
      'empty-primary (after-others)',
    ),
  ],
  [
    'the same, where one of the two has a key',
    changed(
      LET_IN_EMPTY,
      changeAnswer('redis-4-0', (answer) => ({ ...answer, info: { ...answer.info, keys: 1 } })),
    ),
    leaves(
      'guard-waiting (by-itself)',
      'no-quorum (needs-consent --takeover)',
      'primary-down (after-others)',
      'primary-down (after-others)',
      'primary-down (by-hand)',
    ),
    { policy: { startEmpty: true } },
  ],
  // Pods of another workload took the numbers of those whose workload sleeps, with its volumes.
  [
    'the same, with consent, while a workload of the cluster sleeps',
    changed(
      LET_IN_EMPTY,
      changeKube((kube) => ({
        ...kube,
        statefulSets: [
          ...kube.statefulSets,
          ...kube.statefulSets.slice(0, 1).map((set) => ({ ...set, name: 'blue', replicas: 0 })),
        ],
      })),
    ),
    leaves('guard-waiting (by-itself)', 'no-quorum (needs-consent --takeover)', ...STILL_DOWN),
    { policy: { startEmpty: true } },
  ],
];
