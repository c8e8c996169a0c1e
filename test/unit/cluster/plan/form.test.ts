import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../pkg/cluster/model/observation.ts';
import type { Batch, Plan, Step } from '../../../../pkg/cluster/model/plan.ts';
import { countSlots } from '../../../../pkg/cluster/model/slots.ts';
import type { ClusterSpec } from '../../../../pkg/cluster/model/spec.ts';
import { planForming } from '../../../../pkg/cluster/plan/form.ts';
import { simulate } from '../../../../pkg/cluster/plan/simulate.ts';
import { freshObservation, healthyObservation, nodeIdOf } from '../../../support/observation.ts';
import { specOf } from '../../../support/spec.ts';

const POLICY = { fastForming: true };

function planOf(observation: Observation, spec: ClusterSpec): Plan {
  return planForming(interpret(observation), spec, POLICY);
}

/** Runs `upTo` batches, or all. Returns the facts after them and how many were run. */
function run(
  observation: Observation,
  spec: ClusterSpec,
  upTo = Infinity,
): { observation: Observation; batches: number } {
  let current = observation;
  for (let batches = 0; ; batches++) {
    const plan = planOf(current, spec);
    if (plan.kind === 'refused') throw new Error(plan.sentence);
    const batch = plan.kind === 'batches' ? plan.batches[0] : undefined;
    if (batch === undefined || batches >= upTo) return { observation: current, batches };
    if (batches > 10) throw new Error(`does not end: ${batch.title}`);
    current = simulate(current, batch);
  }
}

/** What a finished cluster must be, whatever the way to it. */
function expectFormed(observation: Observation, spec: ClusterSpec): void {
  const state = interpret(observation);
  expect(state.uncovered).toEqual([]);
  expect(state.contested).toEqual([]);
  expect(state.views).toHaveLength(1);
  expect(state.shards.map((shard) => [shard.primary === null, shard.replicas.length])).toEqual(
    Array.from({ length: spec.masters }, () => [false, spec.replicas]),
  );
  const epochs = state.nodes.filter((node) => node.role === 'primary').map((node) => node.gossip?.configEpoch);
  expect(new Set(epochs).size).toBe(spec.masters);
  const sizes = state.shards.map((shard) => countSlots(shard.slots));
  expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
}

function stepsOf<K extends Step['kind']>(plan: Plan, kind: K): Extract<Step, { kind: K }>[] {
  const batches: readonly Batch[] = plan.kind === 'batches' ? plan.batches : [];
  return batches
    .flatMap((batch) => batch.steps)
    .filter((step): step is Extract<Step, { kind: K }> => step.kind === kind);
}

const shapes = fc.record({
  masters: fc.integer({ min: 3, max: 6 }),
  replicas: fc.integer({ min: 0, max: 3 }),
  hosts: fc.integer({ min: 1, max: 6 }),
  zones: fc.integer({ min: 1, max: 3 }),
  kind: fc.constantFrom('ours' as const, 'foreign' as const),
});

describe('planForming', () => {
  test('six fresh nodes: slots and epochs first, then meetings, replicas, agreement', () => {
    const spec = specOf({ masters: 3, replicas: 1 });
    const plan = planOf(freshObservation(), spec);
    const titles = plan.kind === 'batches' ? plan.batches.map((batch) => batch.title) : [];
    expect(titles).toEqual(['assign slots', 'join the nodes', 'attach the replicas', 'wait until all nodes agree']);
    expect(stepsOf(plan, 'add-slots').map((step) => step.ranges)).toEqual([
      [{ start: 0, end: 5460 }],
      [{ start: 5461, end: 10922 }],
      [{ start: 10923, end: 16383 }],
    ]);
    expect(stepsOf(plan, 'set-config-epoch').map((step) => step.epoch)).toEqual([1, 2, 3]);
    expect(stepsOf(plan, 'mark-formed')).toHaveLength(1);
    expect(stepsOf(plan, 'set-node-timeout').map((step) => step.milliseconds)).toEqual([500, 500, 500, 500, 500, 500]);
  });

  test('a formed cluster: nothing to do', () => {
    expect(planOf(healthyObservation(), specOf({ masters: 3, replicas: 1 }))).toEqual({ kind: 'nothing', remarks: [] });
  });

  test('property: the plan ends, in a whole cluster, and then there is nothing to do', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const spec = specOf(shape);
        const end = run(freshObservation(shape), spec);
        expectFormed(end.observation, spec);
        expect(planOf(end.observation, spec).kind).toBe('nothing');
      }),
      { numRuns: 25 },
    );
  });

  test('property: killed after any batch, and after any half of a batch, it ends the same', () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: 0, max: 5 }), fc.infiniteStream(fc.boolean()), (shape, batches, coin) => {
        const spec = specOf(shape);
        const before = run(freshObservation(shape), spec, batches).observation;
        const plan = planOf(before, spec);
        const next = plan.kind === 'batches' ? plan.batches[0] : undefined;
        const flips = coin[Symbol.iterator]();
        const half =
          next === undefined
            ? before
            : simulate(before, { ...next, steps: next.steps.filter(() => flips.next().value === true) });
        const end = run(half, spec);
        expectFormed(end.observation, spec);
      }),
      { numRuns: 40 },
    );
  });

  test('the timeout goes back only from the value that forming sets', () => {
    const observation = healthyObservation();
    const short = observation.replies.map(({ pod, reply }, index) => ({
      pod,
      reply:
        reply.kind === 'answered'
          ? {
              ...reply,
              answer: {
                ...reply.answer,
                config: { ...reply.answer.config, 'cluster-node-timeout': ['500', '5000', '1234'][index % 3] ?? '' },
              },
            }
          : reply,
    }));
    const plan = planOf({ ...observation, replies: short }, specOf({ masters: 3, replicas: 1 }));
    expect(stepsOf(plan, 'set-node-timeout').map((step) => [step.node.pod, step.milliseconds])).toEqual([
      ['redis-1-0', 5000],
      ['redis-4-0', 5000],
    ]);
  });

  test('never shortens the timeout of a cluster that serves', () => {
    const observation = healthyObservation({ keysPerShard: 5 });
    const down = observation.replies.map(({ pod, reply }) => ({
      pod,
      reply:
        reply.kind === 'answered'
          ? {
              ...reply,
              answer: { ...reply.answer, clusterInfo: { ...reply.answer.clusterInfo, state: 'fail' as const } },
            }
          : reply,
    }));
    expect(
      stepsOf(planOf({ ...observation, replies: down }, specOf({ masters: 3, replicas: 1 })), 'set-node-timeout'),
    ).toEqual([]);
  });

  test('refuses a fresh node that holds keys, and names it', () => {
    const observation = freshObservation();
    const replies = observation.replies.map(({ pod, reply }) => ({
      pod,
      reply:
        reply.kind === 'answered' && pod === 'redis-2-0'
          ? { ...reply, answer: { ...reply.answer, info: { ...reply.answer.info, keys: 7 } } }
          : reply,
    }));
    const plan = planOf({ ...observation, replies }, specOf({ masters: 3, replicas: 1 }));
    expect(plan).toMatchObject({
      kind: 'refused',
      code: 'node-not-empty',
      sentence: 'redis-2-0 holds 7 keys and belongs to no cluster yet',
    });
  });

  test('refuses a node that knows a stranger (law L2)', () => {
    const observation = freshObservation();
    const stranger = nodeIdOf(99);
    const replies = observation.replies.map(({ pod, reply }) => {
      if (reply.kind !== 'answered' || pod !== 'redis-3-0') return { pod, reply };
      const [self] = reply.answer.view;
      const other = {
        ...self,
        nodeId: stranger,
        flags: ['master'],
        ip: '10.9.9.9',
      } as (typeof reply.answer.view)[number];
      return { pod, reply: { ...reply, answer: { ...reply.answer, view: [...reply.answer.view, other] } } };
    });
    const plan = planOf({ ...observation, replies }, specOf({ masters: 3, replicas: 1 }));
    expect(plan).toMatchObject({
      kind: 'refused',
      code: 'foreign-node',
      sentence: `redis-3-0 knows node ${stranger.slice(0, 8)} at 10.9.9.9:6379, which is no pod of redis`,
    });
  });

  test.each([
    ['timeout', 'node-silent'],
    ['loading', 'node-silent'],
    ['auth', 'auth'],
  ] as const)('refuses while a node can not be asked: %s', (why, code) => {
    const observation = freshObservation();
    const replies = observation.replies.map(({ pod, reply }) =>
      pod === 'redis-5-0' ? { pod, reply: { kind: 'unreachable' as const, why, detail: 'a test' } } : { pod, reply },
    );
    expect(planOf({ ...observation, replies }, specOf({ masters: 3, replicas: 1 }))).toMatchObject({
      kind: 'refused',
      code,
    });
  });

  test('names the pairs that share a host where hosts are too few', () => {
    const plan = planOf(freshObservation({ hosts: 1, zones: 1 }), specOf({ masters: 3, replicas: 1 }));
    expect(plan.kind === 'batches' ? plan.remarks.map((remark) => remark.sentence) : []).toContain(
      'redis-1-0 and redis-4-0 of shard 1 are both on host host-1',
    );
  });
});
