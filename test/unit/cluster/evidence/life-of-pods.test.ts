/** Pods that can't be asked: whether the process of their node is dead for certain. */
import { expect, test } from '@jest/globals';
import { evidenceOf } from '../../../../pkg/cluster/evidence/evidence.ts';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import { changeReply, changed } from '../../../support/observation-changes.ts';
import { unreachable } from '../../../support/observation-faults.ts';
import { healthyObservation } from '../../../support/observation.ts';

// A pod that was deleted by force on a host that is cut off: the one before runs on.
test.each([
  ['waiting for another process that still uses the volume at /var/lib/redis', 'unknown'],
  ['waiting because node f00 runs at 10.0.0.1: other nodes hear it there. This is a copy of its cluster', 'unknown'],
  ['waiting because the node of this volume, f00, runs at 10.0.0.2: this is a copy of its volume', 'dead'],
  ['waiting for a node of the cluster to answer: this volume has no data', 'dead'],
])('a pod whose guard is %s: %s', (detail, kind) => {
  const seen = changed(
    healthyObservation(),
    unreachable('redis-1-0', 'guard-waiting'),
    changeReply('redis-1-0', () => ({ kind: 'unreachable', why: 'guard-waiting', detail })),
  );
  const state = interpret(seen);
  const node = state.nodes.find(({ pod }) => pod?.name === 'redis-1-0');
  expect(node && evidenceOf(state, seen.kube).lifeOf(node).kind).toBe(kind);
});
