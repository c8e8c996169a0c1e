/** No server runs: all volumes are lost, or so it seems, or no pod can start. What fix plans, with consent and without. */
import { REVISION_LABEL } from '../../../../../pkg/cluster/model/labels.ts';
import { asMade } from '../../../../support/as-made.ts';
import { changeAnswer, changeKube, changeLines, changePod, changed } from '../../../../support/observation-changes.ts';
import { crashing, every, unreachable } from '../../../../support/observation-faults.ts';
import { healthyObservation } from '../../../../support/observation.ts';
import { specOf } from '../../../../support/spec.ts';
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

/** Every pod crashes with an image that somebody set by hand; the templates have the recorded one by now. */
const OLD_IMAGE = changed(
  asMade(healthy, specOf()),
  every((pod) => unreachable(pod, 'not-running')),
  every(crashing),
  every((pod) =>
    changePod(pod, (facts) => ({ ...facts, container: { ...facts.container, image: 'redis:7', restarts: 3 } })),
  ),
  every((pod) => changePod(pod, (facts) => ({ ...facts, labels: { ...facts.labels, [REVISION_LABEL]: 'old' } }))),
  changeKube((kube) => ({ ...kube, statefulSets: kube.statefulSets.map((set) => ({ ...set, revision: 'new' })) })),
);

export const START_EMPTY_CASES: readonly FixCase[] = [
  [
    'pods that can not start, of templates that were put right since',
    OLD_IMAGE,
    {
      repairs: [`pod-outdated: ${Array<string>(6).fill('replace-pod').join(', ')}`],
      left: ['cluster-down (by-hand)'],
    },
  ],
  [
    'the same, where they may come by themselves: their hosts came back a moment ago',
    changed(
      OLD_IMAGE,
      every((pod) =>
        changePod(pod, (facts) => ({
          ...facts,
          phase: 'Pending',
          container: { ...facts.container, state: 'waiting', reason: 'ContainerCreating' },
        })),
      ),
    ),
    leaves('cluster-down (by-hand)', ...Array<string>(6).fill('pod-outdated (by-hand)')),
  ],
  [
    'the same, where a pod of the present template fails, too',
    changed(
      OLD_IMAGE,
      changePod('redis-4-0', (facts) => ({
        ...facts,
        labels: { ...facts.labels, [REVISION_LABEL]: 'new' },
        container: { ...facts.container, image: 'redis:8', reason: 'ImagePullBackOff' },
      })),
    ),
    leaves('cluster-down (by-hand)', ...Array<string>(5).fill('pod-outdated (by-hand)')),
  ],
  [
    'the same, where the templates have another image than is recorded: they are put right first',
    changed(
      OLD_IMAGE,
      changeKube((kube) => ({ ...kube, state: { ...kube.state, spec: JSON.stringify(specOf({ image: 'redis:9' })) } })),
    ),
    {
      repairs: ['objects-differ: record-spec, apply-workloads'],
      left: ['cluster-down (by-hand)', ...Array<string>(6).fill('pod-outdated (by-hand)')],
    },
  ],
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
