/** Two pods on one volume: exactly what check says of each. */
import type { NodeReply, Observation, PodFacts } from '../../../../pkg/cluster/model/observation.ts';
import { changeReply, changed } from '../../../support/observation-changes.ts';
import { healthyObservation } from '../../../support/observation.ts';
import { says } from './check-case.ts';
import type { CheckCase } from './check-case.ts';

const WAITS: NodeReply = {
  kind: 'unreachable',
  why: 'guard-waiting',
  detail: 'waiting for another process that still uses the volume at /data',
};

/** A pod beside redis-1-0 with its labels and its claim, which has taken the volume: the other one waits for it. */
export function copied(change: Partial<PodFacts> = {}): Observation {
  const healthy = healthyObservation();
  const { kube, replies } = healthy;
  const copies = kube.pods
    .filter(({ name }) => name === 'redis-1-0')
    .map((pod) => ({ ...pod, name: 'redis-1-copy', uid: 'uid-copy', ip: '10.1.2.3', owner: null, ...change }));
  const answers = replies
    .filter(({ pod }) => pod === 'redis-1-0')
    .flatMap(({ reply }) => copies.map(({ name }) => ({ pod: name, reply })));
  const both = { ...healthy, kube: { ...kube, pods: [...kube.pods, ...copies] }, replies: [...replies, ...answers] };
  return changed(
    both,
    changeReply('redis-1-0', () => WAITS),
  );
}

const WAY =
  'kubectl -n default delete pod redis-1-copy takes the copy away; the volume stays with what is on it, and redis-1-0 starts by itself.';

export const SHARED_CLAIM_CASES: readonly CheckCase[] = [
  [
    'claim-shared: a copy by hand has taken the volume',
    copied(),
    [
      says(
        'critical claim-shared',
        'redis-1-0 and redis-1-copy use one claim, data-redis-1-0; redis-1-copy has no controller: only one of them can run.',
        WAY,
        'redis-1-0 redis-1-copy',
        '',
        'PersistentVolumeClaim/data-redis-1-0',
      ),
      says(
        'warning guard-waiting',
        'redis-1-0 waits before it starts (waiting for another process that still uses the volume at /data).',
        WAY,
        'redis-1-0',
      ),
    ],
  ],
];
