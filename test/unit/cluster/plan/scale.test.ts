/** Any cluster to any shape, cut short anywhere and gone on with. */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Plan, Step } from '../../../../pkg/cluster/model/plan.ts';
import { countSlots, intersectRanges, type SlotRanges } from '../../../../pkg/cluster/model/slots.ts';
import { ordinalsOf, podName, shardOf } from '../../../../pkg/cluster/model/spec.ts';
import { isConverged } from '../../../../pkg/cluster/plan/form.ts';
import { planScale } from '../../../../pkg/cluster/plan/scale.ts';
import { changed, changePod } from '../../../support/observation-changes.ts';
import { version } from '../../../support/observation-faults.ts';
import { ownedOf, recordedOf, runBatch, runStep, worldOf, type World } from '../../../support/scale-world.ts';

interface Wanted {
  readonly masters: number;
  readonly replicas: number;
}

const MOST_BATCHES = 80;

function planOf(world: World, wanted: Wanted): Plan {
  const { observation } = world;
  const seen = { state: interpret(observation), kube: observation.kube, owned: ownedOf(world) };
  return planScale({ ...seen, recorded: recordedOf(world), wanted, agreedToGo: null });
}

/** @param cut for each batch, whether to run it whole, and what of it */
function runToEnd(start: World, wanted: Wanted, cut: (step: Step, batch: number) => boolean = () => true): World {
  let world = start;
  let last: unknown = null;
  for (let batch = 0; batch < MOST_BATCHES; batch++) {
    const plan = planOf(world, wanted);
    if (plan.kind === 'nothing') return world;
    if (plan.kind === 'refused') throw new Error(`${plan.code}: ${plan.sentence}`);
    const [first] = plan.batches;
    last = first;
    if (first !== undefined) world = runBatch(world, first, (step) => cut(step, batch));
  }
  throw new Error(`it never ends: ${JSON.stringify(last)}`);
}

function expectShape(world: World, wanted: Wanted): void {
  const state = interpret(world.observation);
  const spec = recordedOf(world);
  expect({ masters: spec.masters, replicas: spec.replicas, scaling: spec.scaling }).toEqual({
    ...wanted,
    scaling: null,
  });
  const owners = state.nodes.filter((node) => node.slots.length > 0);
  expect(owners).toHaveLength(wanted.masters);
  expect(state.nodes).toHaveLength(wanted.masters * (1 + wanted.replicas));
  expect(isConverged(state)).toBe(true);
  for (const owner of owners) {
    const followers = state.nodes.filter((node) => node.primaryId === owner.nodeId);
    expect(followers).toHaveLength(wanted.replicas);
    expect(new Set([owner, ...followers].map((node) => node.shardLabel)).size).toBe(1);
  }
  expect(
    ownedOf(world)
      .map(({ kind, name }) => `${kind}/${name}`)
      .sort(),
  ).toEqual(objectsOf(world).sort());
  expect(new Set(ordinalsOf(spec).map((ordinal) => podName('redis', ordinal)))).toEqual(
    new Set(state.nodes.map((node) => node.pod?.name)),
  );
  const table = (world.observation.kube.state?.['nodes'] ?? '').trim().split('\n');
  expect(table.map((line) => line.split(' ')[0])).toEqual(ordinalsOf(spec).map(String));
}

/** Of what the record says, and nothing else. */
function objectsOf(world: World): string[] {
  const spec = recordedOf(world);
  const shards = new Set(ordinalsOf(spec).map((ordinal) => shardOf(spec, ordinal)));
  return [
    'Service/redis',
    ...[...shards].map((shard) => `PodDisruptionBudget/redis-shard-${shard}`),
    ...ordinalsOf(spec).flatMap((ordinal) => [
      `StatefulSet/redis-${ordinal}`,
      `Service/redis-${ordinal}`,
      `Pod/redis-${ordinal}-0`,
      `PersistentVolumeClaim/data-redis-${ordinal}-0`,
    ]),
  ];
}

/** Some replica takes over from its primary, wherever it stands. */
function failOver(world: World, number: number): World {
  const { nodes } = interpret(world.observation);
  const replicas = nodes.filter((node) => node.role === 'replica' && node.pod !== null);
  const replica = replicas[number % Math.max(1, replicas.length)];
  const primary = nodes.find((node) => node.nodeId === replica?.primaryId);
  if (replica?.pod == null || primary?.pod == null) return world;
  const step: Step = {
    kind: 'failover',
    node: { nodeId: replica.nodeId ?? '', pod: replica.pod.name },
    primary: { nodeId: primary.nodeId ?? '', pod: primary.pod.name },
    reason: 'a test',
  };
  return runStep(world, step);
}

const someShape: fc.Arbitrary<Wanted> = fc.record({
  masters: fc.integer({ min: 3, max: 7 }),
  replicas: fc.integer({ min: 0, max: 2 }),
});
const someHosts = fc.integer({ min: 3, max: 6 });

describe('any cluster to any shape', () => {
  test('gets there, and then there is nothing to do', () => {
    fc.assert(
      fc.property(
        someShape,
        someShape,
        someHosts,
        fc.array(fc.nat(), { maxLength: 3 }),
        (from, to, hosts, failovers) => {
          const start = failovers.reduce(failOver, worldOf({ ...from, hosts }));
          const end = runToEnd(start, to);
          if (from.masters === to.masters && from.replicas === to.replicas) expect(end).toBe(start);
          else expectShape(end, to);
          expect(planOf(end, to).kind).toBe('nothing');
        },
      ),
      { numRuns: 40 },
    );
  }, 60_000);

  test('and cut short anywhere, any step left out, with failovers in between: to the same shape', () => {
    const cuts = fc.infiniteStream(fc.boolean());
    fc.assert(
      fc.property(someShape, someShape, cuts, fc.nat({ max: 12 }), fc.nat(), (from, to, cut, when, who) => {
        fc.pre(from.masters !== to.masters || from.replicas !== to.replicas);
        let world = worldOf(from);
        for (let batch = 0; batch < when; batch++) {
          const plan = planOf(world, to);
          if (plan.kind !== 'batches' || plan.batches[0] === undefined) break;
          world = runBatch(world, plan.batches[0], () => cut.next().value === true);
        }
        const isWhole = isConverged(interpret(world.observation));
        expectShape(runToEnd(isWhole ? failOver(world, who) : world, to), to);
      }),
      { numRuns: 60 },
    );
  }, 60_000);

  test('a shard without slots keeps its primary, not the replica that was attached to it', () => {
    let world = worldOf({ masters: 3, replicas: 0 });
    for (let batch = 0; batch < 7; batch++) {
      const plan = planOf(world, { masters: 4, replicas: 1 });
      if (plan.kind === 'batches' && plan.batches[0] !== undefined) world = runBatch(world, plan.batches[0]);
    }
    expectShape(runToEnd(world, { masters: 4, replicas: 0 }), { masters: 4, replicas: 0 });
  });

  test('and to another shape before it is finished: to the newest', () => {
    fc.assert(
      fc.property(someShape, someShape, someShape, fc.nat({ max: 14 }), (from, first, then, when) => {
        fc.pre(JSON.stringify(first) !== JSON.stringify(then) && JSON.stringify(from) !== JSON.stringify(first));
        let world = worldOf(from);
        for (let batch = 0; batch < when; batch++) {
          const plan = planOf(world, first);
          if (plan.kind === 'batches' && plan.batches[0] !== undefined) world = runBatch(world, plan.batches[0]);
        }
        expectShape(runToEnd(world, then), then);
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});

describe('what moves', () => {
  const moved = (start: World, wanted: Wanted): { slots: SlotRanges; count: number } => {
    const all: SlotRanges[number][] = [];
    runToEnd(start, wanted, (step) => {
      if (step.kind === 'move-slots') all.push(...step.ranges);
      return true;
    });
    return { slots: all, count: countSlots(all) };
  };

  test('no slot twice, and no more than must', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 9 }), fc.integer({ min: 3, max: 9 }), (from, to) => {
        fc.pre(from !== to);
        const { slots, count } = moved(worldOf({ masters: from, replicas: 0 }), { masters: to, replicas: 0 });
        const twice = slots.flatMap((range, i) =>
          slots.slice(i + 1).flatMap((other) => intersectRanges([range], [other])),
        );
        expect(twice).toEqual([]);
        // Everybody who has more than its share gives that, and whoever goes gives all; shares differ by one slot at most.
        const least = (16384 / Math.max(from, to)) * Math.abs(from - to);
        expect(Math.abs(count - least)).toBeLessThanOrEqual(Math.max(from, to));
      }),
    );
  }, 60_000);

  test('only replicas change: no slot', () => {
    expect(moved(worldOf({ masters: 3, replicas: 1 }), { masters: 3, replicas: 2 }).count).toBe(0);
    expect(moved(worldOf({ masters: 3, replicas: 2 }), { masters: 3, replicas: 0 }).count).toBe(0);
  });

  test('a primary is kept where a replica can go: no failover', () => {
    const start = [1, 4].reduce(failOver, worldOf({ masters: 3, replicas: 1 }));
    const kinds = new Set<string>();
    runToEnd(start, { masters: 3, replicas: 0 }, (step) => {
      kinds.add(step.kind);
      return true;
    });
    expect(kinds.has('failover')).toBe(false);
  });
});

test('a new shape is not begun while a restart is unfinished; one that was begun goes on', () => {
  const world = worldOf({ masters: 3, replicas: 1 });
  const restarted = { '1': '2027-01-01T00:00:00Z', '2': '2027-01-01T00:00:00Z' };
  const withSpec = (more: object): World => runStep(world, recordOf({ ...recordedOf(world), restarted, ...more }));
  expect(planOf(withSpec({}), { masters: 4, replicas: 1 })).toMatchObject({
    kind: 'refused',
    code: 'restart-unfinished',
    sentence: 'A restart of redis was begun and is not finished: redis-1-0 and 1 more are as before',
  });
  expect(planOf(withSpec({}), { masters: 3, replicas: 1 })).toMatchObject({ kind: 'nothing' });
  const begun = { scaling: { leaving: [], spread: false } };
  expect(planOf(withSpec(begun), { masters: 4, replicas: 1 })).toMatchObject({ kind: 'batches' });
});

test('slots of a newer server do not go to older ones, and nothing is begun', () => {
  const world = worldOf({ masters: 4, replicas: 0 });
  const others = [1, 2, 3].map((n) => version(`redis-${n}-0`, 'redis', '7.0.15'));
  const older: World = { ...world, observation: changed(world.observation, ...others) };
  expect(planOf(older, { masters: 3, replicas: 0 })).toMatchObject({
    kind: 'refused',
    code: 'target-older',
    hint: 'kubectl redis restart redis finishes the upgrade first; then run the same command again',
  });
  const begun = runStep(older, recordOf({ ...recordedOf(older), scaling: { leaving: [], spread: false } }));
  expect(planOf(begun, { masters: 3, replicas: 0 })).toMatchObject({
    hint: expect.stringMatching(
      /^kubectl redis scale redis --masters 4 --replicas 0 gives up the change that was begun; then kubectl redis restart/,
    ),
  });
  const one: World = { ...world, observation: changed(world.observation, version('redis-4-0', 'redis', '7.0.15')) };
  expect(planOf(one, { masters: 3, replicas: 0 })).toMatchObject({ kind: 'batches' });
});

test("an image with a tag of a company's own is what runs it, and not what its tag says", () => {
  const image = 'registry.example/redis-cluster:2.3.1';
  const world = runStep(
    worldOf({ masters: 3, replicas: 0 }),
    recordOf({ ...recordedOf(worldOf({})), replicas: 0, image }),
  );
  const runs = [1, 2, 3].map((n) =>
    changePod(`redis-${n}-0`, (pod) => ({ ...pod, container: { ...pod.container, image } })),
  );
  const own: World = { ...world, observation: changed(world.observation, ...runs) };
  expect(planOf(own, { masters: 4, replicas: 0 })).toMatchObject({ kind: 'batches' });
  expect(planOf(world, { masters: 4, replicas: 0 })).toMatchObject({ kind: 'refused', code: 'target-older' });
});

function recordOf(spec: ReturnType<typeof recordedOf>): Step {
  return { kind: 'record-spec', spec, reason: 'test' };
}
