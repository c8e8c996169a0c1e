/**
 * A shard whose keys were given up: its slots went to others, and its nodes with them. What `check` and `fix` then name is what heals it, and
 * after it neither finds anything.
 */
import { describe, expect, test } from '@jest/globals';
import { check } from '../../../../pkg/cluster/check/check.ts';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Plan, StepNode } from '../../../../pkg/cluster/model/plan.ts';
import { planFix } from '../../../../pkg/cluster/plan/fix/fix.ts';
import { NO_POLICY } from '../../../../pkg/cluster/plan/fix/fix-plan.ts';
import { planScale } from '../../../../pkg/cluster/plan/scale.ts';
import { simulate } from '../../../../pkg/cluster/plan/simulate.ts';
import { changed, changeAnswer, changeLines, type Change } from '../../../support/observation-changes.ts';
import { failedOver } from '../../../support/observation-failover.ts';
import { follows } from '../../../support/observation-faults.ts';
import { nodeIdOf } from '../../../support/observation.ts';
import { ownedOf, recordedOf, runBatch, worldOf, type World } from '../../../support/scale-world.ts';

const SHAPE = { masters: 3, replicas: 1 };
const NEW_SHAPE = 'kubectl redis scale redis --masters 3 --replicas 1 gives slots to shard 2 again';

/** redis-1-0 got the slots of redis-2-0, which came back empty. */
const givenUp: Change[] = [
  changeLines((line) => {
    if (line.nodeId === nodeIdOf(2)) return { ...line, slots: [] };
    return line.nodeId === nodeIdOf(1) ? { ...line, slots: [{ start: 0, end: 10922 }], configEpoch: 90 } : line;
  }),
  changeAnswer('redis-2-0', (answer) => ({ ...answer, info: { ...answer.info, keys: 0 } })),
];
const nodeOf = (n: number): StepNode => ({ nodeId: nodeIdOf(n), pod: `redis-${n}-0` });
const attachedToo: Change = (observation) =>
  simulate(observation, {
    title: '',
    steps: [{ kind: 'replicate', node: nodeOf(2), primary: nodeOf(1), reason: '' }],
  });

const worldWith = (...changes: readonly Change[]): World => {
  const world = worldOf(SHAPE);
  return { ...world, observation: changed(world.observation, ...changes) };
};
const HALF = worldWith(...givenUp, follows('redis-5-0', 'redis-3-0'));
const WHOLE = worldWith(...givenUp, attachedToo, follows('redis-5-0', 'redis-3-0'));

function planOf(world: World, wanted: typeof SHAPE): Plan {
  const { observation } = world;
  const seen = { state: interpret(observation), kube: observation.kube, owned: ownedOf(world) };
  return planScale({ ...seen, recorded: recordedOf(world), wanted, agreedToGo: null });
}

function scaled(start: World, wanted: typeof SHAPE): World {
  let world = start;
  for (let batch = 0; batch < 40; batch++) {
    const plan = planOf(world, wanted);
    if (plan.kind === 'nothing') return world;
    if (plan.kind === 'refused') throw new Error(`${plan.code}: ${plan.sentence}`);
    const [first] = plan.batches;
    if (first !== undefined) world = runBatch(world, first);
  }
  throw new Error(`it never ends: ${JSON.stringify(planOf(world, wanted))}`);
}

function found({ observation }: World): string[] {
  return check(interpret(observation), observation).map(({ code }) => code);
}

function fixOf({ observation }: World): ReturnType<typeof planFix> {
  return planFix(interpret(observation), NO_POLICY, { observation, slotKeys: null });
}

function hintsOf(world: World): Record<string, string> {
  return Object.fromEntries(fixOf(world).left.map(({ problem, hint }) => [problem.code, hint]));
}

describe('one of its nodes leads nothing', () => {
  test('fix names the command for all that is left, and repairs nothing that it would have to undo', () => {
    expect(fixOf(HALF).repairs).toEqual([]);
    expect(hintsOf(HALF)).toEqual({
      'shard-label-stale': `No node of shard 2 owns slots, so redis-5-0 has nobody to follow there: ${NEW_SHAPE}`,
      'empty-primary': `2 primaries own slots; 3 were asked for. ${NEW_SHAPE}.`,
      'shape-differs': `${NEW_SHAPE}.`,
    });
  });

  test('and after that command nothing is found', () => {
    const world = scaled(HALF, SHAPE);
    expect(found(world)).toEqual([]);
    const { nodes } = interpret(world.observation);
    expect(nodes.find(({ pod }) => pod?.name === 'redis-5-0')?.primaryId).toBe(nodeIdOf(2));
    expect(recordedOf(world).scaling).toBeNull();
  });

  test('also where it is cut short after each of its batches', () => {
    let world = HALF;
    for (let runs = 0; runs < 40; runs++) {
      const plan = planOf(world, SHAPE);
      if (plan.kind !== 'batches') break;
      const [first] = plan.batches;
      if (first === undefined) break;
      const [step] = first.steps;
      world = runBatch(world, first, (one) => one === step);
    }
    expect(found(world)).toEqual([]);
  });
});

describe('all of its nodes follow primaries of other shards', () => {
  test('nobody in it could take slots: fix and check say what helps', () => {
    expect(hintsOf(WHOLE)).toMatchObject({
      'shape-differs':
        'kubectl redis scale redis --masters 3 --replicas 1 makes nodes that can own slots, in place of redis-2-0, redis-5-0, which follow primaries of other shards.',
    });
  });

  test('after that nothing is found: they have gone, and others are there', () => {
    const world = scaled(WHOLE, SHAPE);
    expect(found(world)).toEqual([]);
    expect(recordedOf(world)).toMatchObject({ masters: 3, replicas: 1, scaling: null });
    expect(new Set(Object.values(recordedOf(world).nodes ?? {}))).toEqual(new Set(['1', '3', '4']));
  });

  test('what goes is what was agreed to', () => {
    const { observation } = WHOLE;
    const seen = { state: interpret(observation), kube: observation.kube, owned: ownedOf(WHOLE) };
    const input = { ...seen, recorded: recordedOf(WHOLE), wanted: SHAPE };
    expect(planScale({ ...input, agreedToGo: [] })).toMatchObject({ kind: 'refused', code: 'plan-changed' });
  });
});

test('a node that took over in another shard: a failover gives the role back, then fix puts the node behind its own primary', () => {
  const world = worldWith(follows('redis-5-0', 'redis-3-0'), failedOver('redis-5-0'));
  const { observation } = world;
  expect(fixOf(world).left.map(({ hint }) => hint)).toContain(
    'No node of shard 3 owns slots, so redis-3-0 has nobody to follow there: kubectl redis failover redis-3-0 lets it lead the slots of its shard again',
  );
  const after = simulate(observation, {
    title: '',
    steps: [{ kind: 'failover', node: nodeOf(3), primary: nodeOf(5), reason: '' }],
  });
  const [batch] = fixOf({ ...world, observation: after }).repairs[0]?.batches ?? [];
  expect(batch?.steps).toMatchObject([
    { kind: 'replicate', node: { pod: 'redis-5-0' }, primary: { pod: 'redis-2-0' } },
  ]);
});
