/** A primary whose guard waits because its data is older than what it served (pkg/pod/scripts/guard.sh): it is not what the shard waits for. */
import { expect, test } from '@jest/globals';
import { interpret } from '../../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../../pkg/cluster/model/observation.ts';
import { planFix } from '../../../../../pkg/cluster/plan/fix/fix.ts';
import { NO_POLICY } from '../../../../../pkg/cluster/plan/fix/fix-plan.ts';
import { changeReply, changed } from '../../../../support/observation-changes.ts';
import { heard, replicasLoseLink, unreachable } from '../../../../support/observation-faults.ts';
import { healthyObservation } from '../../../../support/observation.ts';

const START = 'kubectl exec redis-1-0 -n default -- touch /var/lib/redis/.kubectl-redis.start-old';
const waitsWithOldData = changeReply('redis-1-0', () => ({
  kind: 'unreachable',
  why: 'guard-waiting',
  detail: `waiting for a replica to take over: the server that ran last kept no append-only file, so it had more in memory than what is on this volume (0 of 1 replicas answer, 0 can be elected); to start with what is here: ${START}`,
}));

function hintsOf(observation: Observation): string[] {
  const { repairs, left } = planFix(interpret(observation), NO_POLICY, { observation, slotKeys: null });
  expect(repairs).toEqual([]);
  return left.flatMap(({ problem, hint }) => (problem.code === 'primary-down' ? [hint] : []));
}

test('no replica of it answers: one of them is to come back, or a person starts it', () => {
  const observation = changed(
    healthyObservation(),
    unreachable('redis-1-0', 'guard-waiting'),
    waitsWithOldData,
    unreachable('redis-4-0', 'not-running'),
  );
  expect(hintsOf(observation)).toEqual([
    `Bring one of its replicas back: none of them answers, and each may have more than is on its own volume. Without them: ${START}`,
  ]);
});

test('one that answers is behind, and another one is silent: that one first', () => {
  const observation = changed(
    healthyObservation({ replicas: 2 }),
    replicasLoseLink('redis-1-0', 330),
    heard('redis-1-0', 30_000),
    unreachable('redis-1-0', 'guard-waiting'),
    waitsWithOldData,
    unreachable('redis-4-0', 'not-running'),
  );
  const [hint] = hintsOf(observation);
  expect(hint).toMatch(
    /^Bring redis-4-0 back first\. --accept-data-loss 0-5460 lets redis-7-0 lead instead, which would lose /,
  );
});

test('all replicas answer, and the one that had more than its volume is not in step: a person chooses', () => {
  const observation = changed(
    healthyObservation(),
    replicasLoseLink('redis-1-0', 330),
    heard('redis-1-0', 30_000),
    unreachable('redis-1-0', 'guard-waiting'),
    changeReply('redis-1-0', () => ({
      kind: 'unreachable',
      why: 'guard-waiting',
      detail: `waiting for a replica to take over: the one at 10.0.1.4 had more of what this node served than is noted on this volume, which was put back to an older state, or its readiness probe did not run for minutes (1 of 1 replicas answer, 1 can be elected); none of them is known to have all: kubectl redis fix redis says what each would lose; to start with what is here: ${START}`,
    })),
  );
  const [hint] = hintsOf(observation);
  expect(hint).toMatch(
    new RegExp(
      `^redis-1-0 waits, because the data on its volume may be older than what it served. To go on with that: ${START}. --accept-data-loss 0-5460 lets redis-4-0 lead instead, which would lose `,
    ),
  );
});

test('keys and no nodes.conf: how it starts with them, with and without a replica', () => {
  const withKeys = 'kubectl exec redis-1-0 -n default -- touch /var/lib/redis/.kubectl-redis.be-that-node';
  const waits = changeReply('redis-1-0', () => ({
    kind: 'unreachable',
    why: 'guard-waiting',
    detail: `waiting for the cluster to let go of node X at 10.0.1.1: this volume has no usable nodes.conf, and other nodes still show it as owner of slots; to start with its keys as that node: ${withKeys}`,
  }));
  const says = `The volume of redis-1-0 has keys and no nodes.conf. If they are the keys of this node, it starts with them after: ${withKeys}`;
  const alone = changed(healthyObservation({ replicas: 0 }), unreachable('redis-1-0', 'guard-waiting'), waits);
  expect(hintsOf(alone)).toEqual([expect.stringContaining(`${says}: no other node has its keys.`)]);
  const behind = changed(
    healthyObservation(),
    replicasLoseLink('redis-1-0', 330),
    heard('redis-1-0', 30_000),
    unreachable('redis-1-0', 'guard-waiting'),
    waits,
  );
  const [hint] = hintsOf(behind);
  expect(hint).toContain(`${says}. --accept-data-loss 0-5460 lets redis-4-0 lead instead, which would lose `);
});
