/** A replica by the record that owns slots itself: what check says, what fix and create leave, and what heals it. */
import { describe, expect, test } from '@jest/globals';
import { check } from '../../../../pkg/cluster/check/check.ts';
import { secondOwners } from '../../../../pkg/cluster/evidence/second-owners.ts';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Plan, Step } from '../../../../pkg/cluster/model/plan.ts';
import { planCreate } from '../../../../pkg/cluster/plan/create.ts';
import { planFix } from '../../../../pkg/cluster/plan/fix/fix.ts';
import { NO_POLICY } from '../../../../pkg/cluster/plan/fix/fix-plan.ts';
import { planScale } from '../../../../pkg/cluster/plan/scale.ts';
import { changed, changePod, idOf } from '../../../support/observation-changes.ts';
import { failedOver, ownsBesides } from '../../../support/observation-failover.ts';
import { ownedOf, recordedOf, runBatch, worldOf, type World } from '../../../support/scale-world.ts';

const HEALS = 'kubectl redis scale redis --masters 3 takes its slots away and makes it a replica again';
const OWNS = `redis-6-0 owns slots of its own: ${HEALS}`;

function crooked(): World {
  const world = worldOf({ hosts: 6 });
  const besides = ownsBesides('redis-6-0', 'redis-3-0', [{ start: 15392, end: 16383 }]);
  return { ...world, observation: changed(world.observation, besides) };
}

function missing({ observation }: World): string[] {
  return check(interpret(observation), observation).flatMap(({ code, repair }) =>
    code === 'replica-missing' ? [repair] : [],
  );
}

test('check and fix name what heals it', () => {
  const world = crooked();
  const { observation } = world;
  expect(missing(world)).toEqual([`${OWNS}.`, `${OWNS}.`]);
  const plan = planFix(interpret(observation), NO_POLICY, { observation, slotKeys: null });
  expect(plan.repairs.map(({ code }) => code)).not.toContain('replica-missing');
  expect(plan.left.map(({ problem, why, hint }) => [problem.code, why, hint])).toEqual([
    ['replica-missing', 'by-hand', OWNS],
    ['replica-missing', 'by-hand', OWNS],
  ]);
});

test('create does not tell it to follow anybody', () => {
  const world = crooked();
  const { kube } = world.observation;
  const input = { state: interpret(world.observation), kube, spec: recordedOf(world), policy: { fastForming: true } };
  expect(planCreate(input)).toEqual({
    kind: 'refused',
    code: 'second-owner',
    sentence: 'redis-6-0 is to follow redis-3-0, and owns slots 15392-16383 itself',
    hint: `${HEALS}; then run the same command again`,
  });
});

test('scale does what they say', () => {
  let world = crooked();
  for (let batch = 0; ; batch++) {
    const { kube } = world.observation;
    const seen = { state: interpret(world.observation), kube, owned: ownedOf(world) };
    const wanted = { masters: 3, replicas: 1 };
    const plan = planScale({ ...seen, recorded: recordedOf(world), wanted, agreedToGo: null });
    if (plan.kind === 'nothing') break;
    if (plan.kind === 'refused' || batch > 9) throw new Error(JSON.stringify(plan));
    const [first] = plan.batches;
    if (first !== undefined) world = runBatch(world, first);
  }
  const { nodes } = interpret(world.observation);
  const [third, sixth] = ['redis-3-0', 'redis-6-0'].map((name) => nodes.find(({ pod }) => pod?.name === name));
  expect([sixth?.role, sixth?.slots, sixth?.primaryId]).toEqual(['replica', [], third?.nodeId]);
  expect(check(interpret(world.observation), world.observation)).toEqual([]);
});

test('as many owners as were asked for: each leads a shard, whatever the labels say', () => {
  const relabelled = changePod('redis-2-0', (pod) => ({
    ...pod,
    labels: { ...pod.labels, 'kubectl-redis.io/shard': '1' },
  }));
  const state = interpret(changed(worldOf({}).observation, relabelled));
  expect(secondOwners(state)).toEqual([]);
  const fewer = state.desired === null ? null : { ...state.desired, masters: 2 };
  // Of the two it has fewer slots.
  expect(secondOwners({ ...state, desired: fewer }).map(({ pod }) => pod?.name)).toEqual(['redis-1-0']);
});

/** The record, and the labels of pods. */
function labelled(world: World, shards: Readonly<Record<string, string>>, recorded = shards): World {
  const labels = Object.entries(shards).map(([ordinal, shard]) =>
    changePod(`redis-${ordinal}-0`, (pod) => ({ ...pod, labels: { ...pod.labels, 'kubectl-redis.io/shard': shard } })),
  );
  const nodes = { '1': '1', '2': '2', '3': '3', '4': '1', '5': '2', '6': '3', ...recorded };
  const spec = { ...recordedOf(world), nodes };
  const next = runBatch(world, { title: '', steps: [{ kind: 'record-spec', spec, reason: 'test' }] });
  return { ...next, observation: changed(next.observation, ...labels) };
}

function created(world: World): Plan {
  const { observation } = world;
  const { kube } = observation;
  const input = { state: interpret(observation), kube, spec: recordedOf(world), policy: { fastForming: true } };
  return planCreate(input);
}

function does(world: World, ...steps: readonly Step[]): World {
  return runBatch(world, { title: '', steps });
}

function stepNodeOf({ observation }: World, pod: string): { pod: string; nodeId: string } {
  return { pod, nodeId: idOf(observation, pod) };
}

describe('as many owners as were asked for, and create takes one for a replica', () => {
  // redis-5-0 of shard 3 has followed redis-2-0 of shard 2, and leads in its place.
  const replaced = (): World => {
    const world = worldOf({ hosts: 6 });
    const taken = { ...world, observation: changed(world.observation, failedOver('redis-5-0')) };
    return labelled(taken, { '5': '3', '6': '2' });
  };

  test('it took over from a node of another shard: a node whose shard nobody leads is to lead, and then create goes on', () => {
    const world = replaced();
    expect(created(world)).toMatchObject({
      code: 'second-owner',
      hint: 'It leads a shard of its own by now, and nothing of it has to move. kubectl redis failover redis-2-0 lets redis-2-0 lead, whose shard 2 has no other primary; then run the same command again',
    });
    const [node, primary] = [stepNodeOf(world, 'redis-2-0'), stepNodeOf(world, 'redis-5-0')];
    expect(created(does(world, { kind: 'failover', node, primary, reason: 'as it was told' })).kind).not.toBe(
      'refused',
    );
  });

  test('only its label is stale: the pod is made anew, and nobody else is to lead', () => {
    const world = labelled(worldOf({ hosts: 6 }), { '2': '1' }, {});
    expect(created(world)).toMatchObject({
      code: 'second-owner',
      hint: 'It leads a shard of its own by now, and nothing of it has to move. The label of redis-2-0 is stale, which says shard 1: kubectl redis restart redis --pod redis-2-0 makes the pod anew, as of shard 2; then run the same command again',
    });
    expect(created(labelled(world, { '2': '2' })).kind).not.toBe('refused');
  });
});
